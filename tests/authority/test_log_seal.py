"""The seal of the log: what was done to a row behind the authority's back is named, and what cannot be known is said (threat T36)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text, update

from authority.domain import log_seal
from authority.domain.catalogue import KeyUse
from authority.domain.events import Event, EventKind
from authority.domain.log_faults import Examination
from authority.domain.log_seal import PERSONAL, PLAIN
from authority.domain.members import CONSOLE
from authority.domain.refusals import CheckpointUnusable, DatabaseBehind, KeyUnusable, LogNotIntact
from authority.presentation.log_seal import NOT_COMPARED, VerificationShown
from authority.services import authorizations, catching_up, keys, log_verification, seals
from authority.services.unit import Unit
from authority.signing.checkpoints import KnownKeys, read
from authority.signing.floors import Floor, Floors, Numbered
from authority.storage import events as stored_events
from authority.storage import seals as stored
from authority.storage.db.database import Database
from authority.storage.db.tables import checkpoints, events
from tests.support import sealed_logs
from tests.support.authorities import Bench, make_bench
from tests.support.database_contents import unchanged
from tests.support.sealed_logs import changed, exported, newest_checkpoint, sealed_log, unit, verify, verify_lines
from tests.support.vendors import RealVendor, sample_toml
from tests.support.web import make_web
from verifier.core.keys import decode

Change = Callable[[Connection], object]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, list[int]]]:
    """A bench whose log is sealed, and the numbers of its rows; what a test does to it is undone."""
    folder: Path = tmp_path_factory.mktemp("sealed")
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    yield bench, sealed_log(bench)
    bench.authority.database.close()


def test_every_column_of_the_log_is_sealed() -> None:
    assert sorted(PERSONAL + PLAIN) == sorted(events.columns.keys())


def test_what_is_said_of_rows_is_right_of_one_and_of_many() -> None:
    sentences: list[str] = []
    for rows in ([1], [1, 2, 3]):
        examination = Examination(log_seal.start_of("field-survey"), [])
        examination.take([{"id": number} for number in rows], [])
        sentences += [fault.sentence for fault in examination.faults]
    what = "without a seal: put in later, or the seal was removed"
    assert sentences == [f"row 1: {what}", f"rows 1 to 3: {what}"]


def test_a_value_in_any_column_is_sealed_and_so_is_that_there_is_none() -> None:
    row = {"id": 7, "at": 1, "until": None, "quantity": 1, **dict.fromkeys((*PERSONAL, *PLAIN[2:7]), "a")}
    (mark,), _ = log_seal.sealed([row], log_seal.start_of("field-survey"), [b"s" * log_seal.SECRET_BYTES])
    assert log_seal.is_as_sealed(row, mark)
    for name in PERSONAL + PLAIN:
        for other in (None, 0, 2, 1.5, "b", "", b"a", "a ", "\u00e4", True):
            assert not log_seal.is_as_sealed({**row, name: other}, mark) or other == row[name], (name, other)


def test_a_log_that_nobody_touched_is_intact(bench: Bench) -> None:
    numbers = sealed_log(bench)
    sealed_logs.write_rows(bench, 2)
    saved = newest_checkpoint(bench)
    for verification in (verify(bench, saved), verify_lines(bench, exported(bench), saved)):
        assert verification.faults == ()
        assert (verification.rows, verification.last, verification.outside) == (len(numbers), numbers[-1], 1)
    assert verify(bench).waiting == 2
    with changed(bench, sealed_logs.value_changed(numbers[2], "until")):
        assert [fault.first for fault in verify(bench).faults] == [numbers[2]]
    assert seals.state(unit(bench)).waiting == 2


def test_an_export_can_be_verified_by_what_the_page_on_tokens_says(sealed: tuple[Bench, list[int]]) -> None:
    """docs/token-format.md, The seal of the log: written anew from its words, as somebody else would."""

    def sha256(*parts: bytes) -> bytes:
        return hashlib.sha256(b"".join(parts)).digest()

    bench, numbers = sealed
    head, *others = map(json.loads, exported(bench))
    chain = sha256(b"carnet-log-start/1\n", head["organization"].encode())
    rows = [line for line in others if "row" in line]
    for line in rows:
        row, secret = line["row"], bytes.fromhex(line["seal"]["secret"])
        plain = [row[name] for name in ("id", "at", "kind", "mode", "handle", "product", "feature", "quantity", "until")]
        commitments = [
            None if row[name] is None else sha256(sha256(secret, name.encode()), row[name].encode()).hex()
            for name in ("actor", "member", "group", "machine", "alias", "os_user", "reason")
        ]
        text = json.dumps(["carnet-log-row/1", *plain, *commitments], separators=(",", ":"), ensure_ascii=False)
        assert sha256(text.encode()).hex() == line["seal"]["digest"]
        chain = sha256(b"carnet-log-link/1", chain, sha256(text.encode()), row["id"].to_bytes(8, "big"))
        assert chain.hex() == line["seal"]["chain"]
    *_, newest = (line["checkpoint"] for line in others if "checkpoint" in line)
    claims = json.loads(decode(newest.split(".")[1]))
    assert (claims["last"], claims["count"], decode(claims["chain"])) == (numbers[-1], len(rows), chain)


@st.composite
def changes(draw: st.DrawFn, numbers: list[int]) -> tuple[list[int], Change]:
    """Something that somebody does to the log, and the rows that it is about."""
    number = draw(st.sampled_from(numbers))
    other = draw(st.sampled_from([item for item in numbers if item != number]))
    kind = draw(
        st.sampled_from(["value", "value", "value", "gone", "gone with seal", "inserted", "exchanged", "sealed anew", "end"])
    )
    if kind == "value":
        return [number], sealed_logs.value_changed(number, draw(st.sampled_from(sorted(sealed_logs.OTHERS))))
    if kind == "exchanged":
        return [number, other], sealed_logs.exchanged(number, other)
    if kind == "sealed anew":
        number = max(number, numbers[1])
    ways: dict[str, Callable[[int], Change]] = {
        "gone": sealed_logs.row_removed,
        "gone with seal": sealed_logs.removed_with_seal,
        "inserted": sealed_logs.inserted,
        "sealed anew": sealed_logs.sealed_anew,
        "end": sealed_logs.end_cut_off,
    }
    return [number], ways[kind](number)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_t36_whatever_is_done_to_a_row_is_named(sealed: tuple[Bench, list[int]], data: st.DataObject) -> None:
    bench, numbers = sealed
    rows, change = data.draw(changes(numbers))
    with changed(bench, change):
        for verification in (verify(bench), verify_lines(bench, exported(bench))):
            for row in rows:
                assert any(fault.first <= row <= fault.last for fault in verification.faults), verification.faults
    assert verify(bench).faults == ()


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_t36_whatever_is_done_to_the_lines_of_an_export_is_told(sealed: tuple[Bench, list[int]], data: st.DataObject) -> None:
    """All but its first line, without which nothing is verified at all."""
    bench, _ = sealed
    lines = exported(bench)
    place = data.draw(st.integers(1, len(lines) - 1))
    other = data.draw(st.integers(1, len(lines) - 1).filter(lambda item: item != place))
    way = data.draw(st.sampled_from(["gone", "twice", "exchanged", "cut off", "changed"]))
    if way == "gone":
        lines.pop(place)
    elif way == "twice":
        lines.insert(place, lines[place])
    elif way == "exchanged":
        lines[place], lines[other] = lines[other], lines[place]
    elif way == "cut off":
        del lines[place:]
    else:
        value = json.loads(lines[place])
        part = value.get("row", value)
        name = data.draw(st.sampled_from(sorted(part)))
        part[name] = 7 if isinstance(part[name], int) else "A" + str(part[name])[1:] if part[name] else "x"
        if json.dumps(value) == json.dumps(json.loads(lines[place])):
            return
        lines[place] = json.dumps(value) + "\n"
    saved = newest_checkpoint(bench)
    # A line that is no row at all is refused, with its number.
    with contextlib.suppress(CheckpointUnusable):
        assert verify_lines(bench, lines, saved).faults


def test_t36_an_end_that_was_cut_off_with_its_checkpoints_shows_by_a_checkpoint_kept_elsewhere(
    sealed: tuple[Bench, list[int]],
) -> None:
    bench, numbers = sealed
    saved = newest_checkpoint(bench)
    with changed(bench, sealed_logs.end_cut_off(numbers[-6], checkpoints_too=True)):
        # The record of what went out, in the server's home, shows it too; who has the home as well can change that.
        assert [fault.kind for fault in verify(bench).faults] == ["cut-off"]
        before = bench.authority.floors.read()
        bench.authority.floors.lower_to(Floor())
        assert NOT_COMPARED in VerificationShown.of(verify(bench)).limits
        assert verify(bench).faults == ()
        for verification in (verify(bench, saved), verify_lines(bench, exported(bench), saved)):
            (fault,) = verification.faults
            assert (fault.kind, fault.first, fault.last) == ("cut-off", numbers[-6], numbers[-1])
        bench.authority.floors.lower_to(before)


def test_t36_another_history_by_who_has_the_key_shows_by_a_checkpoint_kept_elsewhere(bench: Bench) -> None:
    numbers = sealed_log(bench)
    saved = newest_checkpoint(bench)

    with changed(bench, sealed_logs.end_cut_off(numbers[-6], checkpoints_too=True)):
        bench.authority.floors.lower_to(Floor())
        sealed_logs.write_rows(bench, 1, member="eve")
        seals.seal(unit(bench))
        assert verify(bench).faults == ()
        (fault,) = verify(bench, saved).faults
        assert fault.kind == "rewritten"


def test_an_older_database_seals_nothing_until_it_has_caught_up_and_the_restore_is_signed(bench: Bench) -> None:
    numbers = sealed_log(bench)
    saved = newest_checkpoint(bench)
    with bench.authority.database.write() as connection:
        sealed_logs.end_cut_off(numbers[-6], checkpoints_too=True)(connection)
    (fault,) = verify(bench).faults
    assert (fault.kind, fault.first, fault.last) == ("cut-off", numbers[-6], numbers[-1])
    with pytest.raises(DatabaseBehind):
        seals.seal(unit(bench))
    catching_up.catch_up(unit(bench))
    assert seals.seal(unit(bench)).rows
    verification = verify(bench)
    assert verification.faults == verify_lines(bench, exported(bench)).faults == ()
    assert [(item.first, item.last) for item in verification.restores] == [(3, 3)]
    assert min(number for number in numbers_of(bench) if number > numbers[-7]) > numbers[-1]
    assert [fault.kind for fault in verify(bench, saved).faults] == ["cut-off"]


def numbers_of(bench: Bench) -> list[int]:
    """The numbers of all rows of the log."""
    with bench.authority.database.read() as connection:
        return list(connection.execute(events.select().with_only_columns(events.c.id)).scalars())


def test_t36_checkpoints_that_were_removed_changed_or_put_in_are_told(sealed: tuple[Bench, list[int]]) -> None:
    bench, _ = sealed
    other = make_bench(f"sqlite:///{bench.home.parent / 'other.db'}", bench.home.parent / "other")
    sealed_log(other, (9, 9, 9))
    foreign = newest_checkpoint(other)
    other.authority.database.close()
    newest = newest_checkpoint(bench)
    number = checkpoints.c.number
    ways: dict[str, Change] = {
        "first": lambda connection: connection.execute(checkpoints.delete().where(number == 1)),
        "newest": lambda connection: connection.execute(checkpoints.delete().where(number == 3)),
        "all": lambda connection: connection.execute(checkpoints.delete()),
        "signature": lambda connection: connection.execute(
            checkpoints.update().where(number == 3).values(compact=newest[:-10] + "AAAAAAAAAA")
        ),
        "foreign": lambda connection: connection.execute(checkpoints.update().where(number == 3).values(compact=foreign)),
        "repeated": lambda connection: connection.execute(checkpoints.update().where(number == 2).values(compact=newest)),
        "nonsense": lambda connection: connection.execute(checkpoints.update().where(number == 2).values(compact="a.b.c")),
    }
    for name, change in ways.items():
        with changed(bench, change):
            assert any(fault.kind == "checkpoint" for fault in verify(bench).faults), name
            assert verify_lines(bench, exported(bench)).faults if name != "all" else True, name
    assert verify(bench).faults == ()


def test_a_row_that_says_it_was_erased_without_a_signed_erasure_is_told(sealed: tuple[Bench, list[int]]) -> None:
    bench, numbers = sealed

    def change(connection: Connection) -> None:
        (row,) = stored.rows(connection, numbers[5] - 1, numbers[5], 1)
        (mark,) = stored.of_rows(connection, numbers[5] - 1, numbers[5], 1)
        values = {"member": "erased-eve"}
        stored.erase(connection, [log_seal.erased(mark, row, values)], [{**row, **values}])

    with changed(bench, change):
        for verification in (verify(bench), verify_lines(bench, exported(bench))):
            assert [fault.kind for fault in verification.faults] == ["erasure"]


def test_two_nodes_that_seal_at_once_seal_every_row_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "MOST_ROWS", 10)
    sealed_logs.write_rows(bench, 200)
    other = Database(bench.authority.database.url.render_as_string(hide_password=False))
    nodes = [bench.authority, replace(bench.authority, database=other, floors=Floors())]
    rows: list[int] = []
    threads = [
        threading.Thread(target=lambda node=node: rows.append(seals.seal(Unit(node, CONSOLE)).rows)) for node in nodes * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    verification = verify(bench)
    assert verification.faults == ()
    assert sum(rows) == verification.rows == verification.last


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_commit_that_comes_late_is_not_behind_the_seal(bench: Bench) -> None:
    """On PostgreSQL a lower number can be committed after a higher one."""
    database = bench.authority.database
    late = database.engine.connect()
    late.begin()
    stored_events.append(late, [(bench.clock(), Event(EventKind.SIGNED_IN, "late"))])
    sealing = threading.Thread(target=lambda: seals.seal(unit(bench)))
    sealed_logs.write_rows(bench, 3)
    sealing.start()
    sealing.join(0.05)
    # It waits for the one who has a number already, and then seals all.
    late.commit()
    late.close()
    sealing.join()
    seals.seal(unit(bench))
    verification = verify(bench)
    assert (verification.faults, verification.waiting) == ((), 0)


def test_after_damage_to_the_newest_checkpoint_catching_up_goes_on_and_signs_that_it_did(bench: Bench) -> None:
    numbers = sealed_log(bench)
    forged = newest_checkpoint(bench)[:-10] + "AAAAAAAAAA"
    with bench.authority.database.write() as connection:
        connection.execute(checkpoints.update().where(checkpoints.c.number == 3).values(compact=forged))
    with pytest.raises(LogNotIntact):
        seals.seal(unit(bench))
    catching_up.catch_up(unit(bench))
    seals.seal(unit(bench))
    verification = verify(bench)
    assert (verification.faults, verification.restores[0].last) == ((), 3)
    # Without a record of what went out nothing is behind; whoever runs the server has to say that it is to go on.
    with bench.authority.database.write() as connection:
        connection.execute(checkpoints.delete())
    bench.authority.floors.lower_to(Floor())
    with pytest.raises(LogNotIntact):
        seals.seal(unit(bench))
    catching_up.catch_up(unit(bench), jump=True)
    seals.seal(unit(bench))
    verification = verify(bench)
    assert (verification.faults, len(verification.restores)) == ((), 1)
    assert verification.rows > len(numbers)
    assert "taken up again" in " ".join(VerificationShown.of(verification).limits)


def test_a_key_that_was_stolen_is_taken_no_more_and_a_newer_checkpoint_vouches_for_what_it_sealed(
    sqlite_bench: Bench, vendor: RealVendor
) -> None:
    bench = sqlite_bench
    sealed_log(bench)
    (old,) = bench.authority.ring.kids(KeyUse.STATUS)
    keys.rotate(unit(bench), [KeyUse.STATUS])
    keys.retire(unit(bench), old, is_stolen=True)
    # Until the vendor has answered, nothing can be signed.
    with pytest.raises(KeyUnusable):
        seals.seal(unit(bench))
    bench.clock.turn(seconds=1)
    authorizations.install(unit(bench), vendor.authorize(bench.authority, sample_toml()).file)
    (fault,) = verify(bench).faults[:1]
    assert "revoked" in fault.what
    seals.seal(unit(bench))
    assert verify(bench).faults == verify_lines(bench, exported(bench)).faults == ()


def test_the_newest_checkpoint_over_http_and_whether_there_is_a_newer_one(sqlite_bench: Bench) -> None:
    bench, web = sqlite_bench, make_web(sqlite_bench)
    assert web.get("/events/checkpoint").get_json()["file"] is None
    sealed_log(bench)
    bench.clock.turn(seconds=90)
    sealed_logs.write_rows(bench, 2)
    with unchanged(bench.authority.database):
        answer = web.get("/events/checkpoint")
        shown = answer.get_json()
        assert (shown["checkpoint"], shown["seconds_since"], shown["waiting"]) == (3, 90, 2)
        assert log_verification.verify(unit(bench), [shown["file"]["checkpoint"]]).faults == ()
        again = web.get("/events/checkpoint", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    seals.seal(unit(bench))
    assert web.get("/events/checkpoint", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_the_log_is_verified_in_parts_over_http(sqlite_bench: Bench) -> None:
    bench, web = sqlite_bench, make_web(sqlite_bench)
    shown = web.get("/events/verification").get_json()
    assert (shown["ok"], shown["rows"], shown["checkpoint"]) == (True, 0, None)
    sealed_log(bench)
    with unchanged(bench.authority.database):
        newest = web.get("/events/verification?rows=1").get_json()
        before = web.get(f"/events/verification?up_to={newest['after']}").get_json()
    assert (newest["ok"], before["ok"], before["after"], before["last"]) == (True, True, 0, newest["after"])
    with bench.authority.database.write() as connection:
        connection.execute(update(events).where(events.c.id == newest["last"]).values(reason="other"))
    wrong = web.get("/events/verification").get_json()
    assert (wrong["ok"], [(fault["first"], fault["last"]) for fault in wrong["faults"]]) == (False, [(newest["last"],) * 2])


def test_a_sealer_does_not_go_on_over_seals_whose_checkpoint_is_gone(sealed: tuple[Bench, list[int]]) -> None:
    bench, _ = sealed
    newest_removed = checkpoints.delete().where(checkpoints.c.number == 3)
    with changed(bench, lambda connection: connection.execute(newest_removed)), pytest.raises(LogNotIntact):
        seals.seal(unit(bench))


def test_a_sealer_does_not_go_on_from_a_checkpoint_that_nobody_signed(sealed: tuple[Bench, list[int]]) -> None:
    """It would vouch for it with its own signature."""
    bench, numbers = sealed
    with changed(
        bench,
        lambda connection: connection.execute(
            checkpoints.update().where(checkpoints.c.number == 3).values(compact=newest_checkpoint(bench)[:-10] + "AAAAAAAAAA")
        ),
    ):
        with bench.authority.database.write() as connection:
            connection.execute(
                insert(events),
                {"id": numbers[-1] + 1, "at": bench.clock(), "kind": "checkout", "actor": "ada", "quantity": 1},
            )
        with pytest.raises(LogNotIntact):
            seals.seal(unit(bench))


# What somebody writes who has the database, and what is told of it; whatever it is, nothing breaks.
VANDALS = {
    "half of a surrogate pair": (
        'INSERT INTO erased_rows VALUES (:row, \'{"salts":{},"erased":{"member":["00","\\ud800"]}}\')',
        {"changed", "erasure"},
    ),
    "deeply nested openings": (
        "INSERT INTO erased_rows VALUES (:row, replace(hex(zeroblob(99999)), '0', '['))",
        {"changed", "erasure"},
    ),
    "no UTF-8 in a row": ("UPDATE events SET member = CAST(x'ff' AS TEXT) WHERE id = :row", {"changed"}),
    "no UTF-8 in a checkpoint": ("UPDATE checkpoints SET compact = CAST(x'ff' AS TEXT) WHERE number = 2", {"checkpoint"}),
    "a fraction": ("UPDATE events SET quantity = 1.5 WHERE id = :row", {"changed"}),
    "no end": ("UPDATE events SET quantity = 9e999 WHERE id = :row", {"changed"}),
    "a number below the first": ("UPDATE seals SET event_id = -5 WHERE event_id = :row", {"inserted"}),
}


@pytest.mark.parametrize("name", VANDALS)
def test_what_no_authority_writes_is_told_and_breaks_nothing(sealed: tuple[Bench, list[int]], name: str) -> None:
    bench, numbers = sealed
    statement, kinds = VANDALS[name]
    with changed(bench, lambda connection: connection.exec_driver_sql(statement.replace(":row", str(numbers[3])))):
        for verification in (verify(bench), verify_lines(bench, exported(bench))):
            assert {str(fault.kind) for fault in verification.faults} == kinds, verification.faults


def test_the_columns_of_a_checkpoint_are_those_that_were_signed(sealed: tuple[Bench, list[int]]) -> None:
    """Else a high number or row says that nothing waits for its seal, and the seal goes on from it for ever."""
    bench, _ = sealed
    for column, value, stops in (
        ("number", 9, True),
        ("last", 2**40, True),
        ("issued_at", 1, False),
        ("issued_at", "'x'", False),
    ):
        change = text(f"UPDATE checkpoints SET {column} = {value} WHERE number = 3")  # noqa: S608 - of the test's own
        with changed(bench, partial(Connection.execute, statement=change)):
            (fault,) = verify(bench).faults
            assert "checkpoint 3 is kept with another" in fault.what, (column, value)
            if stops:
                with pytest.raises(LogNotIntact):
                    seals.seal(unit(bench))


def test_each_of_several_checkpoints_that_were_kept_elsewhere_is_compared(sealed: tuple[Bench, list[int]]) -> None:
    bench, _ = sealed
    lines = exported(bench)
    first, second, third = (read(json.loads(line)["checkpoint"], KnownKeys(())) for line in lines[1:4])
    # One beyond the end, and then one that is another here.
    faults = log_verification.outside_faults([third, replace(second, digest="another")], [first, second])
    assert [str(fault.kind) for fault in faults] == ["cut-off", "rewritten"]
    assert [fault.what for fault in verify_lines(bench, [*lines[:2], *lines[1:]]).faults] == [
        "checkpoint 1 of the seal stands twice, or out of its order"
    ]


def test_sealing_does_not_go_on_from_others_than_those_that_went_out(sqlite_bench: Bench) -> None:
    """A key that was stolen signs any history; the record in the home is not raised over it."""
    bench, floors = sqlite_bench, sqlite_bench.authority.floors
    sealed_log(bench)
    with bench.authority.database.read() as connection:
        newest = stored.newest(connection)
    assert newest is not None
    floors.lower_to(Floor(checkpoint=Numbered(newest.number - 1, newest.compact)))
    sealed_logs.write_rows(bench, 1)
    with pytest.raises(DatabaseBehind):
        seals.seal(unit(bench))
    assert floors.read().checkpoint == Numbered(newest.number - 1, newest.compact)
