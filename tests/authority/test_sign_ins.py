"""Sign-ins are listed and ended, by whose they are, by an administrator and by a new password; and when each was used last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import ANYBODY, CONSOLE, Role
from authority.domain.refusals import InvalidInput, NotAllowed, NotAuthenticated, NotFound
from authority.domain.sign_ins import Origin
from authority.services import access, me, member_changes, members, tries
from authority.services.member_changes import Change
from authority.services.unit import Secret, Unit
from authority.web.application import create_app
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.authorities import ON_SQLITE, Bench, actor_of
from tests.support.console import Console
from tests.support.database_contents import log_rows, unchanged
from tests.support.web import API, Web, make_web, problem

PASSWORD, ANOTHER = "correct horse battery staple", "another good password"
HOME = Origin("192.0.2.7", "Mozilla/5.0")


def signed_in(bench: Bench, username: str = "ada", *, remember: bool = False, origin: Origin = HOME) -> str:
    return access.sign_in(Unit(bench.authority, ANYBODY), username, PASSWORD, remember=remember, origin=origin)[0]


def by(bench: Bench, secret: str) -> Unit:
    return Unit(bench.authority, Secret(secret))


def is_good(bench: Bench, secret: str) -> bool:
    try:
        actor_of(bench, secret)
    except NotAuthenticated:
        return False
    return True


def ended_rows(bench: Bench) -> list[tuple[str, str, str]]:
    return [(row["actor"], row["member"], row["reason"]) for row in log_rows(bench.authority.database, "signed-out")]


@ON_SQLITE
def test_sign_ins_that_are_good_are_listed_with_where_and_since_when(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    first = signed_in(bench, remember=True)
    bench.clock.turn(minutes=5)
    signed_in(bench, origin=Origin("2001:db8::/64"))
    access.sign_out(Unit(bench.authority, ANYBODY), signed_in(bench))
    bench.clock.turn(hours=2)
    page, cursor = access.sign_ins_of(by(bench, first))
    assert cursor is None
    newer, older = page
    assert (older.address, older.agent, older.expires_at, older.is_current) == ("192.0.2.7", "Mozilla/5.0", None, True)
    assert (newer.address, newer.agent, newer.is_current) == ("2001:db8::/64", None, False)
    assert newer.expires_at == newer.created_at + timedelta(hours=12)
    assert newer.last_used_at == newer.created_at
    bench.clock.turn(hours=10)
    assert [item.id for item in access.sign_ins_of(Unit(bench.authority, CONSOLE), "ADA")[0]] == [older.id]
    assert ended_rows(bench) == [("ada", "ada", "signed out: 1 sign-in")]


def test_the_last_use_is_kept_to_an_hour_and_most_requests_write_nothing(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    secret = signed_in(bench)
    key, made = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "script")
    began = bench.clock()
    for _ in range(3):
        bench.clock.turn(minutes=20)
        with unchanged(bench.authority.database):
            me.show(by(bench, secret))
            me.show(by(bench, key))
    bench.clock.turn(seconds=1)
    me.show(by(bench, secret))
    with by(bench, key).writing():
        pass
    with unchanged(bench.authority.database):
        me.show(by(bench, secret))
    (item,) = access.sign_ins_of(by(bench, secret))[0]
    assert item.last_used_at == bench.clock() == began + timedelta(hours=1, seconds=1)
    with bench.authority.database.read() as connection:
        at = connection.exec_driver_sql(f"SELECT last_used_at FROM credentials WHERE id = '{made.id}'").scalar_one()  # noqa: S608
    assert at == item.last_used_at.timestamp() * 1_000_000


@ON_SQLITE
def test_members_end_their_own_and_nobody_elses(bench: Bench) -> None:
    for name in ("ada", "bob"):
        bench.member(name, password=PASSWORD)
    here, there, others = signed_in(bench), signed_in(bench), signed_in(bench, "bob")
    (bobs,) = access.sign_ins_of(by(bench, others))[0]
    theirs = next(item.id for item in access.sign_ins_of(by(bench, here))[0] if not item.is_current)
    with unchanged(bench.authority.database):
        for unit, username, error in (
            (by(bench, here), None, NotFound),
            (by(bench, here), "ada", NotFound),
            (by(bench, here), "bob", NotAllowed),
            (by(bench, here), "nobody", NotAllowed),
        ):
            with pytest.raises(error):
                access.end_sign_ins(unit, username, [bobs.id])
        with pytest.raises(NotAllowed, match="no member"):
            access.end_sign_ins(Unit(bench.authority, CONSOLE))
        with pytest.raises(NotFound):
            access.end_sign_ins(by(bench, here), None, [theirs, "unknown"])
        assert access.end_sign_ins(by(bench, here), None, [theirs], dry_run=True)[0].id == theirs
    assert [item.id for item in access.end_sign_ins(by(bench, here), None, [theirs])] == [theirs]
    assert access.end_sign_ins(by(bench, here), None, [theirs]) == []
    assert (is_good(bench, here), is_good(bench, there), is_good(bench, others)) == (True, False, True)


@ON_SQLITE
def test_signing_out_everywhere_leaves_what_was_asked_for(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    here, there = signed_in(bench), signed_in(bench, remember=True)
    key, _ = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "script")
    assert len(access.end_sign_ins(by(bench, here), keep_current=True)) == 1
    assert (is_good(bench, here), is_good(bench, there), is_good(bench, key)) == (True, False, True)
    assert len(access.end_sign_ins(by(bench, here))) == 1
    assert (is_good(bench, here), is_good(bench, key)) == (False, True)


@ON_SQLITE
def test_t34_a_new_password_by_an_administrator_ends_sign_ins_and_names_the_keys(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    secrets = [signed_in(bench), signed_in(bench)]
    key, made = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "script")
    done = member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(password=ANOTHER)).access
    assert (done.ended_sign_ins, [item.id for item in done.api_keys], done.revoked_api_keys) == (2, [made.id], ())
    assert [is_good(bench, secret) for secret in (*secrets, key)] == [False, False, True]
    assert ended_rows(bench) == [("console", "ada", "new password: 2 sign-ins")]
    done = member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(password=PASSWORD, revoke_keys=True)).access
    assert (done.api_keys, [item.id for item in done.revoked_api_keys]) == ((), [made.id])
    assert not is_good(bench, key)
    assert [row["reason"] for row in log_rows(bench.authority.database, "api-key-revoked")] == [f"script ({made.id})"]


@ON_SQLITE
def test_t34_ones_own_new_password_ends_all_other_sign_ins_and_names_the_keys(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    here, there = signed_in(bench), signed_in(bench)
    key, made = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "script")
    with unchanged(bench.authority.database, but=["sign_in_tries"]):
        with pytest.raises(NotAllowed, match="another one"):
            me.change_password(by(bench, here), ANOTHER, PASSWORD, HOME)
        with pytest.raises(InvalidInput):
            me.change_password(by(bench, here), PASSWORD, "short", HOME)
    done = me.change_password(by(bench, here), PASSWORD, ANOTHER, HOME)
    assert (done.ended_sign_ins, [item.id for item in done.api_keys]) == (1, [made.id])
    assert [is_good(bench, secret) for secret in (here, there, key)] == [True, False, True]
    assert me.change_password(by(bench, here), ANOTHER, PASSWORD, HOME, revoke_keys=True).revoked_api_keys
    assert not is_good(bench, key)


@ON_SQLITE
def test_t34_a_sign_in_with_the_password_of_before_does_not_outlive_the_new_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is compared outside of a transaction, and changed meanwhile."""
    bench.member("ada", password=PASSWORD)
    compare = tries.check_password

    def slowly(*arguments: Any) -> Any:
        passed = compare(*arguments)
        member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(password=ANOTHER))
        return passed

    monkeypatch.setattr(tries, "check_password", slowly)
    with pytest.raises(NotAuthenticated, match="invalid user name or password"):
        signed_in(bench)


