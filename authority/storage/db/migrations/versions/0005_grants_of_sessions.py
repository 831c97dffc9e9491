"""A session's seats are held until its last grant has ended; its grant's time is no longer given in hours, and is short at first."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Takes the end of each session as that of its last grant; what hours were set is forgotten, for they would block seats."""
    op.add_column("sessions", sa.Column("granted_until", sa.BigInteger(), nullable=True))
    op.execute("UPDATE sessions SET granted_until = COALESCE(ended_at, active_until)")
    with op.batch_alter_table("sessions") as table:
        table.alter_column("granted_until", nullable=False)
    op.create_index(op.f("ix_sessions_member_granted"), "sessions", ["member_id", "granted_until"])
    preferences = sa.table("preferences", sa.column("name", sa.Text), sa.column("value", sa.Text))
    connection = op.get_bind()
    is_of_sessions = preferences.c.name == "sessions"
    value = connection.execute(sa.select(preferences.c.value).where(is_of_sessions)).scalar_one_or_none()
    if value is not None:
        settings = {name: number for name, number in json.loads(value).items() if name != "offline_hours"}
        connection.execute(preferences.update().where(is_of_sessions).values(value=json.dumps(settings)))
