"""Sentences have the numbers of their frames in them, and something to say where there are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from checkout_log import borrows, captions, certainty, daily, denials, read, scoring, sizing, stuck, usage
from checkout_log.certainty import CERTAINTY
from checkout_log.measuring.levels import GROUPINGS
from checkout_log.report import display, release_table
from tests.notebooks.pictures import FEATURE, PRODUCT, site, site_with_stories

Say = Callable[..., str]


def of_feature(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["product"] == PRODUCT) & (frame["feature"] == FEATURE)].reset_index(drop=True)


def sessions() -> pd.DataFrame:
    return site().log.sessions()


def lasted() -> pd.DataFrame:
    return usage.lasted(site().log)


def peaks_of_all_groupings() -> pd.DataFrame:
    return pd.concat([usage.peaks(site().log, name).assign(license=name) for name in GROUPINGS], ignore_index=True)


def tried() -> pd.DataFrame:
    return pd.concat([sizing.what_if(site().log, days).assign(longest_days=days) for days in (3, 14)], ignore_index=True)


# What a sentence is made from, what is asked beside it, and what it says where there is nothing.
CASES: dict[str, tuple[Say, Callable[[], pd.DataFrame], tuple[object, ...], str]] = {
    "average": (captions.average, lambda: of_feature(usage.heat_map(site().log)), ("UTC",), "Nothing was in use."),
    "borrow_ageing": (captions.borrow_ageing, lambda: borrows.ageing(site().log), (), "Nothing was borrowed."),
    "borrow_kept": (captions.borrow_kept, lambda: borrows.ageing(site().log), (), "No borrow has ended yet."),
    "days_since_used": (captions.days_since_used, lambda: usage.last_used(site().log), (30,), "Nobody used anything."),
    "denial_counts": (
        captions.denial_counts,
        lambda: denials.counts(site().log),
        (),
        "The log shows no denial for lack of seats.",
    ),
    "denial_episodes": (
        captions.denial_episodes,
        lambda: denials.counts(site().log),
        (),
        "The log shows nobody who was kept waiting.",
    ),
    "efficiency": (captions.efficiency, lambda: of_feature(usage.efficiency(site().log)), (), "Nothing was in use."),
    "enough_seats": (captions.enough_seats, lambda: of_feature(sizing.enough(site().log)), (5,), "Nothing was in use."),
    "forecast": (captions.forecast, lambda: of_feature(sizing.forecast(site().log, 20)), (5,), "Nothing was in use."),
    "heat_map": (captions.heat_map, lambda: of_feature(usage.heat_map(site().log)), (5, "UTC"), "Nothing was in use."),
    "peak": (captions.peak, lambda: of_feature(usage.peaks(site().log)), (5,), "Nothing was in use."),
    "peaks_by_grouping": (captions.peaks_by_grouping, peaks_of_all_groupings, (), "Nothing was in use."),
    "reclaimed": (
        captions.reclaimed,
        lasted,
        (3,),
        "The log shows no session that the server took back after idle time.",
    ),
    "reclaims": (
        captions.reclaims,
        lambda: scoring.reclaims(lasted()),
        (),
        "Nothing is labelled as idle, so nothing can be held against it.",
    ),
    "session_lengths": (captions.session_lengths, lambda: of_feature(usage.lengths(site().log)), (), "There are no sessions."),
    "stuck_by_cause": (captions.stuck_by_cause, lambda: stuck.find(site_with_stories().log), (), "No license looks stuck."),
    "time_at_level": (captions.time_at_level, lambda: of_feature(usage.time_at_level(site().log)), (), "Nothing was in use."),
    "use_over_time": (captions.use_over_time, lambda: of_feature(daily.by_day(site().log)), (5, "UTC"), "Nothing was in use."),
    "user_actions": (captions.user_actions, lambda: usage.user_actions(site().log), (), "There are no checkouts."),
    "what_if": (
        captions.what_if,
        lambda: tried().query("feature == 'Advanced' and product == 'arcgis-pro'"),
        (14,),
        "Nothing was borrowed.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_sentence_says_something_with_numbers(name: str) -> None:
    say, frame, more, _ = CASES[name]
    text = say(frame(), *more)
    assert text.endswith(".")
    assert any(sign.isdigit() for sign in text)
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize("name", CASES)
def test_a_sentence_says_so_where_there_is_nothing(name: str) -> None:
    say, frame, more, nothing = CASES[name]
    assert say(frame().head(0), *more) == nothing


def test_the_peak_and_its_bounds_are_said() -> None:
    rows = peaks_row(p95=4, p99=6)
    assert captions.peak(rows, 10) == (
        "4 seats of `f` serve 95 % of the time and 6 serve 99 %, of 10 that there are; the peak was 7 (at least 5, at most 9)."
    )
    certain = rows.assign(lower=7, upper=7)
    assert captions.peak(certain).endswith("the peak was 7.")


def peaks_row(**more: float) -> pd.DataFrame:
    row: dict[str, object] = {"product": "p", "feature": "f", "peak": 7, "lower": 5, "upper": 9, "observed_days": 30.0}
    return pd.DataFrame([row | more])


@pytest.mark.parametrize(
    ("p95", "p99", "said"),
    [
        (1, 1, "1 seat of `f` serves 95 % of the time and 1 serves 99 %; "),
        (0, 1, "For 95 % of the time no seat of `f` was in use, and 1 serves 99 %; "),
        (0, 2, "For 95 % of the time no seat of `f` was in use, and 2 serve 99 %; "),
        (0, 0, "For 99 % of the time no seat of `f` was in use; "),
    ],
)
def test_one_seat_and_none_are_said_as_people_say_them(p95: int, p99: int, said: str) -> None:
    assert captions.peak(peaks_row(p95=p95, p99=p99)).startswith(said)


def test_short_times_are_said_in_minutes_and_seconds() -> None:
    levels = pd.DataFrame({"level": [0, 1, 2], "hours": [90.0, 9.5, 0.5], "share": [0.9, 0.095, 0.005]})
    assert captions.time_at_level(levels).endswith("and the most, 2, for 30 minutes.")
    assert captions.time_at_level(levels.assign(hours=[90.0, 10.0, 12 / 3600])).endswith("for 12 seconds.")
    assert captions.time_at_level(levels.assign(hours=[9e3, 1e3, 1234.5])).endswith("for 1,234.5 hours.")


def test_nearly_all_is_not_all_and_the_last_seat_is_in_use_no_longer_than_the_first() -> None:
    levels = pd.DataFrame({"level": [0, 1], "hours": [90.0, 0.1], "share": [0.999, 0.001]})
    assert captions.time_at_level(levels).startswith("For more than 99 % of the time no seat was in use; otherwise")
    seats = pd.DataFrame({"feature": "F", "seat": [1, 20], "hours": [5.14, 5.13], "share": [0.43, 0.43]})
    assert captions.efficiency(seats).startswith("The first seat was in use for 5.1 hours (43 % of the time), seat 20 for 5.1;")
    assert "for 266 hours (43 % of the time), seat 20 for 266;" in captions.efficiency(seats.assign(hours=[266.4, 266.3]))


def test_a_log_of_a_single_moment_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("".join(f'2022-05-05T10:00:00Z (v) OUT: "F1" {who}@pc1  \n' for who in ("ann", "bob")))
    log = read(tmp_path / "x")
    peaks, week = usage.peaks(log), usage.heat_map(log)
    one = "At the one moment that the log shows, "
    assert captions.peak(peaks) == f"{one}2 seats of `F1` were in use (at least 0, at most 2)."
    assert captions.findings.of_use(peaks, week) == captions.peak(peaks)
    assert captions.time_at_level(usage.time_at_level(log)) == f"{one}2 were in use."
    assert captions.heat_map(week) == "The log shows one moment, on Thu between 10 and 11 o'clock (UTC): 2 in use."
    assert captions.average(week) == "The log shows one moment, from which no average follows."
    assert captions.efficiency(usage.efficiency(log)) == f"{one}2 seats were in use."
    assert captions.use_over_time(daily.by_day(log)) == "On the only day, 2022-05-05, the peak was 2."
    assert captions.session_lengths(usage.lengths(log)) == (
        "Of 2 sessions too few were seen to end to know how long sessions last."
    )
    assert captions.forecast(sizing.forecast(log)).startswith("No forecast: too short a past")
    assert captions.other_denials(denials.counts(log)) == "The log shows nothing that was refused for another reason."
    assert set(display.texts(peaks)["observed_days"]) == set(display.texts(usage.efficiency(log))["hours"]) == {"0"}


def test_nothing_is_said_of_what_there_is_none_of() -> None:
    counts = pd.DataFrame([{"unsupported": 0, "other": 25, "unexplained": 0}])
    assert captions.other_denials(counts) == "25 denials had other reasons such as rules."
    assert captions.other_denials(counts.assign(unsupported=1)).startswith("1 request came when the server did not serve")
    assert captions.certainty(certainty.of_sessions(site().log).iloc[:0]) == "There are no sessions."
    borrows = pd.DataFrame(
        {"is_out": [False], "is_overdue": [False], "days_out": [2.0], "ended_by": ["checkin"], "renewals": [0]}
    )
    assert "100 % were given back; 0 were renewed" in captions.borrow_kept(borrows)
    assert "0 % were given back, the others ran out" in captions.borrow_kept(borrows.assign(ended_by="expiry"))
    borrowed = {"longest_days": 14, "product": "p", "feature": "F", "given_back": 2, "seat_days": 9, "lower": 2, "upper": 2}
    rows = pd.DataFrame([borrowed | {"used_beyond": 0, "borrows": 5, "peak_before": 4, "peak_after": 4}])
    assert captions.what_if(rows, 14).endswith("and the peak would stay 4.")
    assert captions.what_if(rows.assign(peak_after=3), 14).endswith("and the peak would be 3 instead of 4.")


def test_every_doubt_of_the_reading_is_said() -> None:
    counts = {
        "kind": "flexnet",
        "lines": 100,
        "events": 90,
        "malformed": 1,
        "undated": 2,
        "ambiguous": 3,
        "disagreeing": 4,
        "overlapping": 5,
    }
    text = captions.quality(pd.DataFrame([counts]))
    assert text == (
        "90 events came out of 100 lines in 1 file: 1 could not be read, 2 had no date and were left out, 3 could lie a day or an "
        "hour off, 4 times disagreed with others, 5 stood in two files and count once."
    )


def test_a_single_doubt_is_said_as_one() -> None:
    counts = dict.fromkeys(("malformed", "undated", "ambiguous", "disagreeing", "overlapping"), 1)
    text = captions.quality(pd.DataFrame([counts | {"kind": "flexnet", "lines": 9, "events": 5}]))
    for said in ("1 had no date and was left out", "1 time disagreed with another", "counts once"):
        assert said in text


def test_a_log_without_any_date_says_what_to_give_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(' 8:00:00 (v) OUT: "F1" ann@pc1  \n')
    text = captions.quality(read(tmp_path / "x").quality())
    assert text == (
        "No events came out of 1 line in 1 file: 1 had no date and was left out. A piece of a log without any date stamp has no "
        "dates: give the files beside it too."
    )


def test_a_log_without_any_use_has_no_feature_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(" 8:00:00 (lmgrd) TIMESTAMP 5/5/2022\n")
    peaks = usage.peaks(read(tmp_path / "x"))
    assert captions.looked_at(*captions.feature_to_show(peaks)) + captions.peak(peaks) == "Nothing was in use."
    assert captions.looked_at("p", "f") == "From here on: `f` of `p`. "


def test_doubts_count_every_use_of_the_log_once() -> None:
    log = site().log
    rows = certainty.of_sessions(log)
    assert list(rows.columns) == [column.name for column in CERTAINTY]
    assert rows["sessions"].sum() == len(sessions())
    assert rows["cut"].sum() == sessions()["cut"].sum()
    assert rows["open"].sum() == sessions()["censored"].sum()
    assert captions.certainty(rows).startswith(f"{len(sessions()):,} sessions: ")


def test_each_day_has_its_peak_and_the_highest_is_the_peak_of_the_log() -> None:
    days = daily.by_day(site().log)
    peaks = usage.peaks(site().log).set_index(["product", "feature"])
    highest = days.groupby(["product", "feature"])[["peak", "lower", "upper"]].max()
    pd.testing.assert_frame_equal(highest, peaks[["peak", "lower", "upper"]], check_like=True, check_dtype=False)
    assert not days.duplicated(["product", "feature", "day"]).any()
    assert (days["day"].dt.tz_convert(site().log.timezone).dt.hour == 0).all()


def test_the_feature_to_look_at_is_the_one_asked_for_or_the_one_needed_most() -> None:
    peaks = usage.peaks(site().log)
    most = peaks.sort_values(["p95", "peak"]).iloc[-1]
    assert captions.feature_to_show(peaks) == (most["product"], most["feature"])
    assert captions.feature_to_show(peaks, PRODUCT, FEATURE) == (PRODUCT, FEATURE)
    assert captions.feature_to_show(peaks, "geomodel")[0] == "geomodel"
    assert captions.feature_to_show(peaks.head(0)) == ("", "")


def test_findings_say_so_where_there_is_nothing() -> None:
    log = site().log
    peaks, counts, ageing = usage.peaks(log).head(0), denials.counts(log).head(0), borrows.ageing(log).head(0)
    quality, stuck_uses = log.quality(), stuck.find(site_with_stories().log).head(0)
    assert captions.findings.of_stuck(stuck_uses, stuck_uses) == "No license looks stuck."
    assert captions.findings.of_use(peaks, usage.heat_map(log).head(0)) == "The log shows no use."
    assert captions.findings.of_denials(counts, sizing.enough(log).head(0)) == "The log shows no denial for lack of seats."
    assert captions.findings.of_borrows(ageing, tried().head(0), 14) == "The log shows no borrows."
    assert captions.findings.of_flexnet(quality, peaks, counts) == "The log shows no use."


def test_seats_that_are_there_are_not_said_to_be_missing() -> None:
    counts = pd.DataFrame([{"raw": 1, "episodes": 1, "lost": 1}])
    enough = pd.DataFrame({"feature": "cad", "seats": [2, 3], "episodes": 1, "unmet": [1, 0]})
    assert captions.findings.of_denials(counts, enough, 2).endswith(
        "3 seats instead of 2 of `cad` would have met 95 % of its 1 episode."
    )
    for limit in (3, 5):
        assert f"{limit} seats of `cad` are there, as many as 95 %" in captions.findings.of_denials(counts, enough, limit)


def test_a_finding_on_stuck_licenses_says_how_many_of_which_product() -> None:
    stuck_uses = stuck.find(site_with_stories().log)
    one = stuck_uses[stuck_uses["product"] == stuck_uses["product"].iloc[0]]
    name = one["product"].iloc[0]
    assert f", all of `{name}`; the oldest" in captions.findings.of_stuck(one, one.head(0))
    assert f"), of `{name}`; the oldest" in captions.findings.of_stuck(one.head(1), one.head(0))
    assert "most of them, " in captions.findings.of_stuck(stuck_uses, stuck_uses.head(0))


def test_files_are_named_without_the_folders_that_they_lie_in() -> None:
    quality = pd.DataFrame(
        {"file": ["/srv/logs/debug.log", "C:\\logs\\a b.log", "postgresql://db.internal/carnet"], "lines": [1, 2, 3]}
    )
    assert captions.files(quality)["file"].tolist() == ["debug.log", "a b.log", "postgresql://db.internal/carnet"]


def test_thresholds_are_said_with_their_values() -> None:
    text = captions.thresholds(stuck.Thresholds(fewest_closed=33))
    for word in ("99 %", "33 at least", "30 days", "2 days", "7 days more"):
        assert word in text


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("p", 12, 58, 56), "12 sessions of `p` are open far longer than nearly all of their kind, and none is called stuck: of 58 sessions as long before, 56 (97 %) came back from the client."),
        (("p", 1, 0, 0), "1 session of `p` is open far longer than nearly all of their kind; none that was as long is over, so the log cannot tell whether that means anything, and none is called stuck."),
    ],
)  # fmt: skip
def test_what_a_log_cannot_tell_is_said_with_figures(row: tuple[str, int, int, int], words: str) -> None:
    assert captions.undecided(pd.DataFrame([row], columns=["product", "uses", "past", "returned"])) == words


def test_a_backtest_is_said_with_what_was_named_falsely_and_an_interval_of_what_is_strong() -> None:
    columns = ["cause", "confidence", "named", "returned"]
    table = pd.DataFrame([("outlier", 0.5, 10, 4), ("machine-gone", 0.9, 20, 1)], columns=columns)
    text = captions.backtest(table)
    assert "30 uses would have been named, of which 5 came back" in text
    # Wilson's interval of 19 of 20.
    assert "1 of 20 falsely, so 76 % to 99 % are right" in text
    assert captions.backtest(table.head(1)).endswith("None with strong evidence.")
    assert "nothing would have been named" in captions.backtest(table.head(0))


def test_only_borrows_of_an_authority_can_be_released() -> None:
    truth = site_with_stories().truth
    log = site_with_stories().log
    assert truth is not None
    stuck_uses = stuck.find(log)
    ready = release_table.releasable(log, stuck_uses)
    assert set(ready["product"]) <= set(truth.organization.served_by("authority"))
    assert len(ready) > 0
    assert captions.releasable(ready, "x.csv").endswith("can be released by the authority; they are in `x.csv`.")


def test_a_borrow_that_ran_out_holds_a_seat_only_where_time_frees_none() -> None:
    log = site_with_stories().log
    ageing = borrows.ageing(log)
    held = captions.still_held(ageing, log.sessions())
    late = ageing[ageing["is_overdue"]]
    assert set(late["product"]) > {"geomodel"}
    assert set(held.loc[held["is_overdue"], "product"]) == {"geomodel"}
    assert held["is_out"].sum() == ageing["is_out"].sum()
    count = (late["product"] != "geomodel").sum()
    assert captions.ran_out(ageing, held).startswith(f"{count} borrow")


def test_scores_and_confusion_are_empty_without_a_truth() -> None:
    pairs = scoring.matched(stuck.find(site_with_stories().log), None)
    assert scoring.confusion(pairs).empty
    assert scoring.scores(pairs).empty
    assert "not known" in captions.confusion(pairs, scoring.scores(pairs))


def test_who_holds_a_license_is_none_who_does_not_use_it() -> None:
    rows = [("P", "ann", 200.0, True), ("P", "bob", 200.0, False), ("P", "cat", 1.0, False)]
    frame = pd.DataFrame(rows, columns=["product", "member", "days_since", "is_held"])
    assert captions.days_since_used(frame).endswith("and hold none of it: `P` 1 of 3.")
    assert captions.days_since_used(frame.drop(index=1)).startswith("Everybody")


def test_no_sentence_says_that_nothing_is_in_doubt_beside_sessions_that_are() -> None:
    counts = dict.fromkeys(("malformed", "undated", "ambiguous", "disagreeing", "overlapping"), 0)
    frame = pd.DataFrame([counts | {"lines": 9, "events": 4, "kind": "flexnet"}])
    sessions = pd.DataFrame([{"sessions": 2, "orphan": 0, "cut": 0, "open": 0, "ambiguous": 1}])
    assert captions.quality(frame).endswith("; all could be read and dated.")
    assert "1 could have begun or ended at another time" in captions.certainty(sessions)
    peaks = pd.DataFrame([{"product": "P", "feature": "F", "peak": 2}])
    counts_of_none = pd.DataFrame({"raw": [0], "episodes": [0]})
    text = captions.findings.of_flexnet(frame, peaks, counts_of_none)
    assert text.startswith("4 events: the peak of `F`")
    assert captions.findings.of_flexnet(frame.assign(malformed=1), peaks, counts_of_none).startswith(
        "4 events (1 line could not"
    )


def test_requests_for_what_is_not_served_are_not_called_probing() -> None:
    assert "prob" not in captions.other_denials(pd.DataFrame([{"unsupported": 9, "other": 0, "unexplained": 0}]))