@ON_SQLITE
def test_sign_ins_that_ended_long_ago_go_and_those_that_are_good_stay(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    remembered = signed_in(bench, remember=True)
    signed_in(bench)
    bench.clock.turn(days=91)
    signed_in(bench)
    with bench.authority.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM credentials WHERE kind = 'sign-in'").scalar_one() == 2
    assert is_good(bench, remembered)


def test_pages_of_sign_ins_follow_each_other(sqlite_bench: Bench) -> None:
    sqlite_bench.member("ada", password=PASSWORD)
    secrets = [signed_in(sqlite_bench) for _ in range(5)]
    seen, cursor = [], None
    while True:
        page, cursor = access.sign_ins_of(by(sqlite_bench, secrets[0]), None, cursor, 2)
        seen += [item.id for item in page]
        if cursor is None:
            break
    assert len(set(seen)) == len(seen) == 5
    with pytest.raises(InvalidInput, match="cursor"):
        access.sign_ins_of(by(sqlite_bench, secrets[0]), None, "A" * 22)


def test_over_http_who_may_sees_and_ends_and_a_proxy_that_is_trusted_names_the_address(sqlite_bench: Bench) -> None:
    web: Web = make_web(sqlite_bench)
    sqlite_bench.member("ada", password=PASSWORD)
    client = create_app(sqlite_bench.authority, ["10.0.0.0/8"]).test_client()

    def sign_in(peer: str, forwarded: str) -> str:
        answer = client.post(
            f"{API}/sign-in",
            json={"username": "ada", "password": PASSWORD},
            headers={"X-Forwarded-For": forwarded, "User-Agent": "carnet/1"},
            environ_overrides={"REMOTE_ADDR": peer},
        )
        return str(answer.get_json()["token"])

    token = sign_in("10.1.1.1", "6.6.6.6, 192.0.2.7, 10.2.2.2")
    sqlite_bench.clock.turn(seconds=1)
    sign_in("192.0.2.8", "6.6.6.6")
    items = web.get("/members/ada/sign-ins").get_json()["items"]
    assert [(item["address"], item["agent"], item["current"]) for item in items] == [
        ("192.0.2.8", "carnet/1", False),
        ("192.0.2.7", "carnet/1", False),
    ]
    assert token not in str(items)
    own = web.get("/me/sign-ins", None, headers={"Authorization": f"Bearer {token}"}).get_json()["items"]
    assert [item["current"] for item in own] == [False, True]
    problem(web.get("/members/ada/sign-ins", Role.LICENSE_MANAGER), 403, "not-allowed")
    dry = web.send("DELETE", f"{API}/members/ada/sign-ins?dry_run=true").get_json()["items"]
    assert [item["id"] for item in dry] == [item["id"] for item in items]
    assert is_good(sqlite_bench, token)
    assert web.send("DELETE", f"{API}/members/ada/sign-ins/{own[1]['id']}").get_json()["items"][0]["id"] == own[1]["id"]
    assert not is_good(sqlite_bench, token)


def test_who_is_disabled_and_enabled_again_has_none_of_the_earlier_sign_ins(sqlite_bench: Bench) -> None:
    web = make_web(sqlite_bench)
    sqlite_bench.member("ada", password=PASSWORD)
    token = access.sign_in(Unit(sqlite_bench.authority, ANYBODY), "ada", PASSWORD, remember=True)[0]
    key = access.create_api_key(Unit(sqlite_bench.authority, CONSOLE), "ada", "x")[0]
    for path, body in (
        ("/members/ada?dry_run=true", {"disabled": True}),
        ("/members/ada", {"disabled": True}),
        ("/members/ada", {"disabled": False}),
    ):
        changed = web.send("PATCH", API + path, json=body).get_json()
        assert changed["access"]["ended_sign_ins"] == int(body["disabled"]), path
        assert is_good(sqlite_bench, token) == ("dry_run" in path)
    assert is_good(sqlite_bench, key)


def test_commands_list_and_end_sign_ins(console: Console) -> None:
    authority = open_authority(load({}, str(console.home)))
    members.add(Unit(authority, CONSOLE), members.NewMember("grace", password=PASSWORD))
    for _ in range(3):
        access.sign_in(Unit(authority, ANYBODY), "grace", PASSWORD, origin=HOME)
    authority.database.close()
    items = console.good("sign-in", "list", "grace")
    assert [item["address"] for item in items] == ["192.0.2.7"] * 3
    assert console.good("sign-in", "end", "grace", "--all", "--dry-run")["items"] == items
    assert console.good("sign-in", "end", "grace", items[0]["id"])["items"] == items[:1]
    assert "ended the sign-in" in console.run("sign-in", "end", "grace", "--all").out
    assert "signed in nowhere" in console.run("sign-in", "end", "grace", "--all").out
    assert console.run("sign-in", "end", "grace").status == 2
    console.refused("not-found", 1, "sign-in", "end", "grace", "A" * 22)
    key = console.good("api-key", "create", "grace", "--name", "nightly")
    password = console.home.parent / "password"
    password.write_text(ANOTHER)
    printed = console.run("member", "set", "grace", "--password-file", str(password)).out
    assert f"API key {key['id']} (nightly) goes on" in printed
    assert "--revoke-keys" in printed
    changed = console.good("member", "set", "grace", "--revoke-keys")["access"]
    assert [item["id"] for item in changed["revoked_api_keys"]] == [key["id"]]
