"""What answers a stranger writes nothing, and sends nobody elsewhere; the status list stays fresh all the same."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE
from authority.services import borrow, endings, status_lists
from authority.services.unit import Unit
from authority.signing.keyring import KeyRing
from authority.web import publishing
from authority.web.access import publisher_of
from tests.authority.route_table import BARE, ROUTES
from tests.support.authorities import Bench
from tests.support.borrowing import workstation
from tests.support.console import Console
from tests.support.database_contents import row_counts, unchanged
from tests.support.servers import running_server
from tests.support.web import API, Web, make_web
from verifier.core.keys import decode
from verifier.workstation.carry import Wish

PUBLIC_READING = [name.removeprefix("GET ") for name, route in ROUTES.items() if route.is_public and name.startswith("GET ")]


@pytest.fixture
def web(bench: Bench) -> Web:
    return make_web(bench)


def seq_of(file: Any) -> int:
    """The number of the list in a status file."""
    return int(json.loads(decode(file["status_list"].split(".")[1]))["seq"])


def something_ends(web: Web) -> None:
    ada = web.bench.member("ada")
    issued = borrow.issue(Unit(web.bench.authority, ada), workstation("laptop").request(Wish("arcgis-pro"), web.bench.clock()))
    endings.revoke(Unit(web.bench.authority, CONSOLE), issued.borrow.id, "lost")


@pytest.mark.parametrize("path", PUBLIC_READING)
def test_what_a_stranger_reads_writes_nothing_though_a_list_is_due(web: Web, path: str) -> None:
    something_ends(web)
    web.bench.clock.turn(hours=3)
    with unchanged(web.bench.authority.database):
        for headers in ({}, {"Authorization": "Bearer of-nobody"}, {"Authorization": "Basic x"}):
            address = (path if path in BARE else API + path).format(resource="borrows")
            answer = web.client.get(address, headers=headers, follow_redirects=True)
            assert answer.status_code == 200


def test_a_stranger_gets_the_newest_list_that_was_published_and_a_member_all_that_ended(web: Web) -> None:
    something_ends(web)
    before = web.get("/status-list", None).get_json()
    current = web.get("/status-list").get_json()
    assert seq_of(current) == seq_of(before) + 1
    assert web.get("/status-list", None).get_json() == current


def test_the_server_publishes_what_is_due_and_nothing_else(web: Web) -> None:
    publisher, database = publisher_of(web.client.application), web.bench.authority.database
    publisher.publish()
    with unchanged(database):
        assert not publisher.publish()
    something_ends(web)
    assert publisher.publish()
    with unchanged(database):
        assert not publisher.publish()
    web.bench.clock.at += status_lists.REFRESH + timedelta(seconds=1)
    before = row_counts(database)["status_lists"]
    assert publisher.publish()
    assert row_counts(database)["status_lists"] == before + 1


def test_what_stands_in_the_way_of_a_list_is_no_end_of_publishing(web: Web) -> None:
    something_ends(web)
    authority = replace(web.bench.authority, ring=KeyRing({}))
    assert not publishing.Publisher(authority).publish()
    assert publisher_of(web.client.application).publish()


def test_a_served_list_follows_an_ending_by_itself(empty: Console) -> None:
    """Ended over HTTP: within moments. Ended at the console: at the server's next look."""
    secret = empty.good("init", "--org", "Field Survey")["admin"]["api_key"]
    empty.good("member", "add", "ada", "--type", "GIS Professional")
    request = json.loads(Path(empty.request(workstation("laptop"))).read_bytes())["request"]
    with (
        running_server(empty.home) as server,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection,
    ):
        first = server.request(connection, "GET", "/api/v1/status-list", "")[1]
        body = {"request": request, "member": "ada"}
        borrowed = server.request(connection, "POST", "/api/v1/borrows", secret, body)[1]["borrow"]
        assert (
            server.request(connection, "POST", f"/api/v1/borrows/{borrowed['id']}/revoke", secret, {"reason": "lost"})[0] == 200
        )
        deadline = time.monotonic() + publishing.LONGEST_SECONDS / 2
        while (newest := server.request(connection, "GET", "/api/v1/status-list", "")[1]) == first:
            assert time.monotonic() < deadline, "no list was published"
            time.sleep(0.05)
        assert seq_of(newest) > seq_of(first)
        assert server.request(connection, "GET", "/api/v1/status-list", secret)[1] == newest


@pytest.mark.parametrize(
    "path",
    [
        "/api//v1/",
        "//api/v1/me",
        "/api/v1//me",
        "/api/v1/me/",
        "/api/v1/status-list/",
        "//evil.example/",
        "///",
        "/api/v1",
        "/api",
    ]
    + [f"{API}/{path}" for path in PUBLIC_READING if path not in BARE],
)
def test_no_path_is_answered_with_another_address(web: Web, path: str) -> None:
    """A redirect would name the host that the client named."""
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        answer = web.client.open(path, method=method, headers={"Host": "evil.example"})
        assert not 300 <= answer.status_code < 400, (method, path)
        assert "Location" not in answer.headers
        assert "evil.example" not in answer.get_data(as_text=True).replace(path, "")
