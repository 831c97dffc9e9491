"""A stick is plugged in: whatever is on it, in whatever order, what is ours and good is installed and nothing else changes anything."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.support.chains import DAY, HOUR, START, at, make_chain
from tests.support.real_workstation import RealWorkstation, make_workstation, remove_second_copy
from tests.support.systems import ON_POSIX, make_link
from verifier.core import files
from verifier.core.files import LARGEST_STATUS_FILE
from verifier.errors import CarnetError, Malformed
from verifier.workstation import install, intake
from verifier.workstation.intake import Carried, Intake, Need
from verifier.workstation.store import Store

NOW = START + 2 * HOUR


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    """With trust and a borrow; the stick is the folder beside its home."""
    (tmp_path / "stick").mkdir()
    return make_workstation(tmp_path / "home")


def stick(here: RealWorkstation) -> Path:
    return here.home.parent / "stick"


def take_in(here: RealWorkstation, store: Store | None = None) -> Intake:
    return intake.take_in(store or here.store, intake.look_into(stick(here))[0], at(NOW))


def newer(here: RealWorkstation, seq: int) -> bytes:
    here.chain.set_status(0, seq=seq, iat=START + seq * 60)
    return here.chain.status_file()


def test_t9_whatever_is_brought_in_whatever_order_the_highest_number_stays(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists one by one, by chance, among them two of one number: what is known of never goes back, and never becomes the rival."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    lists = [newer(here, seq) for seq in range(1, 7)]
    for seq in range(1, 7):
        here.chain.set_status(0, seq=seq, iat=START + seq * 60 + 1)
        lists.append(here.chain.status_file())
    random, before = Random(9), here.store.state().lists
    for _ in range(60):
        with contextlib.suppress(CarnetError):
            install.install(here.store, random.choice(lists), at(NOW))
        known = here.store.state().lists
        for uri, newest in known.items():
            assert newest == before.get(uri, newest) or newest.seq > before[uri].seq
            status_file = here.store.status_file(uri, here.chain.trust())
            assert status_file is not None
            assert status_file.status_list.digest == newest.digest
        before = known
    assert [newest.seq for newest in before.values()] == [6]


def test_t9_the_order_of_the_files_does_not_matter(here: RealWorkstation, tmp_path: Path) -> None:
    """Trust, authorization, two status lists and a borrow, as they come."""
    chain = here.chain
    carried = [
        Carried("a", chain.trust_file()),
        Carried("b", chain.authorization_file()),
        Carried("c", chain.borrow_file()),
        Carried("d", newer(here, 2)),
        Carried("e", newer(here, 3)),
    ]
    expected = ["trust", "authorization", "status", "status", "borrow"]
    for number, order in enumerate(list(itertools.permutations(carried))[::7]):
        home = tmp_path / f"home {number}"
        home.mkdir()
        (home / "machine-key.pem").write_bytes((here.home / "machine-key.pem").read_bytes())
        (home / "machine-key.pem").chmod(0o600)
        # All these homes have one machine key, which would remember what it saw.
        remove_second_copy(here.chain.workstation.machine_key or "")
        taking = intake.take_in(Store(home), order, at(NOW))
        assert [item.installed.kind for item in taking.taken] == expected
        assert taking.refused == []
        assert taking.needs == [Need("compare-root", roots=(chain.root.kid,))]


def device(path: Path, here: RealWorkstation) -> None:
    # What a socket is bound to has some hundred letters at most, however deep the folder of the tests is.
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(path.parent):
        server.bind(path.name)


def sparse(path: Path, here: RealWorkstation) -> None:
    path.touch()
    os.truncate(path, 10 * 2**30)


# How a file comes to be on the stick, under a name of ours, and the code that it is refused with.
BAD: dict[str, tuple[Callable[[Path, RealWorkstation], object], str]] = {
    "damaged": (lambda path, here: path.write_bytes(newer(here, 9).replace(b'"status_list": "', b'"status_list": "A')), "status-list-unusable"),
    "truncated": (lambda path, here: path.write_bytes(newer(here, 9)[:-40]), "malformed"),
    "empty": (lambda path, here: path.write_bytes(b""), "malformed"),
    "foreign": (lambda path, here: path.write_bytes(b"MZ" + bytes(range(256))), "malformed"),
    "oversized": (lambda path, here: path.write_bytes(newer(here, 9) + b" " * LARGEST_STATUS_FILE), "malformed"),
    "of strangers": (lambda path, here: path.write_bytes(make_chain().borrow_file()), "unknown-key"),
    "trust of strangers": (lambda path, here: path.write_bytes(make_chain().trust_file()), "unknown-key"),
    "link": (lambda path, here: make_link(path, here.home / "organization.trust"), "malformed"),
    "broken link": (lambda path, here: make_link(path, here.home / "nowhere"), "malformed"),
}  # fmt: skip
ONLY_POSIX: dict[str, tuple[Callable[[Path, RealWorkstation], object], str]] = {
    "pipe": (lambda path, here: os.mkfifo(path), "malformed"),
    "socket": (device, "disk-failed"),
    "10 GB sparse": (sparse, "malformed"),
}


def check_refused(here: RealWorkstation, cases: dict[str, tuple[Callable[[Path, RealWorkstation], object], str]]) -> None:
    before, path = here.snapshot(), stick(here) / "x.borrow"
    for name, (make, code) in cases.items():
        make(path, here)
        taking = take_in(here)
        path.unlink()
        assert [(item.name, item.error.code) for item in taking.refused] == [(str(path), code)], name
        assert taking.taken == [], name
        assert here.snapshot() == before, name


def test_t39_a_bad_file_on_a_stick_changes_nothing_and_is_told(here: RealWorkstation) -> None:
    check_refused(here, BAD)


@ON_POSIX
def test_t39_a_pipe_or_an_endless_file_neither_hangs_nor_fills_the_memory(here: RealWorkstation) -> None:
    check_refused(here, ONLY_POSIX)


def test_a_bad_file_hinders_no_good_one(here: RealWorkstation) -> None:
    (stick(here) / "a.borrow").write_bytes(b"{")
    (stick(here) / "b.status").write_bytes(newer(here, 4))
    taking = take_in(here)
    assert [item.error.code for item in taking.refused] == ["malformed"]
    assert [item.installed.kind for item in taking.taken] == ["status"]


def test_a_renamed_file_is_known_by_what_is_in_it(here: RealWorkstation) -> None:
    (stick(here) / "holiday.jpg").write_bytes(newer(here, 5))
    (stick(here) / "status.borrow").write_bytes(newer(here, 6))
    assert [(item.installed.kind, item.installed.is_new) for item in take_in(here).taken] == [("status", True)] * 2


def test_what_is_not_ours_is_left_alone_and_told(here: RealWorkstation) -> None:
    medium = stick(here)
    (medium / "film.mkv").write_bytes(b"\x1aE\xdf\xa3" + bytes(1000))
    (medium / "notes.txt").write_text("mine")
    (medium / "._trip.borrow").write_bytes(b"\0\5\26\7")
    (medium / "trip.request").write_bytes(files.render("request", {"request": "a.b.c"}))
    (medium / "inner").mkdir()
    (medium / "inner" / "old.borrow").write_bytes(b"{")
    carried, others = intake.look_into(medium)
    assert carried == []
    assert [(Path(item.name).name, item.reason) for item in others] == [
        ("film.mkv", "foreign"),
        ("notes.txt", "foreign"),
        ("trip.request", "for-the-authority"),
    ]


def test_t9_a_file_of_an_earlier_trip_is_old_and_not_at_fault(here: RealWorkstation) -> None:
    medium, first = stick(here), here.chain.borrow_file()
    here.give_up(NOW)
    here.next_borrow("C")
    here.chain.authorization |= {"seq": 2}
    (medium / "1.borrow").write_bytes(first)
    (medium / "2.borrow").write_bytes(here.chain.borrow_file())
    here.install(newer(here, 8), NOW)
    (medium / "3.status").write_bytes(newer(here, 7))
    taking = take_in(here)
    assert [(item.error.code, item.is_old) for item in taking.refused] == [
        ("status-list-rolled-back", True),
        ("given-up", True),
    ]
    assert [item.installed.kind for item in taking.taken] == ["borrow"]


def test_t9_two_lists_with_one_number_are_no_old_file(here: RealWorkstation) -> None:
    here.install(newer(here, 8), NOW)
    here.chain.set_status(1, seq=8, iat=START + HOUR)
    (stick(here) / "x.status").write_bytes(here.chain.status_file())
    assert [(item.error.code, item.is_old) for item in take_in(here).refused] == [("status-list-rolled-back", False)]


def test_t17_of_two_trust_files_on_a_stick_none_is_chosen(here: RealWorkstation, tmp_path: Path) -> None:
    """Who can put a file on the stick would else be trusted for the name that comes first."""
    (stick(here) / "a.trust").write_bytes(make_chain().trust_file())
    (stick(here) / "b.trust").write_bytes(here.chain.trust_file())
    store = Store(tmp_path / "new")
    taking = take_in(here, store)
    assert [item.error.code for item in taking.refused] == ["unknown-key"] * 2
    assert (taking.taken, taking.needs, store.home.exists()) == ([], [], False)
    # Where one is installed, it is no question which is meant.
    assert [Path(item.name).name for item in take_in(here).taken] == ["b.trust"]


def test_what_is_still_needed_is_said(here: RealWorkstation, tmp_path: Path) -> None:
    chain, new = here.chain, Store(tmp_path / "new")
    assert intake.needs(new) == [Need("trust")]
    taking = intake.take_in(new, [Carried("a", chain.trust_file())], at(NOW))
    assert taking.needs == [Need("compare-root", roots=(chain.root.kid,)), Need("license")]
    chain.set_status(1, seq=5, iat=NOW)
    (need,) = intake.take_in(here.store, [Carried("a", chain.status_file())], at(NOW)).needs
    assert (need.code, need.product, need.error and need.error.code) == ("mend", "arcgis-pro", "revoked")
    (need,) = intake.needs(here.store, now=at(START + 8 * DAY))
    assert need.error is not None
    assert need.error.code == "expired"


def test_the_folder_of_a_whole_disk_is_a_mistake(here: RealWorkstation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_FILES", 3)
    for number in range(4):
        (stick(here) / str(number)).touch()
    with pytest.raises(Malformed, match="more than 3 files"):
        intake.look_into(stick(here))


def test_t39_the_bytes_of_a_folder_have_a_bound_and_too_long_a_file_is_not_held(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stick(here) / "long.borrow").write_bytes(b" " * (LARGEST_STATUS_FILE + 1))
    (carried,), _ = intake.look_into(stick(here))
    assert (carried.data, getattr(carried.error, "code", None)) == (b"", "malformed")
    monkeypatch.setattr(intake, "MOST_BYTES", 10)
    (stick(here) / "b.borrow").write_bytes(b"{" * 11)
    with pytest.raises(Malformed, match="more than 10 bytes"):
        intake.look_into(stick(here))
