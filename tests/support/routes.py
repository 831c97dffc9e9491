"""The routes as the application itself documents them."""

from __future__ import annotations

import secrets

from authority.services.context import Authority
from authority.signing.keyring import KeyRing
from authority.storage.db.database import Database
from authority.web.application import create_app
from tests.support.authorities import TestClock

PREFIX = "/api/v1"


def documented_routes() -> list[tuple[str, str, str]]:
    """Method, path and summary of every route of the API, in order. No database is opened for it."""
    app = create_app(Authority(Database("sqlite:///not-opened.db"), KeyRing({}), TestClock(), secrets.token_bytes))
    found = [
        (method.upper(), path.removeprefix(PREFIX), operation["summary"])
        for path, operations in app.api_doc["paths"].items()
        for method, operation in operations.items()
    ]
    return sorted(found, key=lambda route: (route[1], route[0]))
