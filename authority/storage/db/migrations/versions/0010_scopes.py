"""API keys have scopes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the column; keys of before are for everything that their members may do."""
    op.add_column("credentials", sa.Column("scopes", sa.String(length=128), nullable=True))
