"""Members keep what a search for them looks through: user name and full name, each as what makes two names the same."""

import sqlalchemy as sa
from alembic import op

from authority.domain.members import search_text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the column and fills it for the members who are there."""
    op.add_column("members", sa.Column("search", sa.Text(), nullable=False, server_default=""))
    members = sa.table("members", *map(sa.column, ("id", "username", "full_name", "search")))
    connection = op.get_bind()
    rows = connection.execute(sa.select(members.c.id, members.c.username, members.c.full_name)).all()
    texts = [{"of_id": row.id, "text": search_text(row.username, row.full_name)} for row in rows]
    if texts:
        query = sa.update(members).where(members.c.id == sa.bindparam("of_id")).values(search=sa.bindparam("text"))
        connection.execute(query, texts)
