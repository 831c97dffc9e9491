"""Sentences of the page are true for every log: what they say is computed a second time, from the log's own lines or raw peaks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from checkout_log import captions, denials, sizing, usage
from checkout_log.log import Log
from checkout_log.plots.levels import WEEKDAYS
from checkout_log.plots.style import axes, nothing
from checkout_log.reading import read
from checkout_log.report import display
from checkout_log.report.notebooks import Shown
from tests.notebooks.test_forecasts import WEEK, busy, of_all

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
FULL, HOURS_OF_A_WEEK = "(Licensed number of users already reached. (-4,342))", 168
Uses = list[tuple[int, int]]


def written(folder: Path, hours: int, uses: Uses, *, denied: int = 0) -> Log:
    """A FlexNet log of so many hours from a Monday on, with a stamp in each; each use has a first and a last hour."""
    lines = [
        (BEGIN + timedelta(hours=hour), 0, f"(lmgrd) TIMESTAMP {BEGIN + timedelta(hours=hour):%m/%d/%Y}")
        for hour in range(hours + 1)
    ]
    for number, (first, last) in enumerate(uses):
        for order, verb, hour in ((2, "OUT", first), (1, "IN", last)):
            lines.append((BEGIN + timedelta(hours=hour), order, f'(v) {verb}: "F" user{number}@pc  '))
    lines += [(BEGIN + timedelta(minutes=10), 3, f'(v) DENIED: "F" ann@pc  {FULL}')] * denied
    (folder / "x").write_text("".join(f"{at:%H:%M:%S} {text}\n" for at, _, text in sorted(lines)))
    return read(folder / "x")


def averages(hours: int, uses: Uses) -> dict[tuple[int, int], float]:
    """Seats in use on average by weekday and hour, of the hours that the log covers; counted hour by hour."""
    in_use: dict[tuple[int, int], list[int]] = {}
    for hour in range(hours):
        weekday_hour = hour // 24 % 7, hour % 24
        in_use.setdefault(weekday_hour, []).append(sum(first <= hour < last for first, last in uses))
    return {key: float(np.mean(values)) for key, values in in_use.items()}


def test_the_busiest_hour_is_named_only_where_a_whole_week_was_seen_and_is_the_busiest(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    for hours in (1, 30, 170, 500):
        firsts = random.integers(0, hours, 12)
        uses = [(int(first), int(min(hours, first + random.integers(1, 9)))) for first in firsts]
        log = written(tmp_path, hours, uses)
        week, known = usage.heat_map(log), averages(hours, uses)
        sentence, finding = captions.heat_map(week), captions.findings.of_use(usage.peaks(log), week)
        weekday, hour, most = re.search(r"on (\w+) from (\d+) to .*: ([\d.]+), at most", sentence).groups()  # type: ignore[union-attr]
        assert known[WEEKDAYS.index(weekday), int(hour)] == max(known.values())
        assert float(most) == round(max(known.values()), 1)
        is_whole_week = len(known) == HOURS_OF_A_WEEK
        assert is_whole_week == sentence.startswith("On average")
        seen = "1 hour" if len(known) == 1 else f"{len(known)} hours"
        assert is_whole_week or f"Of the {seen} of the week that the log shows" in sentence
        assert is_whole_week == ("it is busiest on" in finding) != ("too short to say" in finding)


def test_working_hours_are_compared_with_others_only_where_both_were_seen(tmp_path: Path) -> None:
    night = captions.average(usage.heat_map(written(tmp_path, 3, [(0, 2)])))
    assert "nothing to compare" in night
    day_and_night = captions.average(usage.heat_map(written(tmp_path, 24, [(0, 9)])))
    assert re.findall(r"([\d.]+) seats are in use|and ([\d.]+) at all other", day_and_night) == [("0.1", ""), ("", "0.6")]


def test_nobody_is_said_to_be_denied_less_than_the_log_shows(tmp_path: Path) -> None:
    said = {}
    for name, log in logs_on_denials(tmp_path).items():
        counts, quality = denials.counts(log), log.quality()
        sentences = {
            captions.denial_counts(counts, quality),
            captions.findings.of_denials(counts, sizing.enough(log), None, quality),
        }
        assert not any("obody was denied" in sentence for sentence in sentences)
        (said[name],) = {sentence.partition(",")[0].partition(";")[0] for sentence in sentences} if name != "denied" else {""}
    assert said == {
        "denied": "",
        "not denied": "The log shows no denial for lack of seats.",
        "undated": "No line could be dated",
        "lmstat": "Outputs of lmstat show who waits",
    }


def logs_on_denials(folder: Path) -> dict[str, Log]:
    (folder / "undated").write_text(f' 8:10:00 (v) OUT: "F" ann@pc-1  \n 8:20:00 (v) DENIED: "F" bob@pc-2  {FULL}\n')
    (folder / "lmstat").write_text(
        "Flexible License Manager status on Mon 3/9/2026 08:00\n\nLicense server status: 1@a\nVendor daemon status (on a):\n"
        "  v: UP v11.13\nUsers of F:  (Total of 9 licenses issued;  Total of 1 license in use)\n\n"
        "    ann pc-1 pc-1 (v1.0) (a/1 101), start Mon 3/9 7:25\n"
    )
    return {
        "denied": written(folder, 5, [(0, 2)], denied=3),
        "not denied": written(folder, 5, [(0, 2)]),
        "undated": read(folder / "undated"),
        "lmstat": read(folder / "lmstat"),
    }


def test_a_forecast_is_true_of_the_past_that_it_rests_on() -> None:
    """Also where ten are in use about once a week and one on other days: no bell curve tells that."""
    random = np.random.default_rng(4)
    past = {
        "a batch job": [10 if day % 30 in (3, 9, 14, 21, 28) else 1 for day in range(49)],
        "an ordinary week": [max(1, round(WEEK[day % 7] + random.normal(0, 2))) for day in range(49)],
        "nearly nothing": [0] * 20 + [6] + [0] * 28,
    }
    forecasts = sizing.forecast(of_all([busy(peaks, name) for name, peaks in past.items()]), 60)
    for name, peaks in past.items():
        rows = forecasts[forecasts["product"] == name].reset_index(drop=True)
        sentence = captions.forecast(rows)
        top = rows.loc[rows["expected"].idxmax()]
        numbers = [float(number) for number in re.findall(r"\d+\.\d", sentence)]
        assert sentence.startswith(f"The highest peak of 49 whole days was {max(peaks)}.")
        assert numbers == [round(float(top[column]), 1) for column in ("expected", "lower", "upper")]
        weekday = int(top["day"].tz_convert("Europe/Berlin").weekday())
        same = [peak for day, peak in enumerate(peaks) if day % 7 == weekday]
        assert np.isclose(top["expected"], np.mean(same))
        assert np.mean([top["lower"] <= peak <= top["upper"] for peak in same]) > 0.5
        inside = (
            rows.dropna(subset=["expected"])
            .groupby(rows["day"].dt.tz_convert("Europe/Berlin").dt.weekday)[["lower", "upper"]]
            .first()
        )
        shares = [inside["lower"][day % 7] - 1e-9 <= peak <= inside["upper"][day % 7] + 1e-9 for day, peak in enumerate(peaks)]
        assert np.mean(shares) >= 0.95


def test_what_is_empty_is_no_table_and_no_picture_and_on_a_page_not_even_a_sentence() -> None:
    for for_page, sentences in ((False, ["Nothing was in use."]), (True, [])):
        shown: list[Shown] = []
        with display.collected(shown, for_page=for_page):
            display.table(pd.DataFrame(columns=["a"]))
            display.show(nothing(axes(None), "nothing was in use"), "Nothing was in use.")
        assert [output.data["text/markdown"] for output in shown] == sentences
