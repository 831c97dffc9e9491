"""Small things that pages are made of: times in words, the places of bars, and values of forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import Field, ValidationError
from werkzeug.datastructures import MultiDict

from authority.services.pages import Place
from authority.web.console.charts import HEIGHT, WIDTH, bar_chart
from authority.web.console.formats import agent_words, days_left, iso, place_words, sentence, told, utc
from authority.web.console.forms import Form, Text, read
from authority.web.problems import InvalidValues

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(days=3), "3 days left"),
        (timedelta(days=2, hours=1), "3 days left"),
        (timedelta(hours=23, minutes=59), "23 hours left"),
        (timedelta(hours=1), "1 hour left"),
        (timedelta(minutes=5), "5 minutes left"),
        (timedelta(seconds=20), "now"),
        (-timedelta(seconds=20), "now"),
        (-timedelta(minutes=1), "1 minute ago"),
        (-timedelta(hours=2), "2 hours ago"),
        (-timedelta(days=1), "1 day ago"),
        (-timedelta(days=8, hours=5), "8 days ago"),
    ],
)
def test_how_far_away_a_time_is(distance: timedelta, words: str) -> None:
    assert days_left(NOW + distance, NOW) == words


def test_a_time_for_programs_and_for_people() -> None:
    assert (iso(NOW), utc(NOW)) == ("2026-03-02T09:00:00Z", "2026-03-02 09:00 UTC")


def test_times_in_sentences_are_those_of_the_reader_and_all_else_is_text() -> None:
    text = "<b> until 2026-03-02 09:00 UTC, and 2026-07-14T17:44:54Z"
    berlin = ZoneInfo("Europe/Berlin")
    assert told(text, berlin, is_short=True) == "&lt;b&gt; until 2026-03-02 10:00, and 2026-07-14 19:44"
    assert told("at 2026-03-02 09:00 UTC.", berlin) == (
        'at <time datetime="2026-03-02T09:00:00Z" title="2026-03-02 09:00 UTC">2026-03-02 10:00</time>.'
    )
    assert told(text, UTC, is_short=True) == "&lt;b&gt; until 2026-03-02 09:00 UTC, and 2026-07-14 17:44 UTC"


def test_a_name_at_the_beginning_of_a_sentence_stays_as_it_is_written() -> None:
    for text, words in (
        ("user002 has the user type", "user002 has the user type"),
        ("arcgis-pro is not licensed", "arcgis-pro is not licensed"),
        ("there is no member", "There is no member"),
        ("nobody is named", "Nobody is named"),
        ("the session has ended", "The session has ended"),
    ):
        assert sentence(text) == words


def test_a_place_in_a_list_says_what_it_counts() -> None:
    for place, number, words in (
        (Place(0), 0, "0 licenses"),
        (Place(1), 1, "1 license"),
        (Place(4000), 100, "1 to 100 of 4,000 licenses"),
        (Place(4000, 3900), 100, "3,901 to 4,000 of 4,000 licenses"),
        (Place(1234, 0, None, is_whole=False), 100, "100 of at least 1,234 licenses"),
    ):
        assert place_words(place, number, "license") == words


def test_browsers_have_their_names_and_programs_their_own() -> None:
    apple, like = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15", "(KHTML, like Gecko)"
    windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    for agent, words in (
        (f"{windows} {like} Chrome/131.0.0.0 Safari/537.36", "Chrome 131 on Windows"),
        (f"{windows} {like} Chrome/131.0.0.0 Safari/537.36 Edg/130.0.0.0", "Edge 130 on Windows"),
        (
            f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 {like} HeadlessChrome/120.0 Safari/537.36",
            "Chrome 120 on Linux",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox 133 on Linux"),
        (f"{apple} {like} Version/18.1 Mobile/15E148 Safari/604.1", "Safari 18 on iPhone"),
        ("python-requests/2.32", "python-requests/2.32"),
        ("Mozilla/4.0 <b>", "Mozilla/4.0 <b>"),
        (None, "not known"),
    ):
        assert agent_words(agent) == words


def test_a_limit_far_above_leaves_the_bars_their_height() -> None:
    chart = bar_chart("Seats", [("Monday", 4), ("Tuesday", 2)], limit=150)
    assert (chart.limit, chart.limit_y, chart.bars[1].height * 2) == (150, None, chart.bars[0].height)
    assert bar_chart("Seats", [("Monday", 4)], limit=20).limit_y is not None


def test_bars_stand_side_by_side_on_the_floor_and_below_the_top() -> None:
    chart = bar_chart("Seats", [("Monday", 3), ("Tuesday", 0), ("Wednesday", 12)], limit=10)
    assert [bar.is_beyond for bar in chart.bars] == [False, False, True]
    assert chart.most == 12
    for bar in chart.bars:
        assert round(bar.y + bar.height, 1) == HEIGHT
        assert 0 < bar.y <= HEIGHT
        assert bar.x + bar.width < WIDTH
    monday, _, wednesday = chart.bars
    assert monday.height * 4 == pytest.approx(wednesday.height, abs=0.1)
    assert chart.limit_y is not None
    assert wednesday.y < chart.limit_y < monday.y


def test_a_chart_of_nothing_is_empty_and_no_error() -> None:
    assert bar_chart("Nothing", []).is_empty
    assert bar_chart("Zeroes", [("today", 0)], limit=0).is_empty


class Example(Form):
    name: Text = "unnamed"
    days: int | None = None
    sure: bool = False
    members: list[Text] = Field([])


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], Example()),
        ([("name", ""), ("days", "")], Example()),
        ([("name", "  a\u00a0b "), ("sure", "true"), ("other", "x")], Example(name="a b", sure=True)),
        ([("days", "7"), ("members", "ada"), ("members", ""), ("members", "bob")], Example(days=7, members=["ada", "bob"])),
    ],
)
def test_a_form_is_read_with_its_defaults(sent: list[tuple[str, str]], expected: Example) -> None:
    assert read(Example, MultiDict(sent)) == expected


@pytest.mark.parametrize("name", ["a\0b", "\u202eabc", "x" * 257, "a\nb"])
def test_a_text_that_cannot_be_shown_is_named_with_its_field(name: str) -> None:
    with pytest.raises(InvalidValues) as caught:
        read(Example, MultiDict([("name", name), ("days", "soon")]))
    assert isinstance(caught.value.error, ValidationError)
    assert [item["loc"] for item in caught.value.error.errors()] == [("name",), ("days",)]
