"""Outputs of LM-X's lmxendutil: what a line says, when an output was made, and what several of them say together."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout_log import captions, seats, usage
from checkout_log.captions import actions
from checkout_log.columns import BORROW, CHECKIN, CHECKOUT
from checkout_log.errors import SourceNotRecognized
from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.sources.lmx import rows as grammar
from checkout_log.sources.lmx.outputs import snapshots
from checkout_log.sources.part import LMX, Part
from checkout_log.sources.snapshots.model import Snapshot
from tests.notebooks.stored_rows import stored

HEAD = """LM-X End-user Utility v4.9
Copyright (C) 2002-2020 X-Formation. All rights reserved.

++++++++++++++++++++++++++++++++++++++++
"""
SERVER = """LM-X License Server on {address}:

Server version: v5.1 Uptime: 3 day(s) 12 hour(s) 0 min(s) 51 sec(s)
"""
FEATURE = """----------------------------------------
Feature: {name} Version: 21.0 Vendor: FORMWORKS
Start date: NONE Expire date: 2026-01-31
Key type: EXCLUSIVE License sharing: {sharing}

{in_use} of {issued} license(s) used{colon}
"""
NOBODY = "LM-X license server(s):\n----------------------------------------\nThere are no license server(s) available.\n"
KEEPER = "6200@keeper.example.com"


def use(who: str, start: str, quantity: int = 1) -> str:
    return f"\n{quantity} license(s) used by {who} [10.1.2.3]\n    Login time: 2024-03-11 06:00   Checkout time: {start} \n    Shared on hostname: x \n"


def borrow(who: str, due: str) -> str:
    return f"\n1 license(s) used by {who} [10.1.2.3]\n    Borrow expire time: {due}\n"


def feature(name: str, *uses: str, in_use: int | None = None, issued: int | str = 5, sharing: str = "CUSTOM VIRTUAL") -> str:
    count = len(uses) if in_use is None else in_use
    colon = ":" if uses else ""
    return FEATURE.format(name=name, sharing=sharing, in_use=count, issued=issued, colon=colon) + "".join(uses)


def output(*features: str, address: str = KEEPER) -> str:
    return HEAD + SERVER.format(address=address) + "".join(features)


def of(text: str, folder: Path, name: str = "x.txt") -> Log:
    (folder / name).write_text(text)
    return read(folder / name)


def happened(log: Log) -> list[tuple[object, ...]]:
    """Time, event, feature, user, host and seats of each event, in order of time."""
    rows = stored(log).sort_values(["at", "line"])[["at", "event", "feature", "member", "machine", "quantity"]]
    return [tuple(None if pd.isna(value) else value for value in row) for row in rows.itertuples(index=False)]


def shown(text: str) -> tuple[list[Snapshot], Part]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.txt"
        path.write_text(text)
        part = Part(str(path), LMX)
        return list(snapshots(part, 0)), part


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> int:
    """Microseconds since 1970 of a time in UTC."""
    return int(pd.Timestamp(text, tz="UTC").value) // 1000


LINES = {
    "15000 license(s) used by MIRA@WS0082 [10.1.2.3]": [grammar.Use("MIRA", "WS0082", 15000)],
    "  1 license(s) used by Ana Mª Núñez@pc1.example.com_ver2 [10.1.2.3] ": [
        grammar.Use("Ana Mª Núñez", "pc1.example.com_ver2", 1)
    ],
    "1 license(s) used by ann@corp.com@pc1 [fe80::1]": [grammar.Use("ann@corp.com", "pc1", 1)],
    "0 license(s) used by ann@pc1 [10.1.2.3]": [],
    "1 license(s) used by ann [10.1.2.3]": [],
    "0 of 3 license(s) used": [grammar.Seats(0, 3)],
    "40000 of 1000003 license(s) used:": [grammar.Seats(40000, 1000003)],
    "7 of 2147483647 license(s) used:": [grammar.Seats(7, None)],
    "7 of UNLIMITED license(s) used:": [grammar.Seats(7, None)],
    "99999999999999999999 of 3 license(s) used": [],
    "Feature: 5_0-Ray Arc Version: 2.0 Vendor: FORMWORKS": [grammar.Feature("5_0-Ray Arc", "FORMWORKS")],
    "Feature: Arc Version: 2.0": [],
    "Key type: EXCLUSIVE License sharing: HOST USER VIRTUAL": [grammar.Sharing(is_shared=True, dup_group="UH")],
    "Key type: EXCLUSIVE License sharing: HOST ": [grammar.Sharing(is_shared=True, dup_group="H")],
    "Key type: EXCLUSIVE License sharing: CUSTOM VIRTUAL": [grammar.Sharing(is_shared=True, dup_group=None)],
    "Key type: ADDITIVE License sharing: VIRTUAL": [grammar.Sharing(is_shared=False, dup_group=None)],
    "LM-X License Server on 6200@keeper:": [grammar.Server("6200@keeper")],
    "Login time: 2024-03-11 09:26   Checkout time: 2024-03-11 09:29 ": [grammar.Start(at("2024-03-11 09:29"))],
    "Login time: 2024-03-11 09:26   Checkout time: 2024-13-11 09:29 ": [],
    "Borrow expire time: 2024-03-20 18:00": [grammar.Due(at("2024-03-20 18:00"))],
    '<LICENSE_PATH TYPE="NETWORK" HOST="6200@keeper" SERVER_VERSION="5.5" STATUS="SUCCESS">': [grammar.Server("6200@keeper")],
    '<FEATURE NAME="A&amp;B" VERSION="1" VENDOR="V" END="2025-12-31" USED_LICENSES="2" TOTAL_LICENSES="9" SHARE="HOST ,VIRTUAL">': [
        grammar.Feature("A&B", "V"),
        grammar.Sharing(is_shared=True, dup_group="H"),
        grammar.Seats(2, 9),
    ],
    '<USER NAME="ann" HOST="pc1" IP="10.1.2.3" USED_LICENSES="2" LOGIN_TIME="2024-03-11 08:00" CHECKOUT_TIME="2024-03-11 09:29"/>': [
        grammar.Use("ann", "pc1", 2),
        grammar.Start(at("2024-03-11 09:29")),
    ],
    '<USER NAME="bob" HOST="pc2" IP="10.1.2.3" USED_LICENSES="1" BORROW_EXPIRE_TIME="2024-03-20 18:00"/>': [
        grammar.Use("bob", "pc2", 1),
        grammar.Due(at("2024-03-20 18:00")),
    ],
    '<USER NAME="" HOST="pc2" USED_LICENSES="1"/>': [],
    "There are no license server(s) available.": [],
}


def test_a_line_says_what_it_says() -> None:
    for line, marks in LINES.items():
        assert list(grammar.marks(line)) == marks, line


STAMPS = {
    "2024-03-11 17:30": "2024-03-11 17:30",
    "=== 2024-03-11T17:30:05+01:00 ===": "2024-03-11 17:30:05",
    "[2024-03-11 17:30:05.123]": "2024-03-11 17:30:05",
    "2024-03-11T17:30:05Z": "2024-03-11 17:30:05",
    "Mon Mar 11 17:30:05 CET 2024": "2024-03-11 17:30:05",
    "Mon 11 Mar 2024 05:30:05 PM CET": "2024-03-11 17:30:05",
    "Mon Mar  4 12:30:05 AM CET 2024": "2024-03-04 00:30:05",
    "Start date: 2024-03-11 Expire date: 2025-01-31": None,
    "2024-03-11": None,
    "2024-02-31 10:00": None,
    "Mon Mar 11 17:30:05 CET": None,
    "": None,
}


def test_a_line_that_is_a_time_alone_says_when_an_output_was_made() -> None:
    for line, time in STAMPS.items():
        assert grammar.stamp(line) == (None if time is None else at(time)), line


FIRST = output(
    feature("Tokens", use("MIRA@ws1", "2024-03-11 09:29", 15000), use("MIRA@ws1", "2024-03-11 09:26", 25000), in_use=40000, issued=10**6),
    feature("Viewer", use("ann@pc1", "2024-03-11 08:50"), borrow("bob@pc2", "2024-03-20 18:00")),
    feature("Idle"),
)  # fmt: skip
SECOND = output(
    feature("Tokens", use("MIRA@ws1", "2024-03-11 09:29", 15000), in_use=15000, issued=10**6),
    feature("Viewer", use("ann@pc1", "2024-03-11 08:50"), use("eve@pc3", "2024-03-11 10:05"), borrow("bob@pc2", "2024-03-20 18:00")),
    feature("Idle", issued=6),
)  # fmt: skip
DATED = f"2024-03-11 10:00\n{FIRST}\n2024-03-11 10:10\n{SECOND}\n"


def test_two_outputs_tell_what_happened_between_them(tmp_path: Path) -> None:
    log = of(DATED, tmp_path)
    looked, again = utc("2024-03-11 10:00"), utc("2024-03-11 10:10")
    assert happened(log) == [
        (utc("2024-03-11 08:50"), CHECKOUT, "Viewer", "ann", "pc1", 1),
        (utc("2024-03-11 09:26"), CHECKOUT, "Tokens", "MIRA", "ws1", 25000),
        (utc("2024-03-11 09:29"), CHECKOUT, "Tokens", "MIRA", "ws1", 15000),
        (looked, CHECKOUT, "Viewer", "bob", "pc2", 1),
        (utc("2024-03-11 10:05"), CHECKOUT, "Viewer", "eve", "pc3", 1),
        (again, CHECKIN, "Tokens", "MIRA", "ws1", 25000),
    ]
    borrowed = stored(log).query(f"mode == '{BORROW}'")
    assert list(borrowed["member"]) == ["bob"]
    assert list(borrowed["until"]) == [utc("2024-03-20 18:00")]
    quality = log.quality().iloc[0]
    assert (quality["kind"], quality["server"], quality["products"]) == (LMX, KEEPER, "FORMWORKS")
    # The borrow does not say since when, and the end is only known from the later look.
    assert (quality["malformed"], quality["disagreeing"], quality["ambiguous"]) == (0, 0, 2)
    assert [quality[name] for name in ("begin", "end")] == [pd.Timestamp(time, unit="us", tz="UTC") for time in (looked, again)]


def test_seats_are_those_that_the_server_states(tmp_path: Path) -> None:
    log = of(DATED, tmp_path)
    issued = seats.issued(log)[["feature", "seats", "change", "source"]]
    assert sorted(issued.itertuples(index=False, name=None)) == [
        ("Idle", 5, 0, LMX),
        ("Idle", 6, 1, LMX),
        ("Tokens", 10**6, 0, LMX),
        ("Viewer", 5, 0, LMX),
    ]
    peaks = usage.peaks(log).set_index("feature")
    assert (peaks.loc["Tokens", "peak"], peaks.loc["Tokens", "lower"]) == (40000, 40000)


def test_what_is_in_use_and_not_listed_is_of_nobody_and_no_limit_is_no_number(tmp_path: Path) -> None:
    text = output(
        feature("F1", use("ann@pc1", "2024-03-11 08:50"), in_use=4),
        feature("F2", issued=2**31 - 1),
        feature("F3", issued="UNLIMITED"),
    )
    log = of(f"2024-03-11 10:00\n{text}", tmp_path)
    assert happened(log)[-1] == (utc("2024-03-11 10:00"), CHECKOUT, "F1", None, None, 3)
    assert log.quality()["disagreeing"].tolist() == [1]
    assert set(seats.issued(log)["feature"]) == {"F1"}


def test_uses_that_share_a_license_are_one_and_contradict_no_total(tmp_path: Path) -> None:
    uses = use("ann@pc1", "2024-03-11 08:50"), use("ann@pc1", "2024-03-11 08:55"), use("bob@pc2", "2024-03-11 09:00")
    log = of(f"2024-03-11 10:00\n{output(feature('F1', *uses, in_use=2, sharing='HOST VIRTUAL'))}", tmp_path)
    assert log.quality()["disagreeing"].tolist() == [0]
    row = seats.utilization(log).iloc[0]
    assert (row["license"], row["peak"], row["seats"]) == ("machine", 2, 5)
    assert seats.options(log)[["option", "name", "source"]].to_numpy().tolist() == [["dup-group", "H", LMX]]


XML = f"""{HEAD}<?xml version="1.0" encoding="UTF-8"?>
<LM-X STAT_VERSION="3.32">
  <LICENSE_PATH TYPE="NETWORK" HOST="{KEEPER}" SERVER_VERSION="5.5" UPTIME="8 hour(s)" STATUS="SUCCESS">
    <FEATURE NAME="Tokens" VERSION="22.0" VENDOR="FORMWORKS" START="2020-04-25" END="2025-12-31" USED_LICENSES="40000" TOTAL_LICENSES="1000000" SHARE="CUSTOM ,VIRTUAL">
      <USER NAME="MIRA" HOST="ws1" IP="10.1.2.3" USED_LICENSES="15000" LOGIN_TIME="2024-03-11 06:00" CHECKOUT_TIME="2024-03-11 09:29" SHARE_CUSTOM="a:b"/>
      <USER NAME="MIRA" HOST="ws1" IP="10.1.2.3" USED_LICENSES="25000" LOGIN_TIME="2024-03-11 06:00" CHECKOUT_TIME="2024-03-11 09:26" SHARE_CUSTOM="a:b"/>
    </FEATURE>
    <FEATURE NAME="Viewer" VERSION="22.0" VENDOR="FORMWORKS" START="2020-04-25" END="2025-12-31" USED_LICENSES="2" TOTAL_LICENSES="5" SHARE="CUSTOM ,VIRTUAL">
      <USER NAME="ann" HOST="pc1" IP="10.1.2.3" USED_LICENSES="1" LOGIN_TIME="2024-03-11 06:00" CHECKOUT_TIME="2024-03-11 08:50"/>
      <USER NAME="bob" HOST="pc2" IP="10.1.2.3" USED_LICENSES="1" BORROW_EXPIRE_TIME="2024-03-20 18:00"/>
    </FEATURE>
    <FEATURE NAME="Idle" VERSION="22.0" VENDOR="FORMWORKS" END="2025-12-31" USED_LICENSES="0" TOTAL_LICENSES="5" SHARE="VIRTUAL"/>
  </LICENSE_PATH>
