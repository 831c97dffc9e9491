"""The connected way, with the real command and an authority over HTTP: the same rules as with carried files."""

from __future__ import annotations

import io
import json
import os
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE
from authority.services import borrow, endings, licenses, member_changes, policies, sessions, status_lists
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from authority.storage.sessions import Filter as SessionFilter
from tests.connected.conftest import PASSWORD, Laptop, RunningServer, serve
from tests.support.borrowing import seats_held
from tests.support.outputs import full_output, reader_gone
from verifier import online
from verifier.addresses import Address
from verifier.cli.main import main
from verifier.errors import AuthorityUnreachable
from verifier.online import Answer
from verifier.workstation import licensing
from verifier.workstation.store import Store

PRO, DESKTOP = "arcgis-pro", "arcgis-desktop"


@pytest.fixture
def ada(server: RunningServer, laptop: Laptop, request: pytest.FixtureRequest) -> Iterator[str]:
    """A member of her own for each test, who is signed in on this machine; the authority's clock is right again afterwards."""
    name = f"ada{abs(hash(request.node.name)) % 10**9}"
    server.member(name)
    laptop.signed_in(server, name)
    server.requests.clear()
    yield name
    server.bench.clock.turned = timedelta()  # type: ignore[attr-defined]


def borrows_of(server: RunningServer, name: str) -> list[Any]:
    return borrow.listed(Unit(server.bench.authority, CONSOLE), Filter(member=name))[0]


def test_the_tasks_of_the_seed_from_the_url_to_the_return(server: RunningServer, laptop: Laptop, ada: str) -> None:
    shown = laptop.run("authority")[1]
    mark = f"* {server.url}, the licensing authority; signed in as {ada}"
    assert shown.splitlines() == [mark, "organization field-survey", f"root key     {server.root}"]
    laptop.answer("alias", "field laptop")
    out = laptop.answer("borrow", PRO, "--days", "3")
    assert (out["license"]["product"], out["license"]["level"]) == (PRO, "Advanced")
    assert laptop.run("check", PRO, "--root", server.root)[0] == 0
    assert laptop.answer("status")["authority"]["url"] == server.url
    assert f"* {server.url}" in laptop.run("status")[1]
    (borrowed,) = borrows_of(server, ada)
    assert (borrowed.machine.alias, borrowed.state(server.bench.authority.now())) == ("field laptop", "active")
    assert laptop.answer("check-in", PRO) == {"ok": True, "product": PRO, "session": False, "seat_free_at": None}
    assert laptop.answer("check", PRO, status=1)["code"] == "given-up"
    assert borrows_of(server, ada)[0].state(server.bench.authority.now()) == "checked-in"
    assert laptop.answer("check-in", PRO)["ok"]
    laptop.answer("sign-out")
    assert laptop.answer("borrow", PRO, status=4)["code"] == "not-signed-in"
    assert laptop.answer("sign-out", status=4)["code"] == "not-signed-in"


def test_a_session_is_started_used_and_ended(server: RunningServer, laptop: Laptop, ada: str) -> None:
    first = laptop.answer("start", DESKTOP)
    assert laptop.run("check", DESKTOP, "--root", server.root)[2] == ""  # no warning of a list that there never is
    assert f"in a session of {ada}" in laptop.run("status")[1]
    server.bench.clock.turn(minutes=10)
    again = laptop.answer("start", DESKTOP)
    assert again["license"]["expires_at"] > first["license"]["expires_at"]
    (session,) = sessions.listed(Unit(server.bench.authority, CONSOLE), SessionFilter(member=ada))[0]
    ended = laptop.answer("check-in", DESKTOP)
    assert (ended["session"], ended["seat_free_at"]) == (True, f"{session.seat_free_at:%Y-%m-%dT%H:%M:%SZ}")
    assert laptop.answer("check", DESKTOP, status=3)["code"] == "no-borrow"
    assert laptop.answer("check-in", DESKTOP, status=3)["code"] == "no-borrow"
    assert laptop.run("return", DESKTOP, "-o", str(laptop.home.parent / "x.return"))[0] == 3


