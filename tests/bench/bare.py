"""The floor: a Flask route that reads JSON and answers JSON, on the server and with the threads that the authority has."""

from __future__ import annotations

import os
import sys

from flask import Flask, request

from authority.cli.serving import run_server


def create() -> Flask:
    """The bare application."""
    app = Flask("bare")

    @app.post("/bare")
    def bare() -> dict[str, int]:
        return {"length": len(request.get_json()["request"])}

    @app.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    return app


if __name__ == "__main__":
    run_server(sys.argv[1], "127.0.0.1", 0, workers=os.cpu_count() or 1)
