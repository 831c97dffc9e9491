"""Keys: which sign, since when and until when they are needed; another one beside them, and retiring one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

from flask import Blueprint, Response, url_for
from pydantic import AfterValidator, Field

from authority.domain.catalogue import KeyUse
from authority.domain.plurals import are, counted
from authority.presentation import sheets
from authority.presentation.keys import Keys, KeyShown, MadeKeys
from authority.services import keys
from authority.services.keys import OwnKey
from authority.web.answers import carried, sheet
from authority.web.console.formats import utc
from authority.web.console.forms import Form, read
from authority.web.console.frame import confirm, done, page, shown_again
from authority.web.console.visiting import unit, visitor

pages = Blueprint("keys", __name__)

SIGNS = {KeyUse.BORROW: "borrows, and grants of sessions", KeyUse.STATUS: "status lists"}
# What has to be done with a key that is new, or that was retired, before workstations hear of it.
AUTHORIZE = "Then: download the public keys, send them to the vendor, and install the authorization that comes back."


def _some(uses: list[KeyUse]) -> list[KeyUse]:
    if not uses:
        raise ValueError("Tick at least one use")
    return uses


class Rotation(Form):
    uses: Annotated[list[KeyUse], Field(max_length=len(KeyUse)), AfterValidator(_some)] = Field(
        default_factory=list, validate_default=True
    )


class Retirement(Form):
    stolen: bool = False


def _list() -> Response:
    work = unit()
    every = keys.every(work)
    return page(
        "keys.html",
        keys=Keys.of(every, keys.roots(work)),
        waiting=[key for key in every if not key.is_authorized and key.retired_at is None],
        signs=SIGNS,
        csv=url_for("console.keys.as_csv"),
    )


@pages.get("/keys")
def index() -> Response:
    """The authority's own keys, the root key to compare, and what can be done about them."""
    return _list()


@pages.get("/keys.csv")
def as_csv() -> Response:
    """The authority's own keys, without what is private of them."""
    return sheet(sheets.lines_of(KeyShown, map(KeyShown.of, keys.every(unit()))), "keys.csv")


@pages.get("/keys/public")
def public() -> Response:
    """The public keys as a file for the vendor."""
    data = json.dumps(keys.public(unit()), indent=2) + "\n"
    return carried(data.encode(), visitor().organization, "public-keys", ending="json")


@pages.post("/keys/rotate")
@shown_again(_list, left=_list)
def rotate() -> Response:
    """Asks, then makes another key for each use beside those that are there."""
    form, work = read(Rotation), unit()
    uses = list(dict.fromkeys(form.uses))
    keys.every(work)
    names = " and ".join(f"a {use} key" for use in uses)
    question = confirm(
        f"Make {names}?",
        who="nobody yet: the keys of now sign on",
        what="; ".join(f"a {use} key, which signs {SIGNS[use]}" for use in uses),
        until="a new key signs as soon as an authorization names it",
        consequences=[
            "It is written into the folder keys of the server that answers this page. Other servers have keys of their own.",
            AUTHORIZE,
            "From then on it signs, and the key of before can be retired. Machines that are away need nothing for it.",
        ],
        action=f"Make {names}",
        back=url_for("console.keys.index"),
    )
    if question:
        return question
    made = MadeKeys.of(keys.rotate(work, uses)).items
    text = "Made " + ", ".join(f"the {key.use} key {key.kid}" for key in made) + ". " + AUTHORIZE
    return done(url_for("console.keys.index"), text, [("Download the public keys", url_for("console.keys.public"))])


@pages.post("/keys/<kid>/retire")
@shown_again(lambda **_: _list())
def retire(kid: str) -> Response:
    """Says what it means for machines that are away, then lets a key sign nothing new."""
    form, work = read(Retirement), unit()
    would = keys.retire(work, kid, is_stolen=form.stolen, dry_run=True)
    question = confirm(
        f"Retire the {would.use} key {kid}" + (", which was stolen?" if form.stolen else "?"),
        who="workstations that have what it signed",
        what=f"it signs no {SIGNS[would.use]} any more",
        until="for good: a retired key stays retired",
        consequences=list(_stolen(would) if form.stolen else _follows(would)),
        action="Retire it",
        back=url_for("console.keys.index"),
        is_dangerous=True,
    )
    if question:
        return question
    key = keys.retire(work, kid, is_stolen=form.stolen)
    text = f"The {key.use} key {key.kid} is retired{' as stolen' if key.is_stolen else ''}. {AUTHORIZE}"
    return done(url_for("console.keys.index"), text, [("Download the public keys", url_for("console.keys.public"))])


def _follows(key: OwnKey) -> Iterator[str]:
    yield "What it signed stays good, on machines that are away as well."
    if key.use is KeyUse.BORROW:
        yield f"{counted(key.borrows_out, 'borrow')} with its signature {are(key.borrows_out)} out."
    if key.needed_until is not None:
        yield f"Until {utc(key.needed_until)} workstations need to know it: its file stays in the folder keys, and authorizations name it."
    else:
        yield "No workstation needs to know it any more: its file can go."
    yield f"The next authorization says so as well. {AUTHORIZE}"


def _stolen(key: OwnKey) -> Iterator[str]:
    yield "Until a machine has the next authorization, it takes what the thief signs: a machine that is away does not know."
    yield f"Have it revoked now. {AUTHORIZE} Then carry a new status list to every workstation: it brings the authorization."
    if key.use is KeyUse.BORROW:
        yield f"Borrows that are known here stay good ({key.borrows_out} out with its signature); all else that it signed is refused."
    yield "The whole drill is in docs/drills/stolen-key.md."
