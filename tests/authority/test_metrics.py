"""`GET /metrics`: who gets it, what it says, over several workers and a restart, and when the database says nothing."""

from __future__ import annotations

import http.client
import math
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import BorrowRefused, StorageUnavailable
from authority.services import backing_up, notifying, seals
from authority.services.unit import Unit
from authority.signing.floors import Floor, Numbered
from authority.storage.db.database import Database
from authority.web import request_times
from authority.web.application import create_app
from authority.web.problems import HTTP_CODES, STATUS
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console
from tests.support.servers import running_server
from tests.support.web import Web, make_web

PRO = "arcgis-pro"
SCRAPER = {"REMOTE_ADDR": "10.1.2.3"}


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of an exposition, by name and labels, as Prometheus' own library reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def values(text: str, name: str) -> dict[str, float]:
    """The values of a metric by its labels, joined."""
    return {" ".join(value for _, value in labels): number for (own, labels), number in samples(text).items() if own == name}


@pytest.fixture
def web(bench: Bench) -> Web:
    return make_web(bench)


@ON_SQLITE
def test_who_may_read_the_log_gets_it_and_a_stranger_learns_nothing(web: Web) -> None:
    may = {role for role in Role if web.send("GET", "/metrics", role).status_code == 200}
    assert may == {Role.ADMINISTRATOR, Role.ANALYST}
    assert web.send("GET", "/metrics", Role.MEMBER).status_code == 403
    answer = web.send("GET", "/metrics", None)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "not-authenticated")
    assert "carnet_" not in answer.get_data(as_text=True)


