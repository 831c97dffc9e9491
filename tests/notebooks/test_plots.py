"""Pictures show what their frames hold, with units, limits and bounds, also where there is little or nothing to show."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from checkout_log import borrows, daily, denials, plots, scoring, sizing, stuck, usage
from checkout_log.columns import CAUSES
from checkout_log.errors import QuestionInvalid
from checkout_log.measuring.levels import GROUPINGS
from checkout_log.plots import rendering, side_by_side, style
from tests.notebooks.pictures import FEATURE, PRODUCT, figure_of, horizontals, site, site_with_stories, verticals, words

Draw = Callable[..., Axes]
LIMIT = 5


@cache
def frames() -> dict[str, pd.DataFrame]:
    """What each picture is drawn from."""
    log = site().log
    tried = pd.concat([sizing.what_if(log, days).assign(longest_days=days) for days in (3, 7, 14)])
    pairs = scoring.matched(stuck_uses(), site_with_stories().truth)
    return {
        "borrow_ageing": borrows.ageing(log),
        "confusion": scoring.confusion(pairs),
        "days_since_used": usage.last_used(log),
        "denial_episodes": denials.episodes(log),
        "efficiency": of_feature(usage.efficiency(log)),
        "enough_seats": of_feature(sizing.enough(log)),
        "exceedance": of_feature(usage.exceedance(log)),
        "forecast": of_feature(sizing.forecast(log, 20)),
        "heat_map": of_feature(usage.heat_map(log)),
        "peaks_by_grouping": pd.concat([usage.peaks(log, name).assign(license=name) for name in GROUPINGS]),
        "session_lengths": of_feature(usage.lasted(log)),
        "stuck_by_cause": stuck_uses(),
        "time_at_level": of_feature(usage.time_at_level(log)),
        "use_over_time": of_feature(daily.by_day(log)),
        "what_if": tried.query("product == 'arcgis-pro' and feature == 'Advanced'"),
    }


@cache
def stuck_uses() -> pd.DataFrame:
    return stuck.find(site_with_stories().log)


def of_feature(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["product"] == PRODUCT) & (frame["feature"] == FEATURE)].reset_index(drop=True)


def drawn(name: str, rows: pd.DataFrame | None = None, **more: object) -> Axes:
    draw: Draw = getattr(plots, name)
    return draw(frames()[name] if rows is None else rows, **more)


# What must be readable in each picture: the measure with its unit.
UNITS = {
    "borrow_ageing": ["days from now", "still due to run"],
    "confusion": ["planted as", "found as", "not found"],
    "days_since_used": ["days since the last use", "members", "90 days"],
    "denial_episodes": ["episodes in a day", "did not get it soon"],
    "efficiency": ["hours in use", "seat, in the order"],
    "enough_seats": ["if there were so many seats", "share", "of the time more", "%"],
    "exceedance": ["seats", "share of the observed time", "95 %", "99 %", "%"],
    "forecast": ["seats", "expected on each day", "95 % of such days"],
    "heat_map": ["hour of the day", "Mon", "Sun", "23"],
    "peaks_by_grouping": ["seats in use at one moment", "counted by machines"],
    "session_lengths": ["time since the start", "share still open", "1 h", "half last"],
    "stuck_by_cause": ["licenses held", "strong evidence"],
    "time_at_level": ["seats in use", "share of the observed time"],
    "use_over_time": ["seats", "peak of each day"],
    "what_if": ["longest borrow in days", "seat-days given back", "would be cut"],
}
WITH_LIMIT = ("efficiency", "enough_seats", "exceedance", "forecast", "heat_map", "time_at_level", "use_over_time")
OF_ONE_FEATURE = (*WITH_LIMIT, "session_lengths")


def test_every_picture_is_tested() -> None:
    assert set(UNITS) == set(plots.__all__)


@pytest.mark.parametrize("name", UNITS)
def test_units_and_labels_can_be_read(name: str) -> None:
    text = words(drawn(name))
    for word in UNITS[name]:
        assert word in text


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row_are_drawn(name: str, rows: int) -> None:
    ax = drawn(name, frames()[name].head(rows))
    assert ax.get_title(loc="left")
    assert words(ax)


@pytest.mark.parametrize("name", UNITS)
def test_the_given_axes_are_drawn_on_and_returned(name: str) -> None:
    figure = Figure()
    ax = figure.add_subplot()
    assert drawn(name, ax=ax) is ax


@pytest.mark.parametrize("name", WITH_LIMIT)
def test_the_limit_is_drawn_and_named(name: str) -> None:
    ax = drawn(name, limit=LIMIT)
    assert f"limit of {LIMIT}" in words(ax) or f"limit {LIMIT}" in words(ax)
    if name != "heat_map":
        assert LIMIT in verticals(ax) | horizontals(ax)


@pytest.mark.parametrize("name", OF_ONE_FEATURE)
def test_a_frame_of_several_features_must_say_which(name: str) -> None:
    other = frames()[name].assign(feature="other")
    both = pd.concat([frames()[name], other])
    with pytest.raises(QuestionInvalid, match="holds 2 features"):
        drawn(name, both)
    assert FEATURE in drawn(name, both, product=PRODUCT, feature=FEATURE).get_title(loc="left")


def test_the_seats_that_serve_most_of_the_time_are_those_of_the_measure() -> None:
    peaks = of_feature(usage.peaks(site().log)).iloc[0]
    assert {float(peaks["p95"]), float(peaks["p99"])} <= verticals(drawn("exceedance"))


def test_a_cell_of_the_heat_map_is_framed_where_the_limit_was_reached() -> None:
    rows = frames()["heat_map"]
    ax = drawn("heat_map", limit=LIMIT)
    frames_drawn = [patch for patch in ax.patches if not patch.get_fill()]
    assert len(frames_drawn) == (rows["peak"] >= LIMIT).sum() > 0


def test_bounds_are_drawn_where_they_differ_from_the_figure() -> None:
    rows = frames()["exceedance"].assign(lower=lambda frame: frame["share"] / 2)
    band = drawn("exceedance", rows).collections[0].get_paths()[0].get_extents()
    assert band.y0 == pytest.approx(rows["lower"].min())
    assert band.y1 == pytest.approx(rows["upper"].max())


def test_a_bound_has_its_word_where_it_differs_from_the_figure_alone() -> None:
    rows = frames()["use_over_time"]
    assert "from lower to upper" not in words(drawn("use_over_time", rows.assign(lower=rows["peak"], upper=rows["peak"])))
    assert "from lower to upper" in words(drawn("use_over_time", rows.assign(lower=0, upper=rows["peak"] + 1)))


def test_seven_hundred_bars_are_one_outline_with_every_height_in_it() -> None:
    levels = pd.DataFrame({"product": "p", "feature": "f", "level": range(0, 1400, 2), "share": 1 / 700, "hours": 1.0})
    ax = drawn("time_at_level", levels)
    (outline,) = ax.patches
    values = outline.get_data()[0]  # type: ignore[attr-defined]
    assert len(values) == 1399
    assert values[::2] == pytest.approx([1 / 700] * 700)
    assert not any(values[1::2])


def test_pictures_of_the_longest_and_widest_logs_are_light_and_still_have_their_extremes() -> None:
    """Thirty years, 20,000 seats, 100,000 lengths: a page of twelve such pictures has less than 3 MB as base 64."""
    of = {"product": "p", "feature": "f"}
    at = pd.Timestamp("1996-01-01", tz="UTC") + pd.to_timedelta(range(11_000), unit="D")
    peak = pd.Series(range(11_000)) * 11 % 301
    days = pd.DataFrame({"day": at, "peak": peak, "lower": peak - 1, "upper": peak + 1}).assign(**of)
    levels = pd.Series(range(1, 20_001))
    shares = pd.DataFrame(
        {"level": levels, "seat": levels, "share": 1 / levels, "lower": 0.9 / levels, "upper": 1.1 / levels}
    ).assign(**of)
    lasted = pd.DataFrame({"hours": levels / 7}).assign(**of, sessions=5, is_listed=True, is_seen_to_end=True)
    members = pd.DataFrame({"product": (levels % 7).astype(str), "member": levels.astype(str), "days_since": levels * 0.4})
    denied = pd.DataFrame({"first_at": at.repeat(2), "got_it": [True, False] * len(at)})
    borrowed, tried = frames()["borrow_ageing"], frames()["what_if"]
    heavy: dict[str, tuple[Axes, float]] = {
        "borrow_ageing": (plots.borrow_ageing(pd.concat([borrowed] * 100)), np.nan),
        "confusion": (drawn("confusion"), np.nan),
        "days_since_used": (plots.days_since_used(members), 20_000 // 7 + 1),
        "denial_episodes": (plots.denial_episodes(denied), 728.0),
        "efficiency": (plots.efficiency(shares.assign(hours=shares["share"])), 1.1),
        "enough_seats": (
            plots.enough_seats(shares.assign(seats=levels, exceeded=shares["share"], episodes=9, unmet=0)),
            1.1,
        ),
        "exceedance": (plots.exceedance(shares), 1.1),
        "forecast": (plots.forecast(days.tail(3_660).assign(expected=peak * 1.0), days), 301.0),
        "heat_map": (plots.heat_map(frames()["heat_map"].assign(peak=99_999), limit=1), np.nan),
        "peaks_by_grouping": (drawn("peaks_by_grouping"), np.nan),
        "session_lengths": (plots.session_lengths(lasted), 1.0),
        "stuck_by_cause": (drawn("stuck_by_cause"), np.nan),
        "time_at_level": (plots.time_at_level(shares), 1.0),
        "use_over_time": (plots.use_over_time(days), 301.0),
        "what_if": (plots.what_if(pd.concat([tried.assign(longest_days=days) for days in range(1, 365)])), np.nan),
    }
    assert set(heavy) == set(plots.__all__)
    for name, (ax, most) in heavy.items():
        assert np.isnan(most) or ax.dataLim.y1 == pytest.approx(most), name
        assert len(rendering.svg(ax)) < 120_000, name


@pytest.mark.parametrize(
    ("days", "words_of_it", "dots", "bars"),
    [
        (366, "each day; bar: of each week", 366, 53),
        (1_400, "each week; bar: of each quarter", 200, 16),
        (11_000, "each month", 393, 31),
    ],
)
def test_what_a_dot_stands_for_is_what_can_be_told_apart(days: int, words_of_it: str, dots: int, bars: int) -> None:
    at = pd.Timestamp("1996-01-01", tz="UTC") + pd.to_timedelta(range(days), unit="D")
    rows = pd.DataFrame({"day": at, "peak": 3, "lower": 3, "upper": 3}).assign(product="p", feature="f")
    rows.loc[days // 2, ["peak", "upper"]] = 9
    ax = plots.use_over_time(rows)
    assert words_of_it in words(ax)
    heights = np.asarray(ax.lines[0].get_ydata())
    assert (len(heights), len(ax.collections[-1].get_paths())) == (dots, bars)
    assert heights.max() == 9


def test_a_picture_for_a_page_has_its_colors_by_name_and_names_of_logs_as_they_are() -> None:
    rows = frames()["exceedance"].assign(feature="#0072b2 <script>\x01 \u65e5")
    drawing = rendering.svg(drawn("exceedance", rows))
    root = ET.fromstring(drawing)  # noqa: S314 - drawn a moment ago
    assert "#0072b2 <script>\ufffd \u65e5 (strucalc): how often so many seats were in use" in list(root.itertext())
    sheet = next(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}style"))
    assert "prefers-color-scheme:dark" in sheet
    used = {match for element in root.iter() for match in re.findall(r"var\(--(\w+)\)", element.get("style", ""))}
    assert used
    assert all(sheet.count(f"--{name}:") == 2 for name in used)
    loose = [color for element in root.iter() for color in re.findall(r"#[0-9a-f]{6}", element.get("style", ""))]
    assert not loose
    assert rendering.svg(drawn("exceedance", rows)) == drawing


@pytest.mark.parametrize("name", ["use_over_time", "heat_map", "exceedance", "enough_seats", "forecast"])
def test_features_side_by_side_have_a_panel_each_one_key_and_names_that_fit(name: str) -> None:
    long = "A" * 80
    frame = frames()[name]
    both = pd.concat([frame, frame.assign(feature=long)])
    features = pd.DataFrame({"product": PRODUCT, "feature": [FEATURE, long], "limit": pd.array([LIMIT, None], "Int64")})
    draw: Draw = getattr(side_by_side, name)
    past = of_feature(daily.by_day(site().log))
    more = {"past": pd.concat([past, past.assign(feature=long)])} if name == "forecast" else {}
    head = draw(both, features=features, **more)
    titles = [ax.get_title(loc="left") for ax in figure_of(head).axes[1:]]
    assert titles == [FEATURE, f"{'A' * 43}…"]
    text = words(head)
    assert text.count("■") == len(re.findall("■ [^■]", text)) >= 1
    assert ("seats that there are" in text) == (name != "heat_map")
    assert "nothing was in use" in words(draw(both.head(0), features=features.head(0), **more))
    if name == "forecast":
        # Where nothing can be forecast, the past alone is no picture of it.
        short = both.assign(expected=float("nan"))
        assert draw(short, features=features, **more).get_gid() == style.WORDS_ALONE


def test_a_forecast_shows_what_was_and_its_interval() -> None:
    past, rows = of_feature(daily.by_day(site().log)), frames()["forecast"]
    ax = drawn("forecast", past=past)
    dots = {len(line.get_xdata()) for line in ax.get_lines()}  # type: ignore[arg-type]
    assert {len(past), len(rows)} <= dots
    tops = [segment[1][1] for segment in ax.collections[0].get_segments()]  # type: ignore[attr-defined]
    assert tops == pytest.approx(rows["upper"].tolist())


def test_a_short_past_is_said_in_the_place_of_a_forecast() -> None:
    rows = frames()["forecast"].assign(expected=None, basis="too short a past: 3 whole days").astype({"expected": "float64"})
    assert "too short a past: 3 whole days" in words(drawn("forecast", rows))


def test_each_tried_length_says_how_many_borrows_it_would_cut() -> None:
    text = words(drawn("what_if")).splitlines()
    for count in frames()["what_if"]["used_beyond"]:
        assert str(count) in text


def test_borrows_past_their_due_time_come_first() -> None:
    rows = borrows.ageing(site_with_stories().log)
    ax = drawn("borrow_ageing", rows)
    first = rows[rows["is_overdue"]].sort_values("days_left")["member"].iloc[0]
    assert ax.get_yticklabels()[0].get_text().startswith(str(first)[:8])
    assert "past its due time, not returned" in words(ax)


def test_every_cause_that_was_found_has_its_bar_and_its_number() -> None:
    text = words(drawn("stuck_by_cause"))
    for cause, count in stuck_uses()["cause"].value_counts().items():
        assert str(cause) in text
        assert str(count) in text


def test_the_confusion_has_every_cause_in_rows_and_columns() -> None:
    ax = drawn("confusion")
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert set(CAUSES) < set(rows)
    assert len(ax.get_xticklabels()) == len(CAUSES) + 1


def test_names_with_signs_of_formulas_are_drawn_as_they_are() -> None:
    rows = frames()["exceedance"].assign(feature="$x$_{^")
    assert "$x$_{^" in drawn("exceedance", rows).get_title(loc="left")
    assert words(drawn("exceedance", rows))


def test_pictures_leave_no_state_in_pyplot() -> None:
    code = "import sys; from checkout_log import plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
