"""`channel`, `notice`, `notify` and `serve --notify`: addresses come from files, and a process that is killed loses nothing."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.events import Event, EventKind
from authority.domain.members import CONSOLE
from authority.services import notices, notifying
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.console import Console
from tests.support.receivers import REFUSE, TAKE_AND_HANG, Receiver, webhook_receiver
from tests.support.servers import COMMAND, ROOT, environment, running_server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        yield receiver


def file(console: Console, text: str) -> str:
    path = console.home.parent / "hook.url"
    path.write_text(f"{text}\nsecond line\n")
    return str(path)


def hook(console: Console, receiver: Receiver) -> Any:
    made = console.good(
        *("channel", "add", "desk", "--type", "webhook", "--url-file", file(console, receiver.url), "--digest", "none")
    )
    receiver.secret = made["secret"]
    return made


@contextlib.contextmanager
def authority_of(console: Console) -> Iterator[Authority]:
    authority = open_authority(load({}, str(console.home)))
    yield authority
    authority.database.close()


def suspect(console: Console, *names: str) -> None:
    """A clone of a machine of each name is suspected, in the log."""
    with authority_of(console) as authority:
        unit = Unit(authority, CONSOLE)
        with unit.writing():
            row = Event(EventKind.CLONE_SUSPECTED, "ada", member="ada", product="p", reason="a number was used twice")
            unit.record(replace(row, handle=name, alias=name) for name in names)


def test_a_channel_by_commands(console: Console, receiver: Receiver) -> None:
    made = hook(console, receiver)
    assert (made["address"].startswith("http://127.0.0.1"), "s3cretpath" in json.dumps(made)) == (True, False)
    console.refused(
        "already-exists", 1, "channel", "add", "DESK", "--type", "webhook", "--url-file", file(console, receiver.url)
    )
    console.refused("invalid-input", 1, "channel", "add", "x", "--type", "webhook", "--url-file", file(console, "http://h/x"))
    assert console.run("channel", "add", "x", "--type", "webhook", "--url-file", "/nowhere").status == 2
    assert console.good("channel", "test", "desk")["sent"] is True
    receiver.script = [REFUSE]
    ended = console.run("channel", "test", "desk")
    assert (ended.status, "it answered 500" in ended.out) == (1, True)
    changed = console.good("channel", "set", "desk", "--kind", "denials", "--kind", "clone-suspected", "--pause")
    assert (changed["kinds"], changed["paused"]) == (["denials", "clone-suspected"], True)
    assert "paused" in console.run("channel", "list").out
    (row,) = console.good("channel", "list")
    assert "secret" not in row
    assert console.good("channel", "remove", "desk", "--dry-run")["dry_run"] is True
    console.good("channel", "remove", made["id"])
    assert console.good("channel", "list") == []
    console.refused("not-found", 1, "channel", "test", "desk")
    rows = [row["kind"] for row in console.good("log", "list", "--kind", "channel-added", "--kind", "channel-removed")]
    assert sorted(rows) == ["channel-added", "channel-removed"]
    assert console.good("notice", "settings", "--denials", "20")["denials"] == 20
    assert console.good("notice", "settings")["denials"] == 20


def test_a_run_by_command_says_what_it_would_do_and_did(console: Console, receiver: Receiver) -> None:
    hook(console, receiver)
    suspect(console, "one", "two")
    would = console.good("notify", "--dry-run")
    assert ([item["kind"] for item in would["notices"]], would["tries"]) == (["clone-suspected"] * 2, [])
    assert receiver.requests == []
    receiver.script = ["204", REFUSE]
    ended = console.run("notify")
    assert (ended.status, "it answered 500" in ended.out, "1 message sent, 1 not" in ended.out) == (1, True, True)
    notices = console.good("notice", "list")
    assert sorted(item["deliveries"][0]["state"] for item in notices) == ["sent", "waiting"]
    assert len(console.good("notice", "list", "--state", "waiting")) == 1
    assert "tried 1 time: it answered 500" in " ".join(console.run("notice", "list").out.split())
    rows = {row["subject"]: row for row in console.run("--json", "doctor").json}
    assert (rows["notices"]["ok"], "it answered 500" in rows["notices"]["message"]) == (False, True)
    # The log was sealed by the run.
    assert "the log is sealed up to row" in rows["seal"]["message"]


def test_a_run_that_is_killed_in_the_middle_loses_nothing_and_the_receiver_can_tell(
    console: Console, receiver: Receiver
) -> None:
    """Two rounds: the process is killed while a receiver has the message and has not answered; later runs send the rest."""
    hook(console, receiver)
    for number in range(2):
        suspect(console, *(f"machine-{number}-{index}" for index in range(3)))
        receiver.script = ["take"] * number + [TAKE_AND_HANG]
        before = len(receiver.requests)
        words = [*COMMAND, "--home", str(console.home), "notify"]
        process = subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while len(receiver.requests) <= before + number and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        receiver.released.set()
        receiver.script = []
    later = datetime.now(UTC) + timedelta(minutes=4)
    with authority_of(console) as authority:
        notifying.run(replace(authority, clock=lambda: later))
        shown, _ = notices.listed(Unit(authority, CONSOLE))
    assert {sent.delivery.state for item in shown for sent in item.sent} == {"sent"}
    names = sorted(notice["facts"]["machine"] for notice in receiver.notices())
    assert names == sorted(f"machine-{number}-{index}" for number in range(2) for index in range(3))
    assert len(receiver.requests) > len(receiver.taken)


def test_serve_notify_sends_beside_the_workers_and_stops_with_them(console: Console, receiver: Receiver) -> None:
    hook(console, receiver)
    suspect(console, "laptop")
    assert console.run("serve", "--every", "5").status == 2
    with running_server(console.home, "--notify", "--workers", "2") as server:
        deadline = time.monotonic() + 60
        while not receiver.taken and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [notice["facts"]["machine"] for notice in receiver.notices()] == ["laptop"]
        server.process.send_signal(signal.SIGTERM)
        out, err = server.process.communicate(timeout=30)
        assert (out, err, server.process.returncode) == ("", "", 0)
        server.wait_until_gone(30)
        assert server.group() == []
    assert len(receiver.requests) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_url_is_no_argument(console: Console) -> None:
    help_text = console.bare("channel", "add", "--help").out
    assert "--url-file" in help_text
    assert "--url " not in help_text
    assert not Path(console.home / "hook.url").exists()