def test_a_session_that_an_administrator_ended_is_told_once_with_the_time_to_save_by(
    server: RunningServer, laptop: Laptop, ada: str
) -> None:
    laptop.answer("start", PRO)
    unit = Unit(server.bench.authority, CONSOLE)
    (session,) = sessions.listed(unit, SessionFilter(member=ada))[0]
    save_by = sessions.end(unit, session.id).save_by
    refusal = laptop.answer("start", PRO, status=4)
    assert refusal["code"] == "session-ended"
    assert f"save your work by {save_by:%Y-%m-%d %H:%M} UTC" in refusal["message"]
    assert refusal["evidence"]["save_by"]
    # The license works until its last grant has ended, which is earlier; whoever asks for it is told both times.
    assert save_by is not None
    assert session.granted_until < save_by
    warning = (
        f"an administrator ended this session: save your work by {save_by:%Y-%m-%dT%H:%M:%SZ}; "
        f"the license itself is good until {session.granted_until:%Y-%m-%dT%H:%M:%SZ}"
    )
    assert f"the license itself is good until {session.granted_until:%Y-%m-%d %H:%M} UTC" in refusal["message"]
    assert warning in laptop.answer("check", PRO)["grant"]["warnings"]
    assert warning in laptop.answer("status")["licenses"][0]["warnings"]
    ended = laptop.answer("check-in", PRO)
    assert (ended["session"], ended["seat_free_at"]) == (True, f"{session.granted_until:%Y-%m-%dT%H:%M:%SZ}")
    laptop.answer("start", PRO)
    (other,) = sessions.listed(unit, SessionFilter(member=ada))[0]
    assert other.id != session.id
    sessions.end(unit, other.id)
    laptop.answer("start", PRO, status=4)
    laptop.answer("start", PRO)
    assert not any("administrator" in warning for warning in laptop.answer("check", PRO)["grant"]["warnings"])


def test_a_session_beside_the_borrow_is_ended_with_it_and_the_time_of_its_seat_is_told(
    server: RunningServer, laptop: Laptop, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, before = Unit(server.bench.authority, CONSOLE), seats_held(server.bench, DESKTOP, "Advanced")
    laptop.answer("start", DESKTOP)
    laptop.answer("check-in", DESKTOP)
    laptop.answer("start", DESKTOP)
    laptop.answer("borrow", DESKTOP, "--days", "3")
    (session,) = sessions.listed(unit, SessionFilter(member=ada))[0]
    free_at = f"{session.granted_until:%Y-%m-%dT%H:%M:%SZ}"
    for _ in range(2):
        out = laptop.run("check-in", DESKTOP)[1]
        assert out.startswith(
            f"checked in {DESKTOP}: it no longer works here; its seat is free at {free_at}, when the last grant"
        )
    assert sessions.listed(unit, SessionFilter(member=ada))[0] == []
    # Of both sessions on this computer a grant may run, and they have one seat.
    assert seats_held(server.bench, DESKTOP, "Advanced") == before + 1
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 1900)
    server.bench.clock.turn(seconds=1900)
    assert seats_held(server.bench, DESKTOP, "Advanced") == before
    assert laptop.run("check-in", DESKTOP)[1].endswith("it no longer works here, and its seat is free\n")


def test_a_session_says_how_long_it_is_good_and_how_it_goes_on(
    server: RunningServer, laptop: Laptop, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.answer("start", DESKTOP)
    assert re.search(r", (29|30) minutes left$", laptop.run("check", DESKTOP)[1])
    assert re.search(r"until +[^ ]+, (29|30) minutes left$", laptop.run("status")[1], re.MULTILINE)
    assert "and is more; for that alone: carnet check-in" in laptop.run("start", DESKTOP, "--level", "Standard")[1]
    assert "and is more" not in laptop.run("start", DESKTOP, "--level", "Advanced")[1]
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 1900)
    refusal = laptop.answer("check", DESKTOP, status=1)
    assert refusal["code"] == "expired"
    assert refusal["hint"].endswith(f"start the session again: carnet start {DESKTOP}.")


