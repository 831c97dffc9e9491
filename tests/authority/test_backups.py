"""Backing up while others write, and restoring: on each database and across both, whole or not at all, never behind what went out."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from authority.domain.borrows import BorrowState
from authority.domain.members import CONSOLE, Role
from authority.domain.notices import Channel, ChannelType, DeliveryState, Digest, Message, NoticeKind
from authority.domain.refusals import AlreadyExists, BackupUnusable, DatabaseBehind, NotAllowed, NotAuthenticated
from authority.sending.failure import NotSent
from authority.services import (
    access,
    backing_up,
    borrow,
    channels,
    endings,
    member_changes,
    members,
    notices,
    notifying,
    removal,
    restoring,
    status_lists,
)
from authority.services.channels import NewChannel
from authority.services.context import Authority, Remembered
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.restoring import Restored, Terms
from authority.services.unit import Secret, Unit
from authority.signing.floors import Floors
from authority.signing.issued_log import IssuedLog
from authority.storage import archive, backups, deliveries
from authority.storage.db import migrating, schema
from authority.storage.db.database import Database
from authority.storage.db.tables import borrows, events, holds, tokens
from tests.conftest import empty_postgres_database
from tests.support.authorities import Bench
from tests.support.borrowing import at_once, codes, issued_to, workstation
from tests.support.console import Console
from tests.support.database_contents import contents, unchanged
from tests.support.killed_restores import digest

# What a restore writes itself.
OWN = ("events", "preferences", "status_lists", "credentials")
ROUNDS = 20
URL = "https://hooks.example.org/x"


def unit(authority: Authority) -> Unit:
    return Unit(authority, CONSOLE)


def back_up(authority: Authority, path: Path) -> Path:
    with path.open("wb") as stream:
        manifest = backing_up.write(unit(authority), stream)
    backing_up.note(unit(authority), manifest)
    return path


def restore(authority: Authority, path: Path, **terms: bool) -> Restored:
    with restoring.opened(path) as content:
        restoring.prepare(authority.database)
        return restoring.restore(unit(authority), content, Terms(**terms))


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'target.db'}"
    else:
        url = empty_postgres_database(request.getfixturevalue("postgres"))
    database = Database(url)
    yield database
    database.close()


def elsewhere(bench: Bench, database: Database) -> Authority:
    """The home of a bench, whose setting names another database."""
    return replace(bench.authority, database=database, remembered=Remembered())


def test_a_backup_goes_into_either_database_and_all_is_as_it_was(bench: Bench, target: Database, tmp_path: Path) -> None:
    issued = issued_to(bench, bench.member("ada"), workstation("one"))
    before = contents(bench.authority.database)
    path = back_up(bench.authority, tmp_path / "night.backup")
    there = elsewhere(bench, target)
    restored = restore(there, path)
    assert restored.manifest.rows() == sum(map(len, before.values()))
    assert restored.caught_up.list_seq is None
    after = contents(target)
    assert {name: after[name] for name in after if name not in OWN} == {
        name: before[name] for name in before if name not in OWN
    }
    assert borrow.newest_file(unit(there), issued.borrow.id) == issued.file
    # It is lived in: numbers go on behind those that are there.
    members.add(unit(there), NewMember("bea", user_type="GIS Professional"))
    endings.revoke(unit(there), issued.borrow.id, "gone")
    with target.read() as connection:
        numbers = list(connection.execute(select(events.c.id).order_by(events.c.id)).scalars())
    assert numbers[: len(before["events"])] == sorted(row[0] for row in before["events"])
    assert len(numbers) > len(before["events"])


def test_a_backup_that_is_made_while_others_borrow_is_one_state(bench: Bench, tmp_path: Path) -> None:
    people = [bench.member(f"member-{number}") for number in range(6)]
    paths = [tmp_path / f"{number}.backup" for number in range(2)]

    def write(path: Path) -> int:
        with path.open("wb") as stream:
            return backing_up.write(unit(bench.authority), stream).rows()

    borrowing = [lambda actor=actor: issued_to(bench, actor, workstation(actor.username)) for actor in people]
    outcomes = at_once([*borrowing[:3], lambda: write(paths[0]), *borrowing[3:], lambda: write(paths[1])])
    assert codes(outcomes) == {"done": len(outcomes)}
    for path in paths:
        with archive.opened(path) as content:
            rows = {name: list(content.rows(name)) for name in content.manifest.tables}
            columns = {name: item.columns for name, item in content.manifest.tables.items()}
        handles = {row[columns["borrows"].index("id")] for row in rows["borrows"]}
        assert handles == {row[columns["tokens"].index("borrow_id")] for row in rows["tokens"]}
        assert handles == {row[columns["holds"].index("handle")] for row in rows["holds"]}


def damage(path: Path, copy: Path, change: str) -> Path:
    """A copy of a backup to which something was done."""
    data = path.read_bytes()
    if change == "cut":
        copy.write_bytes(data[: len(data) * 2 // 3])
    elif change == "a bit":
        with zipfile.ZipFile(path) as file:
            place = file.getinfo("members.jsonl").header_offset + 80
        copy.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    elif change == "no backup":
        copy.write_bytes(b"SQLite format 3\x00" + bytes(100))
    else:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if change == "a row less" and name == "members.jsonl":
                    content = b"\n".join(content.splitlines()[1:]) + b"\n"
                if change == "a newer program" and name == archive.MANIFEST:
                    content = json.dumps(json.loads(content) | {"revision": "9999"}).encode()
                if change == "another form" and name == archive.MANIFEST:
                    content = json.dumps(json.loads(content) | {"format": "carnet-backup/9"}).encode()
                if change == "another organization" and name == archive.MANIFEST:
                    content = json.dumps(json.loads(content) | {"organization": "somebody-else"}).encode()
                if not (change == "a table less" and name == "members.jsonl"):
                    new.writestr(name, content)
    return copy


CHANGES = ("cut", "a bit", "no backup", "a row less", "a table less", "a newer program", "another form", "another organization")


def test_a_backup_that_is_damaged_or_of_another_is_refused_and_changes_nothing(sqlite_bench: Bench, tmp_path: Path) -> None:
    authority = sqlite_bench.authority
    path = back_up(authority, tmp_path / "night.backup")
    with unchanged(authority.database):
        for change in CHANGES:
            with pytest.raises(BackupUnusable):
                restore(authority, damage(path, tmp_path / f"{change}.backup", change), replace=True)


def test_what_is_there_is_replaced_when_told_and_a_dry_run_replaces_nothing(bench: Bench, tmp_path: Path) -> None:
    path = back_up(bench.authority, tmp_path / "night.backup")
    ada = bench.member("ada")
    with unchanged(bench.authority.database):
        with pytest.raises(AlreadyExists, match="organization"):
            restore(bench.authority, path)
        restore(bench.authority, path, replace=True, dry_run=True)
        with pytest.raises(NotAllowed), restoring.opened(path) as content:
            restoring.restore(Unit(bench.authority, ada), content, Terms(replace=True))
    restore(bench.authority, path, replace=True)
    assert [member.username for member in members.every(unit(bench.authority))] == ["admin"]


def test_a_backup_that_is_behind_what_went_out_is_restored_only_with_it(bench: Bench, tmp_path: Path) -> None:
    ada, bea = bench.member("ada"), bench.member("bea")
    early = issued_to(bench, ada, workstation("early"))
    path = back_up(bench.authority, tmp_path / "night.backup")
    late = issued_to(bench, bea, workstation("late"))
    # It is in no list yet: the database that is replaced knows.
    endings.revoke(unit(bench.authority), early.borrow.id, "stolen")
    with unchanged(bench.authority.database), pytest.raises(DatabaseBehind, match="1 token"):
        restore(bench.authority, path, replace=True)
    restored = restore(bench.authority, path, replace=True, catch_up=True)
    assert [orphan.token.borrow_id for orphan in restored.caught_up.taken_in] == [late.borrow.id]
    states = {
        item.id: item.state(bench.clock())
        for item in (borrow.show(unit(bench.authority), issued.borrow.id) for issued in (early, late))
    }
    assert states == {early.borrow.id: BorrowState.REVOKED, late.borrow.id: BorrowState.ACTIVE}
    status_lists.export(unit(bench.authority))


def test_what_is_answered_until_the_database_is_replaced_is_taken_in(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = bench.member("ada")
    night = back_up(bench.authority, tmp_path / "night.backup")
    clear, answered = Remembered.clear, list[str]()

    def answer_and_clear(remembered: Remembered) -> None:
        """The last moment before the restore waits for everybody who writes."""
        if not answered:
            answered.append(issued_to(bench, ada, workstation("laptop")).borrow.id)
        clear(remembered)

    monkeypatch.setattr(Remembered, "clear", answer_and_clear)
    restored = restore(bench.authority, night, replace=True, catch_up=True)
    assert [orphan.token.borrow_id for orphan in restored.caught_up.taken_in] == answered


def test_no_notice_that_went_out_since_the_backup_goes_out_again(sqlite_bench: Bench, tmp_path: Path) -> None:
    """One waited when the backup was made and was sent since, one was made and sent since, one still waits."""
    bench, sent = sqlite_bench, list[str]()
    bench.authority = replace(bench.authority, warn_before=timedelta(days=3))
    now, later = (
        NewChannel(name, ChannelType.WEBHOOK, URL, (NoticeKind.BORROW_DUE,), Digest.NONE) for name in ("now", "later")
    )
    for channel in (now, later):
        channels.add(unit(bench.authority), channel)

    def refuse_all(*_: object) -> None:
        raise NotSent("busy")

    def take_one(channel: Channel, message: Message, _at: object) -> None:
        if channel.name == "later":
            raise NotSent("busy")
        sent.append(message.id)

    issued_to(bench, bench.member("ada"), workstation("one"), days=6)
    issued_to(bench, bench.member("bea"), workstation("two"), days=9)
    bench.clock.turn(days=4)
    notifying.run(bench.authority, send=refuse_all)
    path = back_up(bench.authority, tmp_path / "then.backup")
    bench.clock.turn(hours=1)
    notifying.run(bench.authority, send=take_one)
    bench.clock.turn(days=2.5)
    notifying.run(bench.authority, send=take_one)
    messages = list(sent)
    assert len(messages) == 2
    restored = restore(bench.authority, path, replace=True, catch_up=True)
    assert restored.held_back == 1
    bench.clock.turn(hours=7)
    notifying.run(bench.authority, send=take_one)
    assert sent == messages
    with bench.authority.database.read() as connection:
        assert deliveries.counts(connection, bench.clock() - timedelta(days=30))[DeliveryState.SENT] == 2


def test_without_the_database_of_then_what_was_due_is_held_back(sqlite_bench: Bench, target: Database, tmp_path: Path) -> None:
    bench, sent = sqlite_bench, list[str]()
    bench.authority = replace(bench.authority, warn_before=timedelta(days=3))
    channels.add(unit(bench.authority), NewChannel("now", ChannelType.WEBHOOK, URL, (NoticeKind.BORROW_DUE,), Digest.NONE))
    issued_to(bench, bench.member("ada"), workstation("one"), days=6)
    bench.clock.turn(days=4)
    assert notices.find(unit(bench.authority))
    path = back_up(bench.authority, tmp_path / "then.backup")
    authority = elsewhere(bench, target)
    assert restore(authority, path).held_back == 1
    notifying.run(authority, send=lambda _channel, message, _at: sent.append(message.id))
    assert sent == []


def test_without_any_record_of_what_went_out_the_numbers_jump(sqlite_bench: Bench, target: Database, tmp_path: Path) -> None:
    issued_to(sqlite_bench, sqlite_bench.member("ada"), workstation("one"))
    path = back_up(sqlite_bench.authority, tmp_path / "night.backup")
    sqlite_bench.clock.turn(days=1)
    new_home = replace(
        elsewhere(sqlite_bench, target), floors=Floors(tmp_path / "floors.json"), issued=IssuedLog(tmp_path / "issued")
    )
    seq = restore(new_home, path).caught_up.list_seq
    assert seq is not None
    assert seq > 24 * 3600
    assert new_home.floors.known.status_list is not None
    assert new_home.floors.known.status_list.number == seq


def test_what_came_back_of_keys_and_members_is_said_and_sign_ins_end(bench: Bench, tmp_path: Path) -> None:
    authority = bench.authority
    for name in ("ada", "bea", "cem"):
        bench.member(name, password=f"the-password-of-{name}")
    secret, key = access.create_api_key(unit(authority), "admin", "reports")
    access.create_api_key(unit(authority), "admin", "stays")
    access.sign_in(unit(authority), "ada", "the-password-of-ada")
    path = back_up(authority, tmp_path / "night.backup")
    access.revoke_api_key(unit(authority), key.id)
    removal.remove(unit(authority), ["bea"])
    member_changes.change(unit(authority), "cem", Change(disabled=True, role=Role.ANALYST))
    restored = restore(authority, path, replace=True)
    assert set(restored.came_back) == {
        'the API key "reports" of admin works again',
        "the member bea is there again",
        "cem has the role member again, and had analyst",
        "cem is enabled again",
    }
    assert restored.sign_ins == 1
    assert restored.api_keys == 3
    with Unit(authority, Secret(secret)).reading():
        pass
    assert restore(authority, path, replace=True, catch_up=True, revoke_keys=True).api_keys == 0
    with pytest.raises(NotAuthenticated), Unit(authority, Secret(secret)).reading():
        pass


def test_a_backup_of_earlier_tables_is_brought_up_to_date(bench: Bench, tmp_path: Path) -> None:
    """The tables of then are made for real, with what they had in common with those of now."""
    bench.member("ada")
    path = back_up(bench.authority, tmp_path / "now.backup")
    then = Database(f"sqlite:///{tmp_path / 'then.db'}")
    migrating.make_tables(then, "0009")
    with archive.opened(path) as content, then.write() as connection:
        for table in backups.tables_of(connection):
            names = content.manifest.tables[table.name].columns
            rows = [dict(zip(names, row, strict=True)) for row in content.rows(table.name)]
            if rows:
                here = [column.name for column in table.columns]
                connection.execute(insert(table), [{name: row[name] for name in here} for row in rows])
    old = tmp_path / "old.backup"
    with then.read() as connection, old.open("wb") as stream:
        archive.write(stream, replace(content.manifest, revision="0009"), backups.content_of(connection))
    then.close()
    restored = restore(bench.authority, old, replace=True)
    assert restored.manifest.revision == "0009"
    assert members.show(unit(bench.authority), "ada")[0].user_type == "GIS Professional"
    assert schema.current(bench.authority.database) == schema.NEWEST


def test_tables_of_others_in_the_database_are_neither_kept_nor_touched_nor_in_the_way(bench: Bench, tmp_path: Path) -> None:
    database, path = bench.authority.database, tmp_path / "night.backup"
    with database.write() as connection:
        connection.execute(text("CREATE TABLE copied AS SELECT * FROM events"))
        rows = connection.execute(text("SELECT count(*) FROM copied")).scalar_one()
    back_up(bench.authority, path)
    with archive.opened(path) as content:
        assert "copied" not in content.manifest.tables
    restore(bench.authority, path, replace=True, catch_up=True)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM copied")).scalar_one() == rows
    # A backup that took one along is restored without it.
    with database.read() as connection, path.open("wb") as stream:
        tables = chain(backups.content_of(connection), [("of_others", ("id",), [(1,)])])
        assert "of_others" in archive.write(stream, content.manifest, tables).tables
    restore(bench.authority, path, replace=True, catch_up=True)


def test_a_restore_that_is_killed_leaves_one_of_the_two_good_states(bench: Bench, tmp_path: Path) -> None:
    path = back_up(bench.authority, tmp_path / "night.backup")
    issued_to(bench, bench.member("ada"), workstation("one"))
    url = bench.authority.database.url.render_as_string(hide_password=False)
    bench.authority.database.close()
    before = digest(url)
    command = [sys.executable, "-m", "tests.support.killed_restores", url, str(bench.home), str(path), str(ROUNDS)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    said = json.loads(ended.stdout)
    assert said["statements"] >= ROUNDS
    assert said["before_commit"] == [before] * ROUNDS
    assert said["after_commit"] != before
    with bench.authority.database.read() as connection:
        assert connection.execute(select(events.c.kind).order_by(events.c.id.desc())).scalars().first() == "caught-up"
        # What went out of the database that was replaced is there.
        for table in (borrows, tokens, holds):
            assert connection.execute(select(table)).all()


def test_backup_and_restore_by_command(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "night.backup")
    assert "there never was a backup" in console.run("doctor").out
    made = console.good("backup", "-o", path)
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert "private" not in Path(path).read_bytes().decode("latin-1").lower()
    assert "the last backup was made" in console.run("doctor").out
    console.good("member", "add", "bea", "--type", "GIS Professional")
    console.borrow(workstation("one"), "bea")
    console.refused("already-exists", 1, "restore", path)
    console.refused("database-behind", 3, "restore", path, "--replace")
    assert console.good("restore", path, "--replace", "--catch-up", "--dry-run")["aside"] is None
    restored = console.good("restore", path, "--replace", "--catch-up")
    assert restored["backup"] == made
    assert restored["caught_up"]["taken_in"] == 1
    assert Path(restored["aside"]).exists()
    # In the same second, by the name: what was there at first is there still.
    monkeypatch.setattr(Authority, "now", lambda _: datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    asides = {console.good("restore", path, "--replace", "--catch-up")["aside"] for _ in range(2)}
    assert len(asides) == 2
    monkeypatch.undo()
    assert console.run("doctor").status == 0
    (borrowed,) = console.good("borrow", "list")
    assert borrowed["member"] == "bea"
    # And back again.
    console.good("restore", restored["aside"], "--replace", "--catch-up")
    assert {row["username"] for row in console.good("member", "list")} >= {"ada", "bea"}
    (tmp_path / "cut.backup").write_bytes(Path(path).read_bytes()[:-100])
    assert "backup" in console.refused("backup-unusable", 1, "restore", str(tmp_path / "cut.backup"), "--replace")["message"]


def test_an_old_backup_is_told_by_doctor(sqlite_bench: Bench, tmp_path: Path) -> None:
    back_up(sqlite_bench.authority, tmp_path / "night.backup")
    assert backing_up.last_made_at(sqlite_bench.authority) == sqlite_bench.clock()
    sqlite_bench.clock.turn(days=3)
    from authority.services import examination

    (line,) = [item for item in examination.examine(unit(sqlite_bench.authority)) if item.subject == "backup"]
    assert line.ok
    assert "3 days ago" in line.message
