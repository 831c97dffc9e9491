"""Overview: what is licensed and used, and what wants to be done."""

from __future__ import annotations

from flask import Blueprint, Response

from authority.presentation.authorization import AuthorizationShown
from authority.services import overview
from authority.web.console.frame import page, unit, visitor

pages = Blueprint("overview", __name__)


@pages.get("/")
def index() -> Response:
    """The figures for who manages licenses."""
    used = overview.authorization(unit())
    return page("overview.html", shown=AuthorizationShown.of(*used, visitor().now))