def test_a_session_that_time_ended_is_started_anew(server: RunningServer, laptop: Laptop, ada: str) -> None:
    laptop.answer("start", PRO)
    server.bench.clock.turn(minutes=31)
    assert laptop.answer("start", PRO)["offline"] is False


def test_an_offline_license_needs_no_session_and_is_not_replaced_by_one(
    server: RunningServer, laptop: Laptop, ada: str
) -> None:
    licenses.assign(Unit(server.bench.authority, CONSOLE), ada, PRO, "Standard", ("3DAnalyst",))
    laptop.answer("start", PRO)
    laptop.answer("borrow", PRO, "--days", "2")
    server.requests.clear()
    assert laptop.answer("start", PRO, "--level", "Basic")["offline"] is True
    assert server.requests == []
    assert laptop.answer("start", PRO, "--level", "Advanced", status=1)["code"] == "level-not-granted"
    assert laptop.answer("check-in", PRO)["session"] is False


@pytest.mark.parametrize("lost", [1, 3])
def test_t23_a_lost_answer_to_a_borrow_costs_nothing(server: RunningServer, laptop: Laptop, ada: str, lost: int) -> None:
    """With one lost answer the command goes on by itself, with three it is said again: one borrow, one seat, one token."""
    before = seats_held(server.bench, DESKTOP, "Advanced")
    server.to_lose = lost
    if lost == 3:
        refusal = laptop.answer("borrow", DESKTOP, "--days", "2", status=5)
        assert refusal["code"] == "authority-unreachable"
        assert "say the same again" in refusal["hint"].lower()
        assert laptop.answer("check", DESKTOP, status=3)["code"] == "no-borrow"
    laptop.answer("borrow", DESKTOP, "--days", "2")
    assert seats_held(server.bench, DESKTOP, "Advanced") == before + 1
    assert len(borrows_of(server, ada)) == 1
    laptop.answer("check-in", DESKTOP)
    assert seats_held(server.bench, DESKTOP, "Advanced") == before


def test_another_wish_after_a_lost_answer_first_takes_what_was_granted(server: RunningServer, laptop: Laptop, ada: str) -> None:
    server.to_lose = 3
    laptop.answer("borrow", PRO, "--level", "Basic", "--days", "2", status=5)
    refusal = laptop.answer("borrow", PRO, "--level", "Advanced", "--days", "2", status=4)
    assert refusal["code"] == "already-borrowed"
    assert laptop.answer("check", PRO)["grant"]["level"] == "Basic"
    laptop.answer("check-in", PRO)
    assert laptop.answer("borrow", PRO, "--level", "Advanced", "--days", "2")["license"]["level"] == "Advanced"
    laptop.answer("check-in", PRO)


@pytest.mark.parametrize("session", [False, True])
def test_a_borrow_whose_answer_was_lost_is_checked_in_with_what_is_here(
    server: RunningServer, laptop: Laptop, ada: str, *, session: bool
) -> None:
    if session:
        laptop.answer("start", PRO)
    server.to_lose = 3
    laptop.answer("borrow", PRO, "--days", "2", status=5)
    assert len(borrows_of(server, ada)) == 1
    laptop.answer("check-in", PRO)
    assert [str(item.ended_by) for item in borrows_of(server, ada)] == ["checked-in"]
    assert sessions.listed(Unit(server.bench.authority, CONSOLE), SessionFilter(member=ada))[0] == []
    assert licensing.read(Store(laptop.home)).pending == {}


def unheard(*_: Any, **__: Any) -> Any:
    """An exchange in which nothing reaches the authority."""
    raise AuthorityUnreachable("the line is down")


