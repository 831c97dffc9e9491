"""Signing in and out, API keys, and that no secret is kept."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from authority.domain.members import ANYBODY, CONSOLE, Role
from authority.domain.refusals import InvalidInput, NotAuthenticated, NotFound
from authority.services import access, members
from authority.services.members import NewMember
from authority.services.passwords import hash_password, is_right
from authority.services.unit import Unit
from authority.storage import credentials as stored
from authority.storage.db.tables import credentials
from authority.storage.db.tables import members as members_table
from tests.support.authorities import ON_SQLITE, Bench, actor_of
from tests.support.borrowing import disable
from tests.support.database_contents import log_rows, row_counts

PASSWORD = "correct horse battery staple"


def with_password(bench: Bench, username: str = "ada") -> None:
    members.add(Unit(bench.authority, CONSOLE), NewMember(username, password=PASSWORD))


def test_a_member_signs_in_and_is_known_by_the_token(bench: Bench) -> None:
    with_password(bench)
    secret, ends_at = access.sign_in(Unit(bench.authority, ANYBODY), "ADA", PASSWORD)
    assert ends_at == bench.clock() + timedelta(hours=12)
    actor = actor_of(bench, secret)
    assert (actor.username, actor.role) == ("ada", Role.MEMBER)
    assert [row["actor"] for row in log_rows(bench.authority.database, "signed-in")] == ["ada"]


@ON_SQLITE
def test_every_sign_in_has_a_token_of_its_own(bench: Bench) -> None:
    with_password(bench)
    tokens = {access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)[0] for _ in range(3)}
    assert len(tokens) == 3
    assert all(token.startswith("carnet_si_") and len(token) > 50 for token in tokens)


@ON_SQLITE
@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("ada", "correct horse battery stapl", id="wrong password"),
        pytest.param("ada", "", id="no password"),
        pytest.param("nobody", PASSWORD, id="unknown user"),
        pytest.param("plain", PASSWORD, id="user without a password"),
        pytest.param("gone", PASSWORD, id="disabled user"),
        pytest.param("", "", id="nothing"),
        pytest.param("ada' OR '1'='1", PASSWORD, id="quote"),
        pytest.param("ada", PASSWORD + "x" * 1000, id="long password"),
        pytest.param("a" * 10_000, PASSWORD, id="long name"),
        pytest.param("ada\x00", PASSWORD, id="NUL in the name"),
    ],
)
def test_every_failed_sign_in_says_the_same(bench: Bench, username: str, password: str) -> None:
    with_password(bench)
    with_password(bench, "gone")
    disable(bench, "gone")
    bench.member("plain")
    with pytest.raises(NotAuthenticated) as caught:
        access.sign_in(Unit(bench.authority, ANYBODY), username, password)
    assert caught.value.message == "invalid user name or password"
    assert caught.value.hint == "Check both and try again, or ask the administrator for a new password."
    assert caught.value.evidence == {}
    assert row_counts(bench.authority.database)["credentials"] == 1


def test_an_unknown_user_costs_the_same_work_as_a_wrong_password(sqlite_bench: Bench) -> None:
    with_password(sqlite_bench)

    def seconds(username: str) -> float:
        seconds = []
        for _ in range(5):
            sqlite_bench.clock.turn(days=2)
            begin = time.perf_counter()
            with pytest.raises(NotAuthenticated):
                access.sign_in(Unit(sqlite_bench.authority, ANYBODY), username, "wrong password here")
            seconds.append(time.perf_counter() - begin)
        return min(seconds)

    seconds("nobody")
    known, unknown = seconds("ada"), seconds("nobody")
    assert known / 3 < unknown < known * 3


def test_a_sign_in_ends_after_twelve_hours_to_the_second(bench: Bench) -> None:
    with_password(bench)
    secret, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    bench.clock.turn(hours=12, seconds=-1)
    assert actor_of(bench, secret).username == "ada"
    bench.clock.turn(seconds=1)
    with pytest.raises(NotAuthenticated, match="ended"):
        actor_of(bench, secret)


def test_a_sign_in_made_while_the_clock_was_ahead_is_of_no_use_when_it_is_right_again(bench: Bench) -> None:
    """It would be good for so much longer."""
    bench.member("ada", password=PASSWORD)
    bench.clock.turn(days=40)
    secret, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    assert actor_of(bench, secret).username == "ada"
    bench.clock.turn(days=-40)
    with pytest.raises(NotAuthenticated):
        actor_of(bench, secret)


def test_sign_out_makes_one_sign_in_useless_and_no_other(bench: Bench) -> None:
    with_password(bench)
    first, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    second, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    access.sign_out(Unit(bench.authority, ANYBODY), first)
    access.sign_out(Unit(bench.authority, ANYBODY), first)
    access.sign_out(Unit(bench.authority, ANYBODY), "carnet_si_unknown")
    with pytest.raises(NotAuthenticated):
        actor_of(bench, first)
    assert actor_of(bench, second).username == "ada"


@ON_SQLITE
def test_signing_out_does_not_revoke_an_api_key(bench: Bench) -> None:
    bench.member("ada")
    secret, _ = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "script")
    access.sign_out(Unit(bench.authority, ANYBODY), secret)
    assert actor_of(bench, secret).username == "ada"


def test_an_api_key_acts_as_its_member_until_it_is_revoked(bench: Bench) -> None:
    bench.member("ada", role=Role.ANALYST)
    secret, key = access.create_api_key(Unit(bench.authority, CONSOLE), "ADA", "script")
    assert (key.name, key.member, key.revoked_at) == ("script", "ada", None)
    bench.clock.turn(days=900)
    assert actor_of(bench, secret).role is Role.ANALYST
    with bench.authority.database.write() as connection:
        stored.revoke(connection, key.id, bench.clock())
    with pytest.raises(NotAuthenticated):
        actor_of(bench, secret)


def test_an_api_key_needs_a_member_and_a_printable_name(sqlite_bench: Bench) -> None:
    sqlite_bench.member("ada")
    with pytest.raises(NotFound):
        access.create_api_key(Unit(sqlite_bench.authority, CONSOLE), "nobody", "script")
    for name in ("a\nb", "a" * 129, ""):
        with pytest.raises(InvalidInput):
            access.create_api_key(Unit(sqlite_bench.authority, CONSOLE), "ada", name)
    assert row_counts(sqlite_bench.authority.database)["credentials"] == 1


@ON_SQLITE
def test_a_disabled_member_is_locked_out_at_once(bench: Bench) -> None:
    with_password(bench)
    signed_in, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    key, _ = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "script")
    disable(bench, "ada")
    for secret in (signed_in, key):
        with pytest.raises(NotAuthenticated):
            actor_of(bench, secret)


@pytest.mark.parametrize("secret", ["", "x", "carnet_key_", "carnet_key_" + "A" * 43, "' OR 1=1 --", "\x00"], ids=ascii)
def test_what_is_no_secret_is_not_known(sqlite_bench: Bench, secret: str) -> None:
    with pytest.raises(NotAuthenticated):
        actor_of(sqlite_bench, secret)


def test_secrets_are_in_no_row_of_the_database(bench: Bench) -> None:
    with_password(bench)
    signed_in, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    key, _ = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "script")
    with bench.authority.database.read() as connection:
        rows = [*connection.execute(select(credentials)), *connection.execute(select(members_table))]
    stored = repr([tuple(row) for row in rows])
    assert "$argon2id$" in stored
    for secret in (PASSWORD, signed_in, key, signed_in.split("_", 2)[2], key.split("_", 2)[2]):
        assert secret not in stored


def test_secrets_are_in_no_file_of_the_database(sqlite_bench: Bench, tmp_path: Path) -> None:
    with_password(sqlite_bench)
    signed_in, _ = access.sign_in(Unit(sqlite_bench.authority, ANYBODY), "ada", PASSWORD)
    key, _ = access.create_api_key(Unit(sqlite_bench.authority, CONSOLE), "ada", "script")
    files = [path for path in tmp_path.iterdir() if path.name.startswith("authority.db")]
    assert files
    for path in files:
        data = path.read_bytes()
        for secret in (PASSWORD, signed_in.split("_", 2)[2], key.split("_", 2)[2]):
            assert secret.encode() not in data
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} is open to others"


def test_passwords_are_hashed_with_salt_and_compared_whole() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first != second
    assert first.startswith("$argon2id$")
    assert is_right(PASSWORD, first)
    assert not is_right(PASSWORD.upper(), first)
    assert not is_right(PASSWORD, None)
    assert not is_right("nobody has this password", None)
    assert not is_right(PASSWORD, "not a hash")
    longest = "x" * 256
    assert is_right(longest, hash_password(longest))
    assert not is_right(longest + "y", hash_password(longest))
