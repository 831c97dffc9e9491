"""Real logs, counted a second time without any of the library, and every measure on every one of them."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path

import pandas as pd
import pytest

from checkout_log import hindsight, read, stuck, usage
from checkout_log.log import Log
from checkout_log.measuring import open_uses
from checkout_log.measuring.levels import GROUPINGS
from tests.notebooks.every_measure import EACH, EVERY
from tests.notebooks.stored_rows import stored

CORPUS = os.environ.get("CARNET_LOG_CORPUS")
pytestmark = pytest.mark.skipif(CORPUS is None, reason="CARNET_LOG_CORPUS names no folder of real logs")
FOLDER = Path(CORPUS or "no folder")
LOGS = sorted(path.name for path in FOLDER.glob("*.log")) or [str(FOLDER)]
OUTPUTS = sorted(path.name for path in FOLDER.glob("lmstat*.txt"))
# A line of a vendor daemon: time, daemon, verb, and what it is about.
LINE = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(\d+:\d\d:\d\d) \(([^)]+)\) (OUT|IN|DENIED|UNSUPPORTED|UPGRADE|EXPIRED): (.*?)\s*$")
KINDS = {b"OUT": "checkout", b"IN": "checkin", b"DENIED": "denial", b"UPGRADE": "upgrade"}

# Every sign names a use, however little it tells.
EVERY_SIGN = stuck.Thresholds(least_confidence=0.0)
# Of some logs it is known how many OUT, IN and UNSUPPORTED they hold.
KNOWN = {
    "adskflex_2022.log": (8_402, 8_400, 2),
    "adskflex_borrow_options_2016.log": (1_918, 1_918, 0),
    "maplelmg_2022.log": (262, 262, 0),
    "mlm_2022.log": (10_007, 9_953, 9),
}


@cache
def log(name: str) -> Log:
    return read(FOLDER / name, timezone="Europe/Madrid")


def lines(name: str) -> list[bytes]:
    """The lines of a file as it lies there."""
    return (FOLDER / name).read_bytes().removesuffix(b"\n").split(b"\n")


@cache
def uses(name: str) -> list[tuple[bytes, bytes, bytes, bytes, bytes]]:
    """Time, verb, feature, user and host of every line that has a verb, taken apart at quotes and at the last @."""
    matches = []
    for match in filter(None, map(LINE.match, lines(name))):
        time, _, verb, about = match.groups()
        feature, _, rest = about.removeprefix(b'"').partition(b'"')
        who = re.sub(rb"^ \([0-9A-F ]+\)", b"", rest).strip().split(b"  ")[0]
        user, _, host = who.rpartition(b"@")
        matches.append((time, verb, feature, user, host.split(b" ")[0]))
    return matches


@pytest.mark.parametrize("name", LOGS)
def test_every_verb_is_counted_as_often_as_it_is_written(name: str) -> None:
    written = Counter(verb for _, verb, *_ in uses(name))
    rows = stored(log(name))
    is_probe = rows["reason"].eq("unsupported").fillna(value=False)
    counted = rows[~is_probe]["event"].value_counts()
    assert {kind: int(counted.get(kind, 0)) for kind in KINDS.values()} == {kind: written[verb] for verb, kind in KINDS.items()}
    assert is_probe.sum() == written[b"UNSUPPORTED"]
    quality = log(name).quality().iloc[0]
    # A feature that expired is told of nobody, so it is no event.
    assert quality["events"] == sum(written.values()) - written[b"EXPIRED"]
    text = (FOLDER / name).read_bytes()
    ended = rows["reason"].value_counts()
    assert (ended.get("idle", 0), ended.get("shutdown", 0)) == (text.count(b"(INACTIVE)"), text.count(b"(SHUTDOWN)"))


def test_known_logs_hold_what_is_known_of_them() -> None:
    counted = {name: Counter(verb for _, verb, *_ in uses(name)) for name in KNOWN}
    assert {name: tuple(counts[verb] for verb in (b"OUT", b"IN", b"UNSUPPORTED")) for name, counts in counted.items()} == KNOWN


@pytest.mark.parametrize("name", LOGS)
def test_every_feature_and_user_is_counted_as_often_as_it_is_written(name: str) -> None:
    rows = stored(log(name))
    taken = rows[rows["event"] == "checkout"]
    encoded = [
        (feature.encode(), member.encode(), machine.encode())
        for feature, member, machine in zip(taken["feature"], taken["member"], taken["machine"], strict=True)
    ]
    written = Counter((feature, _utf8(user), host) for _, verb, feature, user, host in uses(name) if verb == b"OUT")
    assert Counter(encoded) == written


def _utf8(text: bytes) -> bytes:
    """A copy in UTF-8, whichever of the two usual encodings it was written in."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("cp1252").encode()
    return text


