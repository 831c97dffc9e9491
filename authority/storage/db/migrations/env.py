"""Run by Alembic: takes the connection that `authority.storage.db.migrating` hands over."""

from alembic import context

from authority.storage.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()
