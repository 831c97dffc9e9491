"""Every route: who may use it, a request that is good, and what somebody gets who may not.

The requests are about what `ada` has: a borrow, a session, a license, a sign-in and an API key. She is a member, and so is the stranger who asks in the role of a member.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from authority.domain.catalogue import KeyUse
from authority.domain.members import ANYBODY, CONSOLE, Role, Scope
from authority.domain.notices import ChannelType
from authority.domain.pools import PoolRule
from authority.services import access, channels, keys, policies, pools
from authority.services.channels import NewChannel
from authority.services.unit import Unit
from authority.signing.floors import Floor
from authority.storage.db.database import Database
from authority.web.application import create_app
from tests.support.authorities import Bench, authorization_text, make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import asked, body_of, started
from tests.support.web import API, Web, make_web
from tests.support.workstations import SimulatedWorkstation
from verifier.core.clock_reset import code_of
from verifier.workstation.carry import Wish

PASSWORD = "correct horse battery staple"
PRO, DESKTOP = "arcgis-pro", "arcgis-desktop"
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
MANAGERS = ADMINISTRATOR | {Role.LICENSE_MANAGER}
LOG_READERS = ADMINISTRATOR | {Role.ANALYST}
EVERYBODY = frozenset(Role)
NOT_ALLOWED, NOT_FOUND = (403, "not-allowed"), (404, "not-found")


@dataclass(frozen=True)
class World:
    """The application over an organization in which ada has something of everything."""

    web: Web
    ada_secret: str
    laptop: SimulatedWorkstation
    borrow_file: bytes
    ids: dict[str, str]

    @property
    def database(self) -> Database:
        return self.web.bench.authority.database

    def copy(self, folder: Path) -> World:
        """A copy of this organization in a database of its own."""
        original, bench = Path(str(self.database.url.database)), self.web.bench
        # The pages that are still in the log of the database come into its file.
        with self.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(original, folder / original.name)
        database = Database(f"sqlite:///{folder / original.name}")
        authority = replace(bench.authority, database=database, trust_copy=folder / "organization.trust")
        web = replace(self.web, bench=replace(bench, authority=authority), client=create_app(authority).test_client())
        return replace(self, web=web)

    def put_back(self, to: World) -> None:
        """Makes the organization what another one is, which takes a tenth of the time of a copy."""
        with (
            contextlib.closing(sqlite3.connect(str(to.database.url.database))) as original,
            contextlib.closing(sqlite3.connect(str(self.database.url.database))) as own,
        ):
            original.backup(own)
        self.web.bench.authority.remembered.clear()
        self.web.bench.authority.floors.lower_to(Floor())


def make_world(folder: Path) -> World:
    """A world on SQLite. Its status list is published, so that no reading has to."""
    web = make_web(make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home"))
    bench = web.bench
    ada, laptop = bench.member("ada", groups=("crew",), password=PASSWORD, vendor_access=True), workstation("laptop")
    secret, key = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "hers")
    issued = issued_to(bench, ada, laptop)
    session = started(bench, ada, workstation("tower"), DESKTOP).session
    policies.change(Unit(bench.authority, CONSOLE), "group", "crew", "", allowed=None, longest_days=60, default_days=None)
    pools.change(Unit(bench.authority, CONSOLE), PoolRule(DESKTOP, "Advanced", low_water=1))
    web.get("/status-list", None)
    kid = bench.authority.ring.kids(KeyUse.BORROW)[0]
    # Another one, so that it can be retired.
    keys.rotate(Unit(bench.authority, CONSOLE), [KeyUse.BORROW])
    access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    (sign_in,), _ = access.sign_ins_of(Unit(bench.authority, CONSOLE), "ada")
    # Nobody listens there.
    new_channel = NewChannel("desk", ChannelType.WEBHOOK, "http://127.0.0.1:9/")
    channel = channels.add(Unit(bench.authority, CONSOLE), new_channel)
    ids = {
        "channel_id": channel.id,
        "sign_in_id": sign_in.id,
        "borrow_id": issued.borrow.id,
        "session_id": session.id,
        "key_id": key.id,
        "username": "ada",
        "event_id": "1",
        "ending": "csv",
        "resource": "borrows",
        "kid": kid,
        "product": PRO,
        # A provider that there is not.
        "name": "nobody",
    }
    return World(web, secret, laptop, issued.file, ids)


@dataclass(frozen=True)
class Route:
    """One row. `status` answers who may; `refused` answers the others, role by role where it differs."""

    allowed: frozenset[Role] = EVERYBODY
    status: int = 200
    query: str = ""
    body: Callable[[World], Any] | None = None
    refused: tuple[int, str] = NOT_ALLOWED
    differs: dict[Role, tuple[int, str]] = field(default_factory=dict)
    # Whether ada may, because it is hers, what others of her role may not.
    owner: bool = False
    is_public: bool = False
    open_over_limit: bool = False
    # A token that is of no use to anybody may be signed out.
    needs_member: bool = True


def _request(world: World) -> Any:
    wish = Wish(PRO, days=9)
    return {"request": replace(world.laptop).request(wish, world.web.bench.clock(), jti="r" * 22), "member": "ada"}


def _receipt(world: World) -> Any:
    return {"receipt": replace(world.laptop).receipt_for(world.borrow_file, world.web.bench.clock())}


def _authorization(world: World) -> Any:
    bench: Bench = world.web.bench
    compact = authorization_text(bench.authority, bench.root, bench.clock(), seq=2)
    trust = json.loads(bench.trust_file)
    file = {"carnet": "authorization", "version": 1, "authorization": compact}
    return {"authorization_file": file, "trust_file": trust, "accept_root": [bench.root.public.kid], "dry_run": False}


def _always(body: Any) -> Callable[[World], Any]:
    return lambda _: body


def _of_ids(name: str, **more: Any) -> Callable[[World], Any]:
    return lambda world: {"ids": [world.ids[name]], **more}


def _reset(world: World) -> Any:
    return {"code": code_of(world.laptop.key.public.kid, 0), "reason": "battery replaced"}


def _carried(world: World) -> Any:
    return {"file": {"carnet": "request", "version": 1, "request": _request(world)["request"]}}


SESSION = body_of(asked(workstation("third"), DESKTOP, "Advanced"))


def _renewal(world: World) -> Any:
    bench = world.web.bench
    return body_of(asked(bench.machines[world.ids["session_id"]], DESKTOP, at=bench.clock()))


ROUTES: dict[str, Route] = {
    "GET /borrows": Route(),
    "POST /borrows": Route(ADMINISTRATOR, 201, body=_request, owner=True),
    "GET /borrows/{borrow_id}": Route(MANAGERS, refused=NOT_FOUND, owner=True),
    "GET /borrows/{borrow_id}/file": Route(MANAGERS, refused=NOT_FOUND, owner=True),
    "POST /borrows/{borrow_id}/revoke": Route(ADMINISTRATOR, body=_always({"reason": "audit"})),
    "POST /borrows/{borrow_id}/release": Route(ADMINISTRATOR, body=_always({"reason": "lost", "accept_overlap": True})),
    "POST /borrows/{borrow_id}/clock-reset": Route(ADMINISTRATOR, body=_reset),
    "POST /borrows/revoke": Route(ADMINISTRATOR, body=_of_ids("borrow_id", reason="audit")),
    "POST /borrows/release": Route(ADMINISTRATOR, body=_of_ids("borrow_id", reason="lost", accept_overlap=True)),
    "GET /offline": Route(MANAGERS),
    "GET /overview": Route(MANAGERS),
    "POST /carried-files": Route(body=_carried),
    "POST /check-ins": Route(ADMINISTRATOR, body=_receipt, owner=True, open_over_limit=True),
    "POST /sign-in": Route(body=_always({"username": "ada", "password": PASSWORD}), is_public=True),
    "POST /sign-out": Route(status=204, open_over_limit=True, needs_member=False),
    "GET /status-list": Route(is_public=True),
    "GET /trust": Route(is_public=True),
    "GET /events": Route(LOG_READERS),
    "GET /events/checkpoint": Route(LOG_READERS),
    "GET /events/verification": Route(LOG_READERS),
    "GET /events/{event_id}": Route(LOG_READERS),
    "GET /checkout-log": Route(LOG_READERS),
    "GET /sessions": Route(),
    "POST /sessions": Route(status=201, body=_always(SESSION)),
    "GET /sessions/{session_id}": Route(MANAGERS, refused=NOT_FOUND, owner=True),
    "DELETE /sessions/{session_id}": Route(
        frozenset(), refused=NOT_FOUND, differs=dict.fromkeys(MANAGERS, NOT_ALLOWED), owner=True, open_over_limit=True
    ),
    "POST /sessions/{session_id}/renew": Route(
        frozenset(), body=_renewal, refused=NOT_FOUND, differs=dict.fromkeys(MANAGERS, NOT_ALLOWED), owner=True
    ),
    "POST /sessions/{session_id}/end": Route(ADMINISTRATOR),
    "POST /sessions/end": Route(ADMINISTRATOR, body=_of_ids("session_id")),
    "GET /sessions/settings": Route(MANAGERS),
    "PATCH /sessions/settings": Route(ADMINISTRATOR, body=_always({"minutes": 45})),
    "GET /pools": Route(MANAGERS),
    "PUT /pools": Route(
        ADMINISTRATOR, body=_always({"product": DESKTOP, "feature": "Advanced", "group": "crew", "maximum": 4})
    ),
    "DELETE /pools": Route(ADMINISTRATOR, query=f"product={DESKTOP}&feature=Advanced"),
    "GET /policies": Route(MANAGERS),
    "PUT /policies": Route(
        ADMINISTRATOR,
        body=_always(
            {"level": "group", "subject": "crew", "product": PRO, "allowed": True, "longest_days": 9, "default_days": 3}
        ),
    ),
    "DELETE /policies": Route(ADMINISTRATOR, query="level=group&subject=crew"),
    "GET /policies/effective": Route(MANAGERS, query=f"member=ada&product={PRO}", owner=True),
    "GET /authorization": Route(MANAGERS),
    "POST /authorization": Route(ADMINISTRATOR, 201, body=_authorization),
    "GET /keys": Route(ADMINISTRATOR),
    "POST /keys": Route(ADMINISTRATOR, 201, body=_always({"uses": ["borrow"]})),
    "GET /keys/public": Route(ADMINISTRATOR),
    "POST /keys/{kid}/retire": Route(ADMINISTRATOR, body=_always({"stolen": True, "dry_run": True})),
    "GET /api-keys": Route(ADMINISTRATOR),
    "POST /api-keys": Route(ADMINISTRATOR, 201, body=_always({"username": "ada", "name": "script"})),
    "DELETE /api-keys/{key_id}": Route(ADMINISTRATOR),
    "GET /channels": Route(ADMINISTRATOR),
    "POST /channels": Route(
        ADMINISTRATOR, 201, body=_always({"name": "other", "type": "webhook", "address": "https://alerts.example.org/"})
    ),
    "GET /channels/{channel_id}": Route(ADMINISTRATOR),
    "PATCH /channels/{channel_id}": Route(ADMINISTRATOR, body=_always({"paused": True})),
    "DELETE /channels/{channel_id}": Route(ADMINISTRATOR),
    "POST /channels/{channel_id}/test": Route(ADMINISTRATOR, body=_always({})),
    "GET /notices": Route(ADMINISTRATOR),
    "GET /notices/settings": Route(ADMINISTRATOR),
    "PATCH /notices/settings": Route(ADMINISTRATOR, body=_always({"denials": 20})),
    "GET /members": Route(MANAGERS),
    "POST /members": Route(ADMINISTRATOR, 201, body=_always({"username": "new", "user_type": "Viewer"})),
    "POST /members/change": Route(
        ADMINISTRATOR, body=_always({"usernames": ["ada"], "change": {"add_groups": ["night"]}, "one_by_one": True})
    ),
    "POST /members/remove": Route(ADMINISTRATOR, body=_always({"usernames": ["ada"], "release": True})),
    "POST /members/import": Route(ADMINISTRATOR, body=_always({"csv": "username,full_name\r\nada,Ada\r\nnew,New\r\n"})),
    "GET /members/defaults": Route(MANAGERS),
    "PUT /members/defaults": Route(ADMINISTRATOR, body=_always({"user_type": "Creator", "add_ons": {PRO: "Basic"}})),
    "GET /members/{username}": Route(MANAGERS, owner=True),
    "PATCH /members/{username}": Route(ADMINISTRATOR, body=_always({"full_name": "Ada"})),
    "DELETE /members/{username}": Route(ADMINISTRATOR, query="release=true"),
    "GET /assignments": Route(MANAGERS),
    "POST /assignments": Route(
        MANAGERS, body=_always({"assignments": [{"username": "ada", "product": PRO, "level": "Basic"}]})
    ),
    "POST /assignments/remove": Route(MANAGERS, body=_always({"licenses": [{"username": "ada", "product": PRO}]})),
    "DELETE /assignments": Route(MANAGERS, query=f"username=ada&product={PRO}"),
    "GET /availability": Route(MANAGERS),
    "GET /license-activity": Route(MANAGERS, query=f"product={PRO}"),
    "GET /me": Route(),
    "POST /me/password": Route(
        frozenset(),
        body=_always({"old_password": PASSWORD, "new_password": "another long password"}),
        differs=dict.fromkeys(Role, NOT_ALLOWED),
        owner=True,
    ),
    "GET /me/sign-ins": Route(),
    "DELETE /me/sign-ins": Route(),
    "DELETE /me/sign-ins/{sign_in_id}": Route(frozenset(), refused=NOT_FOUND, owner=True),
    "GET /members/{username}/sign-ins": Route(ADMINISTRATOR, owner=True),
    "DELETE /members/{username}/sign-ins": Route(ADMINISTRATOR, owner=True),
    "DELETE /members/{username}/sign-ins/{sign_in_id}": Route(ADMINISTRATOR, owner=True),
    "POST /me/download-request": Route(frozenset(), differs=dict.fromkeys(Role, NOT_ALLOWED), owner=True),
    "GET /openapi.json": Route(is_public=True),
    "GET /docs": Route(is_public=True),
    "GET /docs/": Route(status=308, is_public=True),
    "GET /docs/{resource}": Route(is_public=True),
    "GET /": Route(is_public=True),
    "GET /healthz": Route(is_public=True),
    "GET /readyz": Route(is_public=True),
    "GET /metrics": Route(LOG_READERS),
}
# What an administrator's key of a scope may ask, written out; everything else is refused to it, and `read` reads all there is.
READING = frozenset(name for name, route in ROUTES.items() if name.startswith("GET ") and not route.is_public)
SCOPED: dict[Scope, frozenset[str]] = {
    Scope.ALL: frozenset(ROUTES),
    Scope.READ: READING | {"POST /carried-files"},
    Scope.OWN: frozenset({"GET /borrows", "GET /sessions", "POST /sessions", "GET /me", "POST /carried-files"}),
    Scope.BORROWS: frozenset(
        {
            *("GET /borrows", "GET /borrows/{borrow_id}", "GET /borrows/{borrow_id}/file", "POST /borrows"),
            *("POST /borrows/{borrow_id}/revoke", "POST /borrows/{borrow_id}/release", "POST /borrows/{borrow_id}/clock-reset"),
            *("POST /borrows/revoke", "POST /borrows/release", "POST /check-ins", "GET /offline", "GET /overview", "GET /me"),
            *("GET /sessions", "GET /sessions/{session_id}", "POST /sessions", "POST /sessions/{session_id}/end"),
            *("POST /sessions/end", "GET /sessions/settings", "GET /pools", "GET /policies", "GET /policies/effective"),
            *("GET /license-activity", "POST /carried-files"),
        }
    ),
    Scope.LICENSES: frozenset(
        {
            *("GET /assignments", "POST /assignments", "POST /assignments/remove", "DELETE /assignments", "GET /availability"),
            *("GET /authorization", "GET /members", "GET /members/{username}", "GET /members/defaults", "POST /carried-files"),
        }
    ),
    Scope.MEMBERS: frozenset(
        {
            *("GET /members", "POST /members", "POST /members/change", "POST /members/remove", "GET /members/{username}"),
            *("PATCH /members/{username}", "DELETE /members/{username}", "GET /members/defaults", "PUT /members/defaults"),
            *("GET /members/{username}/sign-ins", "DELETE /members/{username}/sign-ins", "POST /carried-files"),
            "DELETE /members/{username}/sign-ins/{sign_in_id}",
        }
    ),
    Scope.LOG: frozenset(
        {
            "GET /events",
            "GET /events/checkpoint",
            "GET /events/verification",
            "GET /events/{event_id}",
            "GET /checkout-log",
            "GET /metrics",
            "POST /carried-files",
        }
    ),
    Scope.AUTHORITY: frozenset(
        {
            *("PATCH /sessions/settings", "PUT /pools", "DELETE /pools", "PUT /policies", "DELETE /policies"),
            *("POST /authorization", "GET /keys", "POST /keys", "GET /keys/public", "POST /keys/{kid}/retire"),
            *("GET /api-keys", "DELETE /api-keys/{key_id}", "POST /carried-files"),
            *("GET /channels", "POST /channels", "GET /channels/{channel_id}", "PATCH /channels/{channel_id}"),
            *("DELETE /channels/{channel_id}", "POST /channels/{channel_id}/test"),
            *("GET /notices", "GET /notices/settings", "PATCH /notices/settings"),
        }
    ),
}
BARE = {"/docs", "/docs/", "/docs/{resource}", "/", "/openapi.json", "/healthz", "/readyz", "/metrics"}


def path_of(name: str, world: World, /, **ids: str) -> str:
    """The path of a route about what ada has, or about the `ids` in its place; without a query."""
    path = name.partition(" ")[2]
    return path.format(**(world.ids | ids)) if path in BARE else (API + path).format(**(world.ids | ids))


def send(world: World, name: str, role: Role | None = Role.ADMINISTRATOR, *, owner: bool = False, **more: Any) -> Any:
    """The good request of a route, by somebody of the role, by nobody, or by ada herself; `more` takes the place of its parts."""
    route = ROUTES[name]
    query = more.pop("query", route.query)
    path = more.pop("path", None) or path_of(name, world)
    if route.body is not None and not {"json", "data"} & more.keys():
        more["json"] = route.body(world)
    if owner:
        role, more["headers"] = None, {"Authorization": f"Bearer {world.ada_secret}"}
    return world.web.send(name.partition(" ")[0], f"{path}?{query}" if query else path, role, **more)