@pytest.mark.parametrize("name", LOGS + OUTPUTS)
def test_lines_add_up_and_none_is_undated(name: str) -> None:
    quality = log(name).quality().iloc[0]
    assert quality[["undated", "malformed", "overlapping"]].tolist() == [0] * 3
    # Of four features of one output, and of three of another, the server says another total than it lists.
    assert quality["disagreeing"] == {"lmstat_1.txt": 4, "lmstat_5.txt": 3}.get(name, 0)
    assert quality["begin"] <= quality["end"]
    if name in LOGS:
        assert quality["lines"] == len(lines(name)) == quality["events"] + quality["other"]
        assert quality["ambiguous"] == 0


@pytest.mark.parametrize("name", LOGS)
def test_dates_are_those_of_the_nearest_summary(name: str) -> None:
    """Summaries name their time in full every four hours: each event lies between the two around it."""
    table = stored(log(name))
    summary = re.compile(rb"-SLOG@\) Time: \w{3} (\w{3} \d\d \d{4} \d\d:\d\d:\d\d)")
    full = {
        number: datetime.strptime(match[1].decode(), "%b %d %Y %H:%M:%S").replace(tzinfo=UTC).timestamp() * 1e6
        for number, line in enumerate(lines(name), 1)
        if (match := summary.search(line))
    }
    stamps = pd.Series(full).sort_index()
    before = stamps.reindex(table["line"], method="ffill").to_numpy()
    after = stamps.reindex(table["line"], method="bfill").to_numpy()
    local = pd.to_datetime(table["at"], unit="us", utc=True).dt.tz_convert(log(name).timezone)
    at = local.dt.tz_localize(None).to_numpy(dtype="datetime64[us]").astype("int64")
    assert (pd.isna(before) | (at >= before - 60e6)).all()
    assert (pd.isna(after) | (at <= after + 60e6)).all()


