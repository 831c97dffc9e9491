"""The seal of the log: a digest and a place in a chain for each row, and signed checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Of this type it is SQLite's own number of a row, and needs no index.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables; the rows that are there are sealed when the log is sealed for the first time."""
    op.create_table(
        "seals",
        sa.Column("event_id", NUMBER, nullable=False, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name="pk_seals"),
    )
    op.create_table(
        "erased_rows",
        sa.Column("event_id", NUMBER, nullable=False, autoincrement=False),
        sa.Column("openings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_erased_rows"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("compact", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("authorization_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_checkpoints"),
    )
    op.create_index("ix_checkpoints_last", "checkpoints", ["last"])
