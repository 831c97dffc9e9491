"""Strict mode: a rule may say how old a status list may be on the workstation, and a borrow keeps what its token demands."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the columns; no rule and no borrow of before demands a list."""
    for table in ("offline_rules", "borrows"):
        op.add_column(table, sa.Column("status_max_age", sa.Integer(), nullable=True))
