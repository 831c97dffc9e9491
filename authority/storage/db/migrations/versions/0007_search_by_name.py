"""A member is found by a part of a name, whatever its case and marks: what is searched stands in a column."""

import sqlalchemy as sa
from alembic import op

from authority.domain.names import search_key

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_members = sa.table("members", *map(sa.column, ("id", "username", "full_name", "search_key")))


def upgrade() -> None:
    """Makes the column, and fills it for the members who are there."""
    op.add_column("members", sa.Column("search_key", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    rows = connection.execute(sa.select(_members.c.id, _members.c.full_name, _members.c.username)).all()
    if rows:
        fill = sa.update(_members).where(_members.c.id == sa.bindparam("of_id")).values(search_key=sa.bindparam("key"))
        connection.execute(fill, [{"of_id": row.id, "key": search_key(row.full_name, row.username)} for row in rows])
