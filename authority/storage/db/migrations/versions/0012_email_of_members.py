"""Members have an e-mail address."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the column; of nobody an address is known yet."""
    op.add_column("members", sa.Column("email", sa.Text(), nullable=False, server_default=""))