@pytest.mark.parametrize("days", [20, 100])
def test_a_lost_answer_that_has_ended_meanwhile_is_settled_by_that(
    server: RunningServer, laptop: Laptop, ada: str, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """After 20 days the borrow is over, after 100 the authority takes the request no more; both clocks are right all the time."""
    server.to_lose = 0 if days == 100 else 3
    with monkeypatch.context() as patch:
        if days == 100:
            # The request itself was lost.
            patch.setattr(online, "exchange", unheard)
        assert laptop.answer("borrow", PRO, "--days", "5", status=5)["code"] == "authority-unreachable"
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + days * 86_400)
    server.bench.clock.turn(days=days)
    assert laptop.answer("borrow", PRO, "--days", "5")["license"]["level"] == "Advanced"
    assert laptop.run("check", PRO)[0] == 0
    assert licensing.read(Store(laptop.home)).pending == {}


def test_a_lost_answer_whose_list_has_become_too_old_is_settled_by_that(
    server: RunningServer, laptop: Laptop, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In strict mode an answer has the list of when it was made; a new one has a new list."""
    age: dict[str, Any] = {"allowed": None, "longest_days": None, "default_days": None, "status_max_age": 86_400}
    policies.change(Unit(server.bench.authority, CONSOLE), "member", ada, "", **age)
    server.to_lose = 3
    assert laptop.answer("borrow", PRO, "--days", "5", status=5)["code"] == "authority-unreachable"
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 2 * 86_400)
    server.bench.clock.turn(days=2)
    laptop.answer("borrow", PRO, "--days", "5")
    assert laptop.run("check", PRO)[0] == 0


@pytest.mark.parametrize("arguments", [("--days", "5"), ("--days", "6"), ("--level", "Basic")])
def test_a_lost_answer_that_was_released_meanwhile_is_settled_by_that(
    server: RunningServer, laptop: Laptop, ada: str, arguments: tuple[str, ...]
) -> None:
    server.to_lose = 3
    laptop.answer("borrow", PRO, "--days", "5", status=5)
    unit = Unit(server.bench.authority, CONSOLE)
    (out,) = borrows_of(server, ada)
    endings.release(unit, out.id, "the laptop was lost", accept_overlap=True)
    newest = laptop.home.parent / "newest.status"
    newest.write_bytes(status_lists.export(unit))
    laptop.answer("install", str(newest))
    borrowed = laptop.answer("borrow", PRO, *arguments)["license"]
    assert borrowed["level"] == ("Basic" if "Basic" in arguments else "Advanced")
    assert laptop.run("check", PRO)[0] == 0


@pytest.mark.parametrize("command", ["start", "check-in"])
def test_a_lost_answer_to_a_session_or_a_return_costs_nothing(
    server: RunningServer, laptop: Laptop, ada: str, command: str
) -> None:
    if command == "check-in":
        laptop.answer("borrow", DESKTOP, "--days", "2")
        before = seats_held(server.bench, DESKTOP, "Advanced")
        # The question whose borrow it is may be lost, too.
        server.to_lose = 2
        laptop.answer("check-in", DESKTOP)
        assert seats_held(server.bench, DESKTOP, "Advanced") == before - 1
    else:
        before = seats_held(server.bench, DESKTOP, "Advanced")
        server.to_lose = 2
        laptop.answer("start", DESKTOP)
        assert seats_held(server.bench, DESKTOP, "Advanced") == before + 1
        laptop.answer("check-in", DESKTOP)


def test_another_account_checks_nothing_in_and_nothing_stops_working(server: RunningServer, laptop: Laptop, ada: str) -> None:
    laptop.answer("borrow", PRO, "--days", "2")
    laptop.answer("sign-out")
    other = f"not-{ada}"
    server.member(other)
    laptop.signed_in(server, other)
    refusal = laptop.answer("check-in", PRO, status=4)
    assert refusal["code"] == "not-found"
    assert laptop.run("check", PRO)[0] == 0


def test_without_a_line_nothing_stops_working(server: RunningServer, laptop: Laptop, ada: str) -> None:
    laptop.answer("borrow", PRO, "--days", "2")
    stored = laptop.home / "authority.json"
    licensing = json.loads(stored.read_text())
    stored.write_text(json.dumps(licensing | {"url": "http://127.0.0.1:9"}))
    for arguments in (("check-in", PRO), ("borrow", DESKTOP)):
        assert laptop.answer(*arguments, status=5)["code"] == "authority-unreachable"
    assert laptop.run("check", PRO)[0] == 0
    assert laptop.answer("sign-out") == {"ok": True, "authority_told": False}
    stored.write_text(json.dumps(licensing))


def test_a_refusal_has_the_authoritys_code_and_words(server: RunningServer, laptop: Laptop, ada: str) -> None:
    refusal = laptop.answer("borrow", PRO, "--days", "99", status=4)
    assert (refusal["code"], refusal["evidence"]["status"]) == ("duration-too-long", 409)
    status, out, err = laptop.run("borrow", PRO, "--days", "99")
    assert (status, out) == (4, "")
    assert "[duration-too-long]" in err
    assert laptop.answer("start", "arcgis-mars", status=4)["code"] == "no-such-product"
    for arguments in (("borrow", "Arcgis Pro"), ("start", PRO, "--level", ""), ("borrow", PRO, "--until", "2001-01-01")):
        assert laptop.answer(*arguments, status=2)["code"] == "wrong-usage"
    # Nothing is pending after a refusal: another wish is asked at once.
    assert json.loads((laptop.home / "authority.json").read_text())["pending"] == {}


# What a refusal may say: names that have a meaning for errors of the workstation, and values that no JSON has room for.
DEEP: Any = "end"
for _ in range(400):
    DEEP = [DEEP]
SAID_BY_A_SERVER: tuple[tuple[str, Any], ...] = (
    ("exit_status", 0),
    ("exit_status", "abc"),
    *((name, "x") for name in ("as_json", "reason", "self", "hint", "values")),
    ("status", 200),
    ("__class__", "x"),
    ("with_traceback", {"a": DEEP}),
    ("seats", DEEP),
    ("\x1b[2J", 1),
)


def test_what_a_server_says_is_evidence_and_nothing_else(
    server: RunningServer, laptop: Laptop, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SAID_BY_A_SERVER:
        errors = [{"name": name, "value": value}, {"name": "limit", "value": 3}, 7, {"name": ["a"]}]
        refusal = Answer(409, {"code": "pool-exhausted", "detail": "full", "errors": errors})
        monkeypatch.setattr(online, "exchange", lambda *_, refusal=refusal, **__: refusal)
        shown = laptop.answer("start", PRO, status=4)
        assert (shown["ok"], shown["code"], shown["message"]) == (False, "pool-exhausted", "full")
        assert (shown["evidence"]["status"], shown["evidence"]["limit"]) == (409, 3)
        assert len(str(shown["evidence"])) < 500


@pytest.mark.parametrize("name", ["", "x" * 300, "a\x1bb", 7])
def test_a_name_that_could_not_be_kept_signs_nobody_in(
    server: RunningServer, laptop: Laptop, ada: str, monkeypatch: pytest.MonkeyPatch, name: Any
) -> None:
    asked = online.exchange

    def lying(place: Address, method: str, path: str, *rest: Any, **more: Any) -> Answer:
        return Answer(200, {"username": name}) if path == "/me" else asked(place, method, path, *rest, **more)

    monkeypatch.setattr(online, "exchange", lying)
    password = str(laptop.home.parent / "password")
    assert laptop.answer("sign-in", ada, "--password-file", password, status=5)["code"] == "answer-unusable"
    assert laptop.answer("authority")["username"] == ada


def test_a_wrong_password_signs_nobody_in(server: RunningServer, laptop: Laptop, ada: str) -> None:
    laptop.answer("sign-out")
    wrong = laptop.home.parent / "wrong"
    for text, status in (("another password\n", 4), ("", 2)):
        wrong.write_text(text)
        refusal = laptop.answer("sign-in", ada, "--password-file", str(wrong), status=status)
        assert refusal["code"] == ("not-authenticated" if text else "wrong-usage")
    assert laptop.answer("authority")["username"] is None


def test_a_password_file_is_read_as_the_authority_reads_one(
    server: RunningServer, laptop: Laptop, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PowerShell and editors of Windows write a mark before it, and other line breaks."""
    path = laptop.home.parent / "marked"
    for data in (b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\nmore", PASSWORD.encode() + b"\r", PASSWORD.encode()):
        path.write_bytes(data)
        assert laptop.answer("sign-in", ada, "--password-file", str(path))["username"] == ada
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "cp1252"))
        assert laptop.answer("sign-in", ada, "--password-file", "-")["username"] == ada
    for data in (PASSWORD.encode("utf-16"), b"\xff\xfe", b"caf\xe9", b"\xef\xbb\xbf\r\n"):
        path.write_bytes(data)
        assert laptop.answer("sign-in", ada, "--password-file", str(path), status=2)["code"] == "wrong-usage"


