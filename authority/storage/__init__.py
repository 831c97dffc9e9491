"""SQL, and nothing else: SQLAlchemy Core over SQLite and PostgreSQL. Functions take a connection; the caller's transaction decides."""
