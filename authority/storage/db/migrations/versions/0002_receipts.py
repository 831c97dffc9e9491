"""Receipts have a table of their own: a borrow can have several, and one that ended can still get one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table of what the borrows had."""
    op.create_table(
        "receipts",
        sa.Column("digest", sa.String(length=43), nullable=False),
        sa.Column("borrow_id", sa.String(length=22), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["borrow_id"], ["borrows.id"], name=op.f("fk_receipts_borrow_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_receipts")),
    )
    op.execute(
        "INSERT INTO receipts (digest, borrow_id, taken_at) "
        "SELECT receipt_digest, id, seat_free_at FROM borrows WHERE receipt_digest IS NOT NULL"
    )
    op.drop_index(op.f("ix_borrows_receipt_digest"), table_name="borrows")
    op.drop_column("borrows", "receipt_digest")