def most_in_use(name: str) -> dict[bytes, tuple[int, int, int]]:
    """The most handles, hosts and users of each feature at one moment, by the order of lines alone, in one second returns first."""
    held: dict[bytes, Counter[tuple[bytes, bytes]]] = defaultdict(Counter)
    most: dict[bytes, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for _, second in groupby((use for use in uses(name) if use[1] in (b"OUT", b"IN")), key=lambda use: use[0]):
        rows = sorted(second, key=lambda use: use[1] == b"OUT")
        for _, verb, feature, user, host in rows:
            held[feature][user, host] += 1 if verb == b"OUT" else -1
        for feature in {row[2] for row in rows}:
            now = {who: count for who, count in held[feature].items() if count > 0}
            counts = (sum(now.values()), len({host for _, host in now}), len({user for user, _ in now}))
            most[feature] = tuple(map(max, most[feature], counts))  # type: ignore[assignment]
    return most


def test_the_peak_of_a_batch_site_is_319_handles_82_hosts_or_50_users() -> None:
    """What is one license decides by a factor of six."""
    by_hand = most_in_use("mlm_2022.log")
    assert by_hand[b"MATLAB"] == (319, 82, 50)
    frames = {name: usage.peaks(log("mlm_2022.log"), name).set_index("feature") for name in GROUPINGS}
    assert [frames[name].loc["MATLAB", "peak"] for name in ("handle", "machine", "member")] == [319, 82, 50]
    others = {feature.decode(): counts for feature, counts in by_hand.items() if counts[0]}
    assert {
        feature: tuple(int(frames[name].loc[feature, "peak"]) for name in ("handle", "machine", "member")) for feature in others
    } == others


def test_a_package_and_its_component_are_one_action_of_a_user() -> None:
    row = usage.user_actions(log("adskflex_borrow_options_2016.log")).iloc[0]
    assert (row["checkouts"], row["actions"]) == (1_918, 959)
    outs = [use for use in uses("adskflex_borrow_options_2016.log") if use[1] == b"OUT"]
    by_hand = 0
    for _, second in groupby(outs, key=lambda use: use[0]):
        taken = Counter((user, host, feature) for _, _, feature, user, host in second)
        by_hand += sum(max(taken[key] for key in taken if key[:2] == who) for who in {key[:2] for key in taken})
    assert (len(outs), by_hand) == (1_918, 959)


@pytest.mark.parametrize("name", [*LOGS, *OUTPUTS])
def test_every_measure_says_something_sound_of_every_log(name: str) -> None:
    # An output is one moment, in which the ways to count differ no more than on any log.
    for measure in (EVERY if name in LOGS else EACH).values():
        rows = measure.check(log(name))
        assert measure.is_rare or len(rows)


@pytest.mark.parametrize("name", LOGS)
def test_seats_held_add_up_to_the_lengths_of_the_sessions(name: str) -> None:
    """Time in use, counted by levels and counted by sessions."""
    levels = usage.efficiency(log(name)).groupby("feature")["hours"].sum()
    rows = log(name).sessions()
    hours = (rows["end"] - rows["start"]) / pd.Timedelta(hours=1) * rows["quantity"]
    by_feature = hours.groupby(rows["feature"]).sum()
    assert levels.to_dict() == pytest.approx({feature: value for feature, value in by_feature.items() if feature in levels})


def test_files_in_any_order_or_twice_give_the_same_events(tmp_path: Path) -> None:
    for name in (*LOGS, *OUTPUTS):
        (tmp_path / f"copy of {name}").write_bytes((FOLDER / name).read_bytes())
    names = [FOLDER / name for name in (*LOGS, *OUTPUTS)]
    once = read(*names, timezone="Europe/Madrid")
    turned = read(*reversed(names), timezone="Europe/Madrid")
    twice = read(*names, *reversed(names), FOLDER, timezone="Europe/Madrid")
    copied = read(tmp_path, *names, timezone="Europe/Madrid")
    columns = ["at", "event", "mode", "product", "feature", "member", "machine", "quantity", "until", "reason", "source"]
    expected = once.events()[columns].value_counts(dropna=False).sort_index()
    for other in (turned, twice, copied):
        pd.testing.assert_series_equal(other.events()[columns].value_counts(dropna=False).sort_index(), expected)
        pd.testing.assert_frame_equal(usage.peaks(other), usage.peaks(once))
    of_debug_logs = once.events()["source"] == "flexnet"
    assert copied.quality()["overlapping"].sum() == of_debug_logs.sum() > 0


def test_logs_read_together_keep_their_own_runs() -> None:
    together = read(*(FOLDER / name for name in KNOWN), timezone="Europe/Madrid")
    assert together.quality()["events"].sum() == sum(sum(counts) for counts in KNOWN.values())
    assert len(together.stored.eras) == 4
    assert together.stored.eras["end"].notna().sum() == 1


@pytest.mark.parametrize("files", [2, 5])
def test_a_real_log_in_pieces_that_overlap_is_the_log(tmp_path: Path, files: int) -> None:
    path = FOLDER / "mlm_2022.log"
    written = path.read_bytes().splitlines(keepends=True)
    size = len(written) // files + 1
    for number in range(files):
        piece = written[max(0, number * size - 700) : (number + 1) * size]
        (tmp_path / f"{(number * 7) % files}.log").write_bytes(b"".join(piece))
    whole, parts = stored(read(path)), stored(read(tmp_path))
    columns = ["at", "event", "feature", "member", "machine", "quantity", "reason"]
    assert parts[columns].value_counts(dropna=False).sort_index().equals(whole[columns].value_counts(dropna=False).sort_index())
    assert set(parts["era"]) == {1}


@pytest.mark.parametrize("name", [*LOGS, *OUTPUTS])
def test_what_is_stuck_at_times_that_are_asked_together_is_what_each_says_alone(name: str) -> None:
    of, asked = log(name), hindsight.moments(log(name), 3)
    together = [row for _use, row in stuck.named_at_each(of, asked, EVERY_SIGN)]
    alone = [row for at in asked for _use, row in stuck.named(of, open_uses.when(at), EVERY_SIGN)]
    assert sorted(map(repr, together)) == sorted(map(repr, alone))
