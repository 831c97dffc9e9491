"""Sign-ins have an address, a program and a last use, and wrong passwords are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the columns and the table; sign-ins of before are from nowhere that is known."""
    op.add_column("credentials", sa.Column("last_used_at", sa.BigInteger(), nullable=True))
    op.add_column("credentials", sa.Column("address", sa.String(length=64), nullable=True))
    op.add_column("credentials", sa.Column("agent", sa.String(length=128), nullable=True))
    op.create_table(
        "sign_in_tries",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_sign_in_tries"),
    )
    op.create_index("ix_sign_in_tries_last_at", "sign_in_tries", ["last_at"])
