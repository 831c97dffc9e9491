"""Alembic's migrations: the only way in which a table comes to be or changes. Tests build their databases with them too."""
