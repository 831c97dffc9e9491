"""Stuck licenses are told by cause, with evidence: measured on planted cases, and each sign by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from checkout_log import simulate, stuck
from checkout_log.columns import (
    CAUSES,
    HOLDER_INACTIVE,
    MACHINE_GONE,
    OUTLIER,
    OVER_LONG_BORROW,
    OVERDUE,
)
from checkout_log.errors import QuestionInvalid
from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.scoring import matched, scores
from checkout_log.simulate.organization import AUTHORITY
from tests.notebooks.random_logs import BEGIN, event, open_log
from tests.notebooks.reference import DAY, RawLog, Span

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
# The thresholds were tuned on the seeds 1 to 5.
UNSEEN_SEEDS = (11, 12)


def test_planted_cases_are_found_by_cause_and_little_else(tmp_path: Path) -> None:
    """But for sessions that are long: of a server whose long sessions came back before, nothing is named, and it is said."""
    pairs, untold = [], 0
    for seed in UNSEEN_SEEDS:
        truth = simulate.run(simulate.Organization(), seed)
        (tmp_path / str(seed)).mkdir()
        # As `simulate.write_logs`, but for the form of the export, which is read five times as fast.
        simulate.write_parquet(truth, tmp_path / str(seed) / "log.parquet", truth.organization.served_by(AUTHORITY))
        simulate.write_flexnet(truth, tmp_path / str(seed))
        simulate.write_rlm(truth, tmp_path / str(seed))
        log = read(tmp_path / str(seed), timezone=truth.organization.timezone)
        pairs.append(matched(stuck.find(log, now=truth.now), truth))
        untold += int(stuck.undecided(log, now=truth.now)["uses"].sum())
    table = scores(pd.concat(pairs, ignore_index=True)).set_index("cause")
    assert list(table.index) == list(CAUSES)
    assert (table["planted"] == 6 * len(UNSEEN_SEEDS)).all()
    assert (table["precision"].drop(OUTLIER) >= 0.95).all(), table
    assert (table["recall"].drop(OUTLIER) >= 0.9).all(), table
    assert table.loc[OUTLIER, "right"] == table.loc[OUTLIER, "found"], table
    assert untold + table.loc[OUTLIER, "found"] >= 0.8 * table.loc[OUTLIER, "planted"], table


class ExportedLog:
    """An export of an authority, event by event."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "log.jsonl"
        self.lines: list[str] = []

    def add(self, day: float, event: str, handle: str | None, **more: Any) -> None:
        at = START + timedelta(days=day)
        row: dict[str, Any] = {
            "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "event": event,
            "mode": "borrow",
            "handle": handle,
            "product": "arcgis-pro",
            "feature": "Advanced",
            "member": "ada",
            "group": None,
            "machine": "m1",
            "alias": "laptop",
            "os_user": "ada",
            "quantity": 1,
            "until": None,
            "reason": None,
            "source": "authority",
            "line": len(self.lines) + 1,
        }
        if "due" in more:
            row["until"] = (START + timedelta(days=more.pop("due"))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.lines.append(json.dumps(row | more))

    def log(self) -> Log:
        self.file.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        return read(self.file)


@pytest.fixture
def exported(tmp_path: Path) -> ExportedLog:
    return ExportedLog(tmp_path)


def rows(exported: ExportedLog, day: float, **thresholds: Any) -> list[dict[str, Any]]:
    stuck_uses = stuck.find(exported.log(), now=START + timedelta(days=day), thresholds=stuck.Thresholds(**thresholds))
    return [{str(name): value for name, value in row.items()} for row in stuck_uses.to_dict("records")]


def test_a_borrow_that_is_used_and_within_its_time_is_not_stuck(exported: ExportedLog) -> None:
    exported.add(0, "checkout", "b1", due=30)
    exported.add(9, "denial", None, mode="session", reason="pool-exhausted")
    assert rows(exported, 10) == []


def test_a_seat_that_time_has_freed_is_not_overdue_and_one_that_is_held_is(exported: ExportedLog) -> None:
    exported.add(0, "checkout", "b1", due=5)
    exported.add(20, "checkout", "s1", mode="session", member="eve", machine="m9")
    assert rows(exported, 20.01) == []
    (row,) = rows(exported, 20.01, freed_by_time=())
    assert (row["cause"], row["handle"], row["due"]) == (OVERDUE, "b1", START + timedelta(days=5))
    assert "15 days" in row["evidence"]


def test_a_silent_holder_is_told_with_the_time_of_silence(exported: ExportedLog) -> None:
    exported.add(0, "checkout", "b1", due=200)
    exported.add(40, "checkout", "s1", mode="session", member="eve", machine="m9", alias=None)
    (row,) = rows(exported, 40.01)
    assert (row["cause"], row["member"]) == (HOLDER_INACTIVE, "ada")
    assert "40 days" in row["evidence"]
    assert rows(exported, 40.01, inactive=timedelta(days=41)) == []


def test_a_disabled_member_needs_no_silence(exported: ExportedLog) -> None:
    exported.add(0, "checkout", "b1", due=200)
    exported.add(3, "denial", None, reason="member-disabled")
    (row,) = rows(exported, 4)
    assert row["cause"] == HOLDER_INACTIVE
    assert "disabled" in row["evidence"]


def moved_alias(exported: ExportedLog) -> None:
    exported.add(0, "checkout", "b1", due=200)
    exported.add(5, "checkout", "s1", mode="session", machine="m2")
    exported.add(5.1, "checkin", "s1", mode="session", machine="m2")


def moved_member(exported: ExportedLog) -> None:
    """The member wants the license on the new machine, and is told that it is out on the other."""
    exported.add(0, "checkout", "b1", due=200)
    exported.add(4.9, "denial", None, machine="m2", alias="new laptop", reason="already-borrowed")
    exported.add(5, "checkout", "s1", mode="session", machine="m2", alias="new laptop")
    exported.add(5.1, "checkin", "s1", mode="session", machine="m2", alias="new laptop")


@pytest.mark.parametrize("story", [moved_alias, moved_member])
def test_a_machine_whose_alias_or_member_moved_on_is_gone(exported: ExportedLog, story: Callable[[ExportedLog], None]) -> None:
    story(exported)
    exported.add(9, "denial", None, member="eve", machine="m9", alias=None)
    (row,) = rows(exported, 9.01)
    assert (row["cause"], row["machine"]) == (MACHINE_GONE, "m1")
    assert "m2" in row["evidence"]


def test_a_second_machine_that_was_there_before_replaces_none(exported: ExportedLog) -> None:
    exported.add(-9, "checkout", "s0", mode="session", machine="m2", alias="desk")
    exported.add(-8, "checkin", "s0", mode="session", machine="m2", alias="desk")
    moved_member(exported)
    exported.add(9, "denial", None, member="eve", machine="m9", alias=None)
    assert rows(exported, 9.01) == []


def test_another_member_who_chose_the_same_alias_has_not_taken_the_machine(exported: ExportedLog) -> None:
    exported.add(0, "checkout", "b1", due=25)
    exported.add(5, "checkout", "s1", mode="session", member="eve", machine="m2")
    exported.add(5.1, "checkin", "s1", mode="session", member="eve", machine="m2")
    assert rows(exported, 9) == []


def test_a_borrow_far_longer_than_any_that_was_kept_is_told_with_what_it_costs(exported: ExportedLog) -> None:
    for number in range(3):
        exported.add(10 * number, "checkout", f"b{number}", due=10 * number + 7)
        exported.add(10 * number + 4, "checkin", f"b{number}")
    exported.add(40, "checkout", "long", due=140)
    (row,) = rows(exported, 41)
    assert (row["cause"], row["handle"]) == (OVER_LONG_BORROW, "long")
    assert "give back 96 days" in row["evidence"]


def test_a_session_open_far_longer_than_its_kind_is_an_outlier(exported: ExportedLog) -> None:
    for number in range(30):
        exported.add(number, "checkout", f"s{number}", mode="session")
        exported.add(number + 0.1, "checkin", f"s{number}", mode="session")
    exported.add(31, "checkout", "open", mode="session")
    exported.add(35, "denial", None, mode="session", reason="pool-exhausted")
    assert rows(exported, 31.5) == []
    (row,) = rows(exported, 35.01)
    assert (row["cause"], row["handle"]) == (OUTLIER, "open")
    assert rows(exported, 35.01, fewest_closed=31) == []


def of_server(tmp_path: Path, hours: list[float], ends: str = "") -> Log:
    """A FlexNet log of sessions that lasted so many hours and ended so, and of one that is open for four days."""
    stamps = [START + timedelta(hours=6 * quarter, minutes=1) for quarter in range(96)]
    lines = [(at, f"(vend) TIMESTAMP {at.month}/{at.day}/{at.year}") for at in stamps]
    for number, length in enumerate(hours):
        lines += [(START, f'(vend) OUT: "F" u{number}@pc{number}  ')]
        lines += [(START + timedelta(hours=length), f'(vend) IN: "F" u{number}@pc{number}  {ends if length > 24 else ""}')]
    opened = START + timedelta(days=20)
    lines += [(opened, '(vend) OUT: "F" ann@pc'), (opened + timedelta(days=4), "(vend) TIMESTAMP 1/29/2026")]
    path = tmp_path / "debug.log"
    path.write_text("".join(f"{at:%H:%M:%S} {text}\n" for at, text in sorted(lines)), encoding="utf-8")
    return read(path)


class TestALongSessionOfAServer:
    """Whether its length tells anything, the site's own past says."""

    def test_it_is_not_named_where_long_ones_came_back_and_figures_say_why(self, tmp_path: Path) -> None:
        log = of_server(tmp_path, [2.0] * 600 + [110.0] * 3)
        assert stuck.find(log).empty
        assert stuck.undecided(log).to_numpy().tolist() == [["vend", 1, 3, 3]]

    def test_it_is_not_named_where_none_was_as_long(self, tmp_path: Path) -> None:
        log = of_server(tmp_path, [2.0] * 30)
        assert stuck.find(log).empty
        assert stuck.undecided(log).to_numpy().tolist() == [["vend", 1, 0, 0]]

    def test_it_is_named_where_the_server_had_to_take_such_back(self, tmp_path: Path) -> None:
        log = of_server(tmp_path, [2.0] * 3_000 + [110.0] * 25, "(INACTIVE)")
        (row,) = stuck.find(log).to_dict("records")
        assert (row["cause"], row["member"]) == (OUTLIER, "ann")
        assert "of 25 that were as long before, 0 were given back" in row["evidence"]
        assert stuck.undecided(log).empty


SERVER = """\
 8:00:00 (lmgrd) FlexNet Licensing (v11.18.0.0 build 1 x64_n6) started on host (linux) (1/5/2026)
 8:00:00 (lmgrd) Server's System Date and Time: Mon Jan 05 2026 08:00:00 UTC
 8:00:01 (vend) Server started on host for:	F
 9:00:00 (vend) OUT: "F" ada@pc1
 9:00:00 (vend) OUT: "F" eve@pc2
10:00:00 (lmgrd) FlexNet Licensing (v11.18.0.0 build 1 x64_n6) started on host (linux) (1/5/2026)
10:00:01 (vend) Server started on host for:	F
10:05:00 (vend) OUT: "F" eve@pc2
11:00:00 (vend) IN: "F" eve@pc2
12:00:00 (vend) TIMESTAMP 1/5/2026
"""


def test_what_a_restart_cut_holds_no_seat_whoever_did_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    path.write_text(SERVER, encoding="utf-8")
    assert stuck.find(read(path)).empty


def test_a_session_that_hangs_is_found_although_others_come_and_go_on_its_host(tmp_path: Path) -> None:
    """First in, first out would close it with the next return and leave the last one open."""
    lines = [*SERVER.splitlines()[:3], ' 9:00:00 (vend) OUT: "F" svc@node', ' 9:10:00 (vend) OUT: "F" svc@node']
    for hour in range(10, 18):
        lines += [f'{hour}:00:00 (vend) IN: "F" svc@node', f'{hour}:30:00 (vend) OUT: "F" svc@node']
    lines += ['18:00:00 (vend) IN: "F" svc@node', "20:00:00 (vend) TIMESTAMP 1/5/2026"]
    for day in range(6, 9):
        lines += [f" 8:00:00 (vend) TIMESTAMP 1/{day}/2026"]
    path = tmp_path / "debug.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    stuck_uses = stuck.find(read(path), thresholds=stuck.Thresholds(inactive=timedelta(days=2)))
    assert list(stuck_uses["since"]) == [pd.Timestamp("2026-01-05 09:00", tz="UTC")]


def test_the_worst_comes_first_and_each_row_says_what_to_do(exported: ExportedLog) -> None:
    exported.add(0, "checkout", "b1", due=200)
    exported.add(1, "checkout", "b2", due=200, member="eve", machine="m2", alias=None)
    exported.add(60, "denial", None, member="ivy", machine="m9", alias=None)
    frame = rows(exported, 60.01)
    assert [row["handle"] for row in frame] == ["b1", "b2"]
    assert all(0 < row["confidence"] <= 1 and row["action"] and row["evidence"] for row in frame)


def test_a_log_without_anything_stuck_gives_an_empty_table(exported: ExportedLog) -> None:
    exported.add(0, "denial", None, reason="pool-exhausted")
    stuck_uses = stuck.find(exported.log())
    assert list(stuck_uses.columns) == [column.name for column in stuck.STUCK]
    assert stuck_uses.empty


@pytest.mark.parametrize(
    "wrong",
    [{"outlier_share": 1.0}, {"outlier_share": 0.0}, {"long_factor": 0.5}, {"outlier_factor": 0.9}, {"fewest_closed": 0}],
)
def test_thresholds_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(QuestionInvalid):
        stuck.Thresholds(**wrong)


def test_a_log_that_ended_says_nothing_of_the_time_that_another_server_s_log_goes_on() -> None:
    """Logs of two servers end on different days; silence counts up to the end of each one's own."""
    events = [event(0, member="ann", machine="m1"), event(1, product="Q", member="bob", machine="m2")]
    spans = [Span("P", BEGIN, BEGIN + DAY), Span("Q", BEGIN, BEGIN + 90 * DAY)]
    log = open_log(RawLog([one._replace(line=number) for number, one in enumerate(events, 1)], spans))
    assert stuck.find(log)["product"].tolist() == ["Q"]
    later = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=BEGIN + 90 * DAY)
    assert stuck.find(log, now=later)["product"].tolist() == ["P", "Q"]