def test_a_sign_in_lasts_until_signing_out_or_a_new_password(server: RunningServer, laptop: Laptop, ada: str) -> None:
    server.bench.clock.turn(days=20)
    assert laptop.answer("borrow", PRO, "--until", "2099-01-01", status=4)["code"] == "duration-too-long"
    server.bench.clock.turn(days=-20)
    member_changes.change(Unit(server.bench.authority, CONSOLE), ada, Change(password="a new password for her"))
    refusal = laptop.answer("start", PRO, status=4)
    assert refusal["code"] == "not-authenticated"


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX; Windows seals the file")
def test_a_sign_in_is_kept_for_this_user_alone_and_that_is_said(server: RunningServer, laptop: Laptop, ada: str) -> None:
    assert (laptop.home / "sign-in").stat().st_mode & 0o777 == 0o600
    secret = (laptop.home / "sign-in").read_text()
    assert secret not in (laptop.home / "authority.json").read_text()
    password = laptop.home.parent / "password"
    assert "0600" in laptop.run("sign-in", ada, "--password-file", str(password))[1]
    (laptop.home / "sign-in").chmod(0o644)
    refusal = laptop.answer("start", PRO, status=3)
    assert refusal["code"] == "state-damaged"
    assert "carnet sign-in" in refusal["hint"]
    laptop.answer("sign-out")
    assert not (laptop.home / "sign-in").exists()


