"""What the page says first is true: each sentence is taken apart, and what it says is computed a second time from the raw events."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from checkout_log import captions, certainty, denials, read, seats, sizing, stuck, usage
from checkout_log.captions import actions
from checkout_log.captions.actions import MISSING, MOST, RELEASE, SPARE, UNTOLD, Action
from checkout_log.log import Log
from checkout_log.report import release_table, summary
from checkout_log.report.site import limits
from checkout_log.store import Seats, frame_of_seats
from tests.notebooks import reference, reference_measures, reference_use
from tests.notebooks.pictures import site_with_stories
from tests.notebooks.random_logs import by_seed, event, open_log, random_log, raw_log, together
from tests.notebooks.reference import DAY, RawLog

GAP = 300 * 1_000_000
Row = dict[str, Any]
NAMES = re.compile(r"`([^`]+)` of `([^`]+)`")


@cache
def raw() -> RawLog:
    """Sixteen random logs as one, each of a product of its own."""
    return together(random_log(by_seed(seed), f"P{seed:03}", 1 + 4 * seed) for seed in range(16))


@cache
def log() -> Log:
    return open_log(raw())


@cache
def raw_counts() -> dict[tuple[str, str], Row]:
    return {(row["product"], row["feature"]): row for row in reference_measures.counts(raw(), GAP)}


@cache
def peaks_of_raw() -> dict[tuple[str, str], Row]:
    return {(row["product"], row["feature"]): row for row in reference_use.peaks(raw(), "handle")}


def key_of(sentence: str) -> tuple[str, str]:
    match = NAMES.search(sentence)
    assert match is not None, sentence
    return match[2], match[1]


def numbers(pattern: str, sentence: str) -> list[int]:
    match = re.search(pattern, sentence)
    assert match is not None, (pattern, sentence)
    words = {"no": 0, "never": 0, "once": 1}
    return [words[one] if one in words else int(one.replace(",", "").removesuffix(" times")) for one in match.groups()]


def test_the_features_that_matter_have_most_hours_or_denials_and_the_rest_is_counted() -> None:
    hours: dict[tuple[str, str], float] = {}
    for row in reference_use.efficiency(raw(), "handle"):
        hours[row["product"], row["feature"]] = hours.get((row["product"], row["feature"]), 0.0) + row["hours"]
    waits = {key: row["episodes"] for key, row in raw_counts().items() if row["episodes"]}
    efficiency, counts = usage.efficiency(log()), denials.counts(log())
    shown = captions.features_that_matter(efficiency, counts)
    weights = {
        key: hours.get(key, 0.0) / sum(hours.values()) + waits.get(key, 0) / sum(waits.values()) for key in hours | waits
    }
    keys = list(zip(shown["product"], shown["feature"], strict=True))
    assert [weights[key] for key in keys] == pytest.approx(sorted(weights.values(), reverse=True)[: len(keys)])
    assert shown["seat_hours"].tolist() == pytest.approx([hours.get(key, 0.0) for key in keys])
    sentence = captions.left_out(shown, efficiency, counts)
    assert numbers(r"are (\d+) of (\d+) features", sentence) == [len(keys), len(weights)]
    share = round(100 * sum(hours.get(key, 0.0) for key in keys) / sum(hours.values()))
    assert numbers(r"with (\d+) % of the hours", sentence) == [share]
    assert numbers(r"and (\d+) of (\d+) denial episodes", sentence) == [
        sum(waits.get(key, 0) for key in keys),
        sum(waits.values()),
    ]


def test_where_seats_are_missing_users_were_denied_so_often_and_so_many_seats_would_have_met_it() -> None:
    utilization = seats.utilization(log())
    sentences = [action.sentence for action in actions.missing(denials.counts(log()), sizing.enough(log()), utilization)]
    known = {(row.product, row.feature): row for row in utilization.itertuples()}
    denied = {key: row for key, row in raw_counts().items() if row["episodes"]}
    named = [key_of(sentence) for sentence in sentences[:MOST]]
    assert (
        sorted((denied[key]["lost"] for key in named), reverse=True)
        == sorted((row["lost"] for row in denied.values()), reverse=True)[:MOST]
    )
    assert numbers(r"^For (\d+) features more .* waiting (once|\d+ times)", sentences[MOST]) == [
        len(denied) - MOST,
        sum(row["episodes"] for key, row in denied.items() if key not in named),
    ]
    demand = list(reference_measures.enough(raw(), "handle", GAP))
    for key, sentence in zip(named, sentences, strict=False):
        row = denied[key]
        said = numbers(r"waiting (once|\d+ times) for .* on (\d+) user-days?", sentence)
        assert said == [row["episodes"], row["user_days"]]
        assert ("got no license" in sentence) == (row["lost"] > 0)
        assert not row["lost"] or numbers(r", and (once|\d+ times) got no license", sentence) == [row["lost"]]
        own = [one for one in demand if (one["product"], one["feature"]) == key]
        assert (not own) == ("not seen in use" in sentence)
        if key in known and known[key].license == "handle":
            more = max(0, min(one["seats"] for one in own if not one["unmet"]) - known[key].seats)
            assert numbers(r"; (\d+) seats? \w+ there", sentence) == [known[key].seats]
            assert more == 0 or numbers(r"and (\d+) more would have met all", sentence) == [more]
            assert (more == 0) == ("as many as were wanted at once" in sentence)
        elif own and key not in known:
            met = min(one["seats"] for one in own if one["unmet"] <= 0.05 * row["episodes"])
            peak = peaks_of_raw()[key]["peak"]
            words = (
                r"; as many as (\d+) \w+ in use"
                if met <= peak
                else r"; (\d+) seats?, with each use counted, would have met 95 % of these"
            )
            assert numbers(words, sentence) == [max(met, peak)]


def test_seats_that_were_in_use_at_other_times_are_no_number_to_buy_and_who_got_one_is_not_lost() -> None:
    counts = pd.DataFrame([{"product": "P", "feature": "F", "episodes": 1, "lost": 0, "user_days": 1}])
    exceeded = pd.Series([0.5, 0.2, 0.0])
    for unmet, words in (([1, 0, 0], "as many as 3 were in use at once"), ([1, 1, 1], "not seen in use")):
        own = pd.DataFrame({"product": "P", "feature": "F", "seats": [1, 2, 3], "exceeded": exceeded, "unmet": unmet})
        (action,) = actions.missing(counts, own, seats.utilization(log()).head(0))
        assert words in action.sentence
        assert "got no" not in action.sentence


def test_of_a_single_look_nothing_is_said_of_time() -> None:
    utilization = seats.utilization(with_seats(log(), dict.fromkeys(peaks_of_raw(), 1))).assign(
        fewest=1, p99=1, license="machine"
    )
    counts, of_log = denials.counts(log()).head(0), usage.peaks(log())
    assert list(actions.full(utilization, counts, of_log))
    assert not list(actions.full(utilization.assign(observed_days=1e-9), counts, of_log))


def with_seats(of: Log, issued: dict[tuple[str, str], int]) -> Log:
    """The log, beside which somebody says how many seats there are."""
    rows = [Seats("s", product, feature, 0, count, None, "license-file") for (product, feature), count in issued.items()]
    return Log(replace(of.stored, seats=frame_of_seats(rows)), of.engine)


def test_a_seat_is_spare_where_not_even_the_upper_bound_took_it_and_nobody_was_denied() -> None:
    peaks = peaks_of_raw()
    issued = {key: 1 + number % 9 for number, key in enumerate(sorted(peaks))}
    known = with_seats(log(), issued)
    utilization, counts = seats.utilization(known).assign(observed_days=30.0), denials.counts(log())
    sentences = [action.sentence for action in actions.spare(utilization, usage.peaks(log()), counts)]
    free = {
        key: issued[key] - row["upper"]
        for key, row in peaks.items()
        if issued[key] > row["upper"] and not raw_counts().get(key, {"raw": 0})["raw"]
    }
    named = [key_of(sentence) for sentence in sentences[:MOST]]
    assert [free[key] for key in named] == sorted(free.values(), reverse=True)[:MOST]
    for key, sentence in zip(named, sentences, strict=False):
        assert peaks[key]["upper"] == 0 or numbers(r": (\d+) of (\d+) seats? \w+ free", sentence) == [free[key], issued[key]]
        assert (peaks[key]["upper"] == 0) == ("none of" in sentence)
    assert numbers(r"^(\d+) features more had (\d+) seats", sentences[MOST]) == [
        len(free) - MOST,
        sum(value for key, value in free.items() if key not in named),
    ]
    assert not list(actions.spare(utilization.assign(observed_days=1.0), usage.peaks(log()), counts))


def test_a_limit_is_known_where_it_never_changed_and_was_never_exceeded() -> None:
    peaks = peaks_of_raw()
    issued = {key: row["peak"] + (-1, 0, 2)[number % 3] for number, (key, row) in enumerate(sorted(peaks.items()))}
    assert limits(with_seats(log(), issued)) == {key: count for key, count in issued.items() if count >= peaks[key]["peak"]}


def test_a_feature_is_full_where_all_seats_were_in_use_for_more_than_a_hundredth_of_the_time() -> None:
    peaks = peaks_of_raw()
    utilization = seats.utilization(with_seats(log(), {key: max(1, row["p99"]) for key, row in peaks.items()}))
    counts, of_log = denials.counts(log()), usage.peaks(log())
    sentences = [action.sentence for action in actions.full(utilization, counts, of_log)]
    by_uses = {(row.product, row.feature) for row in utilization.itertuples() if row.license == "handle"}
    full = {
        key: row["p99"]
        for key, row in peaks.items()
        if row["p99"] and not raw_counts().get(key, {"raw": 0})["raw"] and (key not in by_uses or row["lower"] >= row["p99"])
    }
    named = [key_of(sentence) for sentence in sentences]
    assert [full[key] for key in named] == sorted(full.values(), reverse=True)[:MOST]
    assert full
    assert not list(actions.full(utilization.assign(fewest=utilization["p99"] + 1), counts, of_log))
    # What may have ended before the next began was not surely in use beside it.
    assert not list(actions.full(utilization.assign(license="handle"), counts, of_log.assign(lower=0)))


def test_an_output_of_lmstat_that_lists_nothing_is_named(tmp_path: Path) -> None:
    head = "Flexible License Manager status on Mon 3/2/2026 {}:00\n"
    (tmp_path / "a").write_text(head.format(9) + "Error getting status: Cannot connect to license server (-15,570)\n")
    (tmp_path / "b").write_text(head.format(10) + "Users of F1:  (Total of 1 license issued;  Total of 0 licenses in use)\n")
    assert "1 output of `lmstat` lists no feature: the server did not answer." in untold(read(tmp_path))
    assert "lists no feature" not in untold(read(tmp_path / "b"))


def test_a_total_that_is_not_the_number_of_rows_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(
        "Flexible License Manager status on Mon 3/2/2026 9:00\n"
        "Users of F1:  (Total of 9 licenses issued;  Total of 2 licenses in use)\n"
        '  "F1" v1.0, vendor: vendor\n    ann pc1 pc1 (v1.0) (srv/27000 101), start Mon 3/2 8:00\n'
    )
    text = untold(read(tmp_path))
    assert "a total is not the number of the rows below it" in text
    assert "a clock was set" not in text


def test_one_vendor_daemon_at_two_servers_at_one_time_is_named() -> None:
    def said(*logs: tuple[str | None, int, int]) -> list[str]:
        rows = [
            {"kind": "flexnet", "server": host, "products": "u; v", "begin": pd.Timestamp(begin), "end": pd.Timestamp(end)}
            for host, begin, end in logs
        ]
        quality = pd.DataFrame(rows).assign(events=1, lines=1, undated=0, ambiguous=0, disagreeing=0, malformed=0)
        counts, sessions, spans = denials.counts(log()), certainty.of_sessions(log()), log().stored.spans
        advice = actions.untold(quality, counts, sessions, stuck.undecided(log()), spans, has_seats=True)
        return [action.sentence for action in advice if "--server" in action.sentence]

    both = said(("a", 0, 9), ("b", 5, 20))
    assert [sentence.partition(",")[0] for sentence in both] == [
        f"`{product}` ran at 2 servers at the same time (`a` and `b`)" for product in ("u", "v")
    ]
    # A server that moved, one that writes several files, and one that does not say its name.
    assert not said(("a", 0, 5), ("b", 5, 9)) + said(("a", 0, 9), ("a", 5, 9)) + said(("a", 0, 9), (None, 5, 9))


def test_a_shorter_longest_borrow_is_named_where_it_lowers_the_peak_for_sure() -> None:
    followed = usage.peaks(log()).assign(observed_days=7.0)
    assert not list(actions.shorter_borrows(sizing.what_if(log(), 1), 1, followed.assign(observed_days=6.9)))
    for days in (1, 2):
        rows = [
            row
            for row in reference_measures.what_if(raw(), days * DAY)
            if row["lower"] > 0 and row["peak_after_upper"] < row["peak_before"]
        ]
        said = [action.sentence for action in actions.shorter_borrows(sizing.what_if(log(), days), days, followed)]
        assert len(said) == (1 if rows else 0)
        for sentence in said:
            best = max(rows, key=lambda row: row["lower"])
            assert key_of(sentence) in {(row["product"], row["feature"]) for row in rows if row["lower"] == best["lower"]}
            assert f"from {best['peak_before']:,} to {best['peak_after']:,}" in sentence


def untold(of: Log) -> str:
    return " ".join(action.sentence for action in summary.of(of).actions if action.kind == UNTOLD)


def test_what_is_in_doubt_is_said_with_its_number() -> None:
    rows = list(reference_use.certainty(raw()))
    text = untold(log())
    assert numbers(r"For (\d+) of (\d+) sessions more than one start", text) == [
        sum(row["ambiguous"] for row in rows),
        sum(row["sessions"] for row in rows),
    ]
    assert numbers(r"(\d+) denials? came without a reason", text) == [sum(row["unexplained"] for row in raw_counts().values())]
    gaps = {}
    for product in {span.product for span in raw().spans}:
        parts = reference.joined(raw(), product)
        gaps[product] = sum(later[0] - earlier[1] for earlier, later in pairwise(parts)) / DAY
    most = max(gaps.values())
    assert (most >= 1) == ("covered by no log" in text)
    assert most < 1 or f"{most:,.1f} are covered by no log" in text


def test_of_a_log_without_a_doubt_nothing_is_said_but_that_seats_are_not_known() -> None:
    sure = open_log(raw_log([event(10), event(900, "checkin")]))
    assert untold(sure).startswith("No file says how many seats there are")
    assert [action.kind for action in summary.of(sure).actions] == [UNTOLD]
    known = with_seats(sure, {("P", "F"): 1})
    assert [(action.kind, action.sentence[:28]) for action in summary.of(known).actions] == [
        (MISSING, "`F` of `P`: 1 seat at the fe"),
    ]


def test_seats_that_denials_tell_are_said_to_be_no_more_than_that() -> None:
    of = log()
    quality, counts, sessions = of.quality(), denials.counts(of), certainty.of_sessions(of)
    for are_inferred in (True, False):
        told = actions.untold(
            quality, counts, sessions, stuck.undecided(of), of.stored.spans, has_seats=False, are_inferred=are_inferred
        )
        text = next(action.sentence for action in told if "No file says how many seats" in action.sentence)
        assert are_inferred == ("it is the level at which users were denied" in text)


def test_what_is_to_be_released_are_the_rows_that_look_stuck() -> None:
    of = site_with_stories().log
    rows = stuck.find(of)
    ready = release_table.releasable(of, rows)
    sentences = [action.sentence for action in actions.releases(rows, ready, of.timezone)]
    products = rows["product"].value_counts()
    assert len(sentences) == min(MOST, len(products)) + (len(products) > MOST)
    for sentence in sentences[:MOST]:
        product = re.findall(r"licenses? of `([^`]+)`", sentence)[0]
        own = rows[rows["product"] == product]
        assert numbers(r"^(\d+) licenses? of", sentence) == [len(own)]
        for cause, count in own["cause"].value_counts().items():
            assert f"{count} {cause}" in sentence
        best = own["confidence"].max()
        assert numbers(r"of its like (\d+) % were not given back", sentence) == [round(100 * best)]
        member = re.findall(r"held by `([^`]+)`", sentence)[0]
        assert member in set(own.loc[own["confidence"] == best, "member"])
        count = int(ready["product"].eq(product).sum())
        whole = {len(own): "it" if len(own) == 1 else "all of them"}
        assert (f"can release {whole.get(count, f'{count} of them')} at once" in sentence) == (count > 0)
        strong = int((own["confidence"] >= 0.9).sum())
        part = {0: "none", len(own): "all"}.get(strong, strong)
        assert len(own) == 1 or f", {part} of them with strong evidence" in sentence


def test_several_servers_stand_side_by_side_with_their_names(tmp_path: Path) -> None:
    for host in ("lic1", "lic2"):
        (tmp_path / f"{host}.log").write_text(
            f" 8:00:00 (lmgrd) FlexNet Licensing (v11.19.4) started on {host} (linux) (3/3/2025)\n"
            f' 8:01:00 (v-{host}) OUT: "F" ann@pc1  \n 9:01:00 (v-{host}) IN: "F" ann@pc1  \n'
        )
    both = actions.servers(read(tmp_path).quality())
    assert both[["server", "kind", "products", "files", "events"]].to_numpy().tolist() == [
        ["lic1", "flexnet", "v-lic1", 1, 2],
        ["lic2", "flexnet", "v-lic2", 1, 2],
    ]
    assert actions.servers(read(tmp_path / "lic1.log").quality()).empty


CORPUS = os.environ.get("CARNET_LOG_CORPUS")


@pytest.mark.skipif(CORPUS is None, reason="CARNET_LOG_CORPUS names no folder of real logs")
def test_of_real_logs_nothing_is_said_that_their_lines_do_not_show() -> None:
    folder = Path(CORPUS or "")
    for name in ("adskflex_borrow_options_2016.log", "mlm_2022.log", "lmstat_1.txt", "lmstat_3.txt"):
        path = folder / name
        of = read(path, timezone="Europe/Madrid")
        said: dict[str, list[Action]] = {kind: [] for kind in (RELEASE, MISSING, SPARE, UNTOLD)}
        for action in summary.of(of).actions:
            said[action.kind].append(action)
        text = path.read_text(encoding="utf-8", errors="replace")
        full = re.findall(r"DENIED: .*\(-(?:4|24),|queued for \d+ license", text)
        assert bool(full) == any("kept waiting" in action.sentence for action in said[MISSING]), path.name
        issued = re.findall(r"Total of \d+ licenses? issued", text)
        assert bool(issued) != any("No file says how many seats" in action.sentence for action in said[UNTOLD]), path.name
        for action in said[SPARE]:
            product, feature = key_of(action.sentence)
            assert feature in text, product
            assert issued
        for action in said[RELEASE]:
            assert pd.notna(action.sentence)
            names = re.findall(r"held by `([^`]+)`", action.sentence)
            assert all(name.lower() in text.lower() for name in names)
