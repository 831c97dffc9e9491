"""What the console asks of a large organization: the log of one member, and a file of members that was given in to be looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the index and the table; nobody has given in a file yet."""
    op.create_index("ix_events_member", "events", ["member", "id"])
    op.create_table(
        "uploads",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=43), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_uploads_member_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("member_id", name="pk_uploads"),
    )