def test_trust_in_a_new_authority_is_compared_by_a_person(
    server: RunningServer, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = laptop.answer("authority", server.url, status=3)
    assert (refusal["code"], refusal["evidence"]["thumbprints"]) == ("trust-not-compared", [server.root])
    assert laptop.answer("authority", server.url, "--accept-trust", "A" * 43, status=3)["code"] == "trust-not-compared"
    assert laptop.answer("authority")["url"] is None
    assert laptop.answer("start", PRO, status=5)["code"] == "no-authority"
    assert laptop.answer("authority", f"{server.url}/{'a' * 300}", status=2)["code"] == "wrong-address"
    assert laptop.answer("authority")["url"] is None  # not kept and found too long the next time
    assert laptop.answer("authority", "http://example.org", status=2)["code"] == "wrong-address"
    assert laptop.answer("authority", "--accept-trust", server.root, status=2)["code"] == "wrong-usage"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: server.root)
    status, out, err = laptop.run("authority", server.url)
    assert status == 0
    assert server.root in out
    assert "by another way" in err
    assert laptop.answer("authority", server.url)["roots"] == [server.root]


@pytest.fixture(scope="module")
def other_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    yield from serve(tmp_path_factory.mktemp("other") / "one")


def test_the_licensing_authority_is_changed_when_nothing_is_out_and_its_root_was_compared(
    server: RunningServer, other_served: RunningServer, laptop: Laptop, ada: str
) -> None:
    laptop.answer("borrow", PRO, "--days", "2")
    alias = laptop.answer("alias", "field laptop")["alias"]
    accepted = ("--accept-trust", other_served.root)
    refusal = laptop.answer("authority", other_served.url, *accepted, status=1)
    assert (refusal["code"], refusal["evidence"]["products"]) == ("license-out", [PRO])
    laptop.answer("check-in", PRO)
    assert laptop.answer("authority", other_served.url, "--accept-trust", server.root, status=3)["code"] == "trust-not-compared"
    laptop.answer("authority", other_served.url, *accepted)
    shown = laptop.answer("authority")
    assert (shown["url"], shown["roots"], shown["username"]) == (other_served.url, [other_served.root], None)
    assert laptop.answer("identity")["machine"]["alias"] == alias
    assert "POST /api/v1/sign-out" in server.requests
    other_served.member(ada)
    laptop.signed_in(other_served, ada)
    assert laptop.answer("start", PRO)["ok"]
    assert laptop.run("check", PRO, "--root", server.root)[0] == 1
    assert laptop.run("check", PRO, "--root", other_served.root)[0] == 0