</LM-X>
"""


def test_xml_says_what_text_says(tmp_path: Path) -> None:
    both = [
        of(f"2024-03-11 10:00\n{text}", tmp_path, name)
        for name, text in (("text", FIRST), ("xml", XML), ("bare", XML.removeprefix(HEAD)))
    ]
    assert happened(both[0]) == happened(both[1]) == happened(both[2])
    assert seats.issued(both[0]).equals(seats.issued(both[1]))


def test_an_output_is_of_the_time_beside_it_and_else_of_the_latest_that_it_shows() -> None:
    cases = {
        DATED: ["10:00", "10:10"],
        f"{FIRST}\n2024-03-11 10:00\n{SECOND}\n2024-03-11 10:10\n": ["10:00", "10:10"],
        FIRST + SECOND: ["09:29", "10:05"],
        f"2024-03-11 10:00\n{FIRST}{SECOND}": ["10:00", "10:05"],
        f"2024-03-11 10:20\n{FIRST}{SECOND}": ["10:20", "10:20"],
        output(feature("F1")) + FIRST: ["09:29"],
        FIRST + output(feature("F1")): ["09:29", "09:29"],
        FIRST + SERVER.format(address=KEEPER) + feature("F1"): ["09:29", "09:29"],
        FIRST + SERVER.format(address="6200@other") + feature("F1"): ["09:29", "09:29"],
    }
    for text, times in cases.items():
        assert [f"{snapshot.at:%H:%M}" for snapshot in shown(text)[0]] == times


def test_of_outputs_without_a_time_the_last_counts_where_none_has_one(tmp_path: Path) -> None:
    now = output(
        feature("Tokens", use("MIRA@ws1", "2024-03-11 09:29", 15000), in_use=15000), feature("Viewer"), feature("Idle")
    )
    (tmp_path / "a").write_text(FIRST)
    (tmp_path / "b").write_text(now)
    for log in (of(FIRST + now, tmp_path), read(tmp_path / "a", tmp_path / "b")):
        # How long after the first look the second came nobody knows: nobody is said to have given back anything at any time.
        assert happened(log) == [(utc("2024-03-11 09:29"), CHECKOUT, "Tokens", "MIRA", "ws1", 15000)]
        assert (log.quality()["undated"].sum(), log.quality()["malformed"].sum()) == (4, 0)
        assert log.quality()["lines"].sum() == len((FIRST + now).splitlines())
    dated = of(f"2024-03-11 10:00\n{FIRST}{now}", tmp_path)
    assert {event for _, event, *_ in happened(dated)} == {CHECKOUT}
    assert dated.quality()["undated"].tolist() == [1]


def test_each_server_of_an_output_is_held_against_itself(tmp_path: Path) -> None:
    other = SERVER.format(address="6200@other") + feature("F9", use("eve@pc3", "2024-03-11 09:40")).replace(
        "FORMWORKS", "OTHER"
    )
    silent = SERVER.format(address="6200@other") + "The server did not answer.\n"
    log = of(f"2024-03-11 10:00\n{FIRST}{other}\n2024-03-11 10:10\n{FIRST}{silent}", tmp_path)
    # Of a server that did not answer an output says nothing.
    assert CHECKIN not in set(stored(log)["event"])
    assert log.quality()["products"].tolist() == ["FORMWORKS; OTHER"]


def test_a_use_that_grows_moves_what_it_grew_by(tmp_path: Path) -> None:
    grown = FIRST.replace("25000 license(s) used by", "26000 license(s) used by").replace("40000 of", "41000 of")
    log = of(f"2024-03-11 10:00\n{FIRST}2024-03-11 10:10\n{grown}", tmp_path)
    assert happened(log)[-1] == (utc("2024-03-11 10:10"), "upgrade", "Tokens", "MIRA", "ws1", 1000)


def test_a_borrow_that_is_gone_when_it_was_due_ran_out(tmp_path: Path) -> None:
    rest = output(feature("Viewer", use("ann@pc1", "2024-03-11 08:50")), feature("Tokens"), feature("Idle"))
    log = of(f"2024-03-11 10:00\n{FIRST}2024-03-21 10:00\n{rest}", tmp_path)
    assert {member for _, event, _, member, *_ in happened(log) if event == CHECKIN} == {"MIRA"}
    assert set(log.sessions().query("member == 'bob'")["ended_by"]) == {"expiry"}


def test_damaged_lines_are_counted_and_put_nothing_under_another_name() -> None:
    text = output(
        feature("F1", use("ann@pc1", "2024-03-11 08:50")),
        feature("F2", use("bob@pc2", "2024-03-11 08:55"), use("eve@pc3", "2024-03-11 08:59")),
    )
    for old, new, malformed, users in (
        ("Feature: F2 Version", "Feature: F2 Vers\x00on", 1, {("F1", "ann"), ("unknown", "bob"), ("unknown", "eve")}),
        ("used by bob@pc2 [10.1.2.3]", "used by bob", 1, {("F1", "ann"), ("F2", "eve")}),
        ("2024-03-11 08:55", "2024-03-41 08:55", 1, {("F1", "ann"), ("F2", "eve")}),
    ):
        (snapshot,), part = shown("2024-03-11 10:00\n" + text.replace(old, new))
        assert part.malformed == malformed
        assert {(key.feature, key.member) for key in snapshot.users if key.member} == users


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([FIRST, SECOND, XML, HEAD + NOBODY]), min_size=1, max_size=4), st.data())
def test_a_cut_takes_nothing_from_the_outputs_above_it(outputs: list[str], data: st.DataObject) -> None:
    dated = [f"2024-03-11 1{number}:00\n{text}\n" for number, text in enumerate(outputs)]
    whole, _ = shown("".join(dated))
    cut = data.draw(st.integers(0, sum(map(len, dated))))
    ended = next(number for number in range(len(dated), -1, -1) if sum(map(len, dated[:number])) <= cut)
    rest, part = shown("".join(dated)[:cut])
    before = [snapshot for snapshot in whole if snapshot.at < at(f"2024-03-11 1{ended}:00")]
    assert [(one.at, one.users, one.totals) for one in rest[: len(before)]] == [
        (one.at, one.users, one.totals) for one in before
    ]
    # A damaged line or a use without its times: no more than what is cut in two.
    assert part.malformed <= 1


def test_an_output_from_which_nothing_follows_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for text, said in (
        (HEAD + NOBODY, r"lists no features: There are no license server\(s\) available"),
        (output(), "lists no features"),
        (output(feature("F1")), "shows no use and not when it was made.*date"),
    ):
        with pytest.raises(SourceNotRecognized, match=said):
            of(text, tmp_path)


def test_the_page_says_what_outputs_of_lmx_do_not_tell(tmp_path: Path) -> None:
    (tmp_path / "shown.txt").write_text(FIRST)
    (tmp_path / "silent.txt").write_text(HEAD + NOBODY)
    log = read(tmp_path)
    sentences = [
        captions.denial_counts(pd.DataFrame(), log.quality()),
        *(action.sentence for action in actions.of_lists(log.quality())),
    ]
    assert [re.split(r"[:;]|\. ", sentence)[0].rstrip(".") for sentence in sentences] == [
        "Outputs of lmxendutil show who has a license, and neither who waits nor who was denied",
        "1 output of `lmxendutil` lists nothing",
        "An output of `lmxendutil` does not say when it was made",
    ]