@ON_SQLITE
def test_a_network_of_the_settings_needs_no_token_unless_a_proxy_is_between(bench: Bench) -> None:
    client = create_app(bench.authority, metrics_networks=["10.0.0.0/8"]).test_client()
    assert client.get("/metrics", environ_base=SCRAPER).status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 401
    for header in ("X-Forwarded-For", "Forwarded"):
        assert client.get("/metrics", environ_base=SCRAPER, headers={header: "10.1.2.3"}).status_code == 401
    behind = create_app(bench.authority, ["10.0.0.0/8"], metrics_networks=["10.0.0.0/8"]).test_client()
    assert behind.get("/metrics", environ_base=SCRAPER, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 401


def test_it_says_what_the_database_knows(web: Web) -> None:
    bench = web.bench
    text = web.send("GET", "/metrics", Role.ANALYST).get_data(as_text=True)
    for name in ("backup", "notification_run", "seal"):
        assert values(text, f"carnet_{name}_age_seconds") == {"": math.inf}, name
    assert values(text, "carnet_borrows_out")[PRO] == 0
    actor = bench.member("ada")
    free = values(text, "carnet_seats_free")[f"Advanced {PRO}"]
    issued_to(bench, actor, workstation("laptop"))
    with pytest.raises(BorrowRefused):
        issued_to(bench, actor, workstation("tower"))
    seals.seal(Unit(bench.authority, CONSOLE))
    with (bench.home / "a.backup").open("xb") as stream:
        manifest = backing_up.write(Unit(bench.authority, CONSOLE), stream)
    backing_up.note(Unit(bench.authority, CONSOLE), manifest)
    notifying.run(bench.authority)
    bench.clock.turn(minutes=5)
    text = web.send("GET", "/metrics", Role.ANALYST).get_data(as_text=True)
    assert values(text, "carnet_borrows_out")[PRO] == 1
    assert values(text, "carnet_denials_last_day") == {"already-borrowed": 1}
    assert values(text, "carnet_seats_free")[f"Advanced {PRO}"] == free - 1
    for name in ("backup", "notification_run", "seal"):
        assert 300 <= values(text, f"carnet_{name}_age_seconds")[""] < 302, name
    assert values(text, "carnet_members") == {"": len({*Role, "admin", "ada"})}
    unit = Unit(bench.authority, CONSOLE)
    with unit.reading():
        remaining = (unit.authorization.ends_at - bench.clock()).total_seconds()
    assert values(text, "carnet_authorization_remaining_seconds") == {"": remaining}
    assert set(values(text, "carnet_key_remaining_seconds")) == {"borrow", "status"}
    assert min(values(text, "carnet_key_remaining_seconds").values()) > 0
    assert values(text, "carnet_database_behind") == {"": 0}
    assert values(text, "carnet_status_list_places_taken") == {"": 1}
    bench.clock.turn(days=20)
    text = web.send("GET", "/metrics", Role.ANALYST).get_data(as_text=True)
    assert (values(text, "carnet_borrows_out")[PRO], values(text, "carnet_borrows_overdue")[""]) == (0, 1)


@ON_SQLITE
def test_labels_are_few_whatever_strangers_send(web: Web) -> None:
    for number in range(20):
        web.client.open(f"/nothing/{number}", method=f"M{number}")
        web.client.get(f"/api/v1/members/nobody{number}")
        web.client.post(f"/console/nothing{number}")
    text = web.send("GET", "/metrics").get_data(as_text=True)
    names = values(text, "carnet_http_request_duration_seconds_count")
    # The bounds of a parameter are part of its rule.
    assert not [name for name in names if any(char.isdigit() for char in re.sub(r"<.*?>", "", name.replace("/api/v1", "")))]
    assert names["other other"] >= 20
    assert names["GET /api/v1/members/<username>"] >= 20
    # The figures are the process's: what other tests in it were refused is there too.
    codes = {"other", *STATUS, *(code for code, _ in HTTP_CODES.values()), "http-error", "internal-error"}
    assert {"not-found", "not-authenticated"} <= values(text, "carnet_http_refusals_total").keys() <= codes


@ON_SQLITE
def test_a_database_that_does_not_answer_leaves_what_the_server_knows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(bench.authority, metrics_networks=["10.1.2.3"]).test_client()
    secret = make_web(bench).secrets[Role.ANALYST]

    def gone(_: Database) -> Any:
        raise StorageUnavailable("the database does not answer")

    monkeypatch.setattr(Database, "read", gone)
    answer = client.get("/metrics", environ_base=SCRAPER)
    text = answer.get_data(as_text=True)
    assert (answer.status_code, values(text, "carnet_database_up")) == (200, {"": 0})
    assert "carnet_borrows_out" not in text
    assert values(text, "carnet_http_request_duration_seconds_count")
    assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == 503


def test_files_of_workers_have_no_holes_and_those_of_a_killed_server_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(request_times.FOLDER, raising=False)
    with request_times.shared():
        (first,) = tmp_path.iterdir()
        left_over = tmp_path / f"{request_times.PREFIX}killed"
        left_over.mkdir()
        (left_over / request_times.LOCK).touch()
        with request_times.shared():
            assert not left_over.exists()
            (second,) = set(tmp_path.iterdir()) - {first}
            request_times.prepare()
            files = list(second.glob("*.db"))
            assert sorted(path.name.partition("_")[0] for path in files) == ["counter", "histogram"]
            assert all(path.stat().st_blocks * 512 >= path.stat().st_size > 0 for path in files)
        assert list(tmp_path.iterdir()) == [first]
    assert list(tmp_path.iterdir()) == []


def _get(port: int, path: str, secret: str = "") -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {secret}"} if secret else {})
        return connection.getresponse().read().decode()


def test_two_workers_are_one_server_and_a_restart_begins_anew(empty: Console, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    secret = empty.good("init", "--org", "Field Survey")["admin"]["api_key"]
    name = "carnet_http_request_duration_seconds"
    for workers in (2, 1):
        with running_server(empty.home, "--workers", str(workers), TMPDIR=str(temporary)) as server:
            sent = 0
            while sent < 10 or (sent < 5000 and _workers(temporary) < workers):
                _get(server.port, "/readyz")
                sent += 1
            assert _workers(temporary) == workers
            for _ in range(3 * workers):
                text = _get(server.port, "/metrics", secret)
                assert values(text, f"{name}_count")["GET /readyz"] == sent
            buckets = [number for label, number in values(text, f"{name}_bucket").items() if "/readyz" in label]
            assert (max(buckets), sorted(buckets)) == (sent, buckets)
            server.process.terminate()
            server.process.wait(30)
        assert list(temporary.iterdir()) == []


def _workers(temporary: Path) -> int:
    """How many workers have noted an answer to /readyz."""
    return sum(b"/readyz" in path.read_bytes() for path in temporary.glob("*/histogram_*.db"))


@ON_SQLITE
def test_the_documentation_names_every_metric_and_no_other(web: Web) -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
    families = text_string_to_metric_families(web.send("GET", "/metrics").get_data(as_text=True))
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    named = {name for line in page.splitlines() if line.startswith("| `") for name in re.findall(r"`(carnet_\w+)`", line)}
    assert {name for name in names if not name.endswith("_created")} - {"carnet_members_limit"} == named - {
        "carnet_members_limit"
    }


@ON_SQLITE
def test_a_database_that_is_behind_says_so(web: Web) -> None:
    unit = Unit(web.bench.authority, CONSOLE)
    with unit.reading():
        number = unit.authorization.seq + 1
    web.bench.authority.floors.raise_to(Floor(authorization=Numbered(number, "a text that went out")))
    assert values(web.send("GET", "/metrics").get_data(as_text=True), "carnet_database_behind") == {"": 1}