def test_no_password_goes_to_an_address_that_is_another_organizations_by_now(
    server: RunningServer, other_served: RunningServer, laptop: Laptop, ada: str
) -> None:
    stored = laptop.home / "authority.json"
    stored.write_text(json.dumps(json.loads(stored.read_text()) | {"url": other_served.url}))
    other_served.requests.clear()
    password = laptop.home.parent / "password"
    assert laptop.answer("sign-in", ada, "--password-file", str(password), status=1)["code"] == "unknown-key"
    assert other_served.requests == ["GET /api/v1/trust"]


def test_what_is_kept_of_the_authority_is_read_strictly(server: RunningServer, laptop: Laptop, ada: str) -> None:
    path = laptop.home / "authority.json"
    good = json.loads(path.read_text())
    wrong: list[Any] = [
        [],
        {},
        good | {"more": 1},
        good | {"url": 7},
        good | {"told": {PRO: "x"}},
        good | {"told": {PRO: {"session": "A" * 22, "save_by": -1}}},
        good | {"sessions": {PRO: "x"}},
        good | {"pending": {PRO: {"wish": 1, "request": "x"}}},
        good | {"pending": {"../x": {"wish": "x", "request": "x"}}},
    ]
    for value in wrong:
        path.write_text(json.dumps(value))
        assert laptop.answer("start", PRO, status=3)["code"] == "state-damaged"
    path.unlink()
    path.mkdir()
    assert laptop.answer("authority", status=3)["code"] == "state-damaged"


def test_a_request_for_a_session_is_signed_by_the_machine_key(server: RunningServer, laptop: Laptop, ada: str) -> None:
    laptop.answer("start", PRO)
    (session,) = sessions.listed(Unit(server.bench.authority, CONSOLE), SessionFilter(member=ada))[0]
    assert session.machine.key == Store(laptop.home).machine_key_thumbprint()


def test_an_output_that_nobody_takes_undoes_nothing(server: RunningServer, laptop: Laptop, ada: str) -> None:
    password = str(laptop.home.parent / "password")
    for arguments in (("sign-in", ada, "--password-file", password), ("borrow", PRO), ("start", PRO), ("check-in", PRO)):
        with reader_gone("stdout"):
            assert main(["--home", str(laptop.home), *arguments]) == 141
    with full_output():
        assert main(["--home", str(laptop.home), "sign-out"]) == 3
    assert borrows_of(server, ada)[0].state(server.bench.authority.now()) == "checked-in"
    assert laptop.answer("authority")["username"] is None
