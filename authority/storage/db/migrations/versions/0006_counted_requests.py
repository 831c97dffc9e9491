"""Workstations count their requests and receipts: by the counts two copies of one are seen, and a borrow keeps that they were."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the columns; what came before counted nothing and is held against nobody."""
    op.add_column("borrows", sa.Column("clone_seen_at", sa.BigInteger(), nullable=True))
    op.add_column("borrows", sa.Column("clone_evidence", sa.Text(), nullable=True))
    op.create_index("ix_borrows_machine_key", "borrows", ["machine_key"])
    op.add_column("receipts", sa.Column("machine_key", sa.String(length=43), nullable=True))
    for name in ("number", "requests"):
        op.add_column("receipts", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("ix_receipts_machine_key", "receipts", ["machine_key", "number"])
    for name in ("request_number", "returns"):
        op.add_column("tokens", sa.Column(name, sa.Integer(), nullable=True))
