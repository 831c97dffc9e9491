"""Requests that were sent with a key of the client's own are kept for a day, so that one that is sent again does nothing new."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(length=43), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("request", sa.String(length=43), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_attempts"),
    )
    op.create_index("ix_attempts_member_id", "attempts", ["member_id"])
    op.create_index("ix_attempts_begun_at", "attempts", ["begun_at"])
