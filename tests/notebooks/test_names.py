"""The names that analysts' own scripts rely on: functions, arguments with their defaults, and columns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import checkout_log
from checkout_log import Log, borrows, denials, plots, simulate, sizing, stuck, usage
from checkout_log.columns import CAUSES, ENDINGS
from checkout_log.report import command_line
from tests.notebooks.random_logs import many, open_log

EVENTS = "at event mode handle product feature member group machine alias os_user quantity until reason source line"
SESSIONS = "handle product feature member machine quantity start end ended_by censored cut ambiguous source"
QUALITY = "undated ambiguous malformed disagreeing"
PEAKS = "product feature peak peak_at p95 p99 lower upper"
STUCK = "cause product feature member machine handle since due confidence evidence action"
EPISODES = "product feature member first_at last_at"

FRAMES: dict[str, tuple[Callable[[Log], pd.DataFrame], str]] = {
    "events": (Log.events, EVENTS),
    "sessions": (Log.sessions, SESSIONS),
    "quality": (Log.quality, QUALITY),
    "peaks": (usage.peaks, PEAKS),
    "time at level": (usage.time_at_level, "product feature level hours share"),
    "exceedance": (usage.exceedance, "product feature level share lower upper"),
    "heat map": (usage.heat_map, "product feature weekday hour peak average"),
    "episodes": (denials.episodes, EPISODES),
    "stuck": (stuck.find, STUCK),
    "ageing": (borrows.ageing, "product member machine start due days_out days_left is_overdue last_sign_at"),
    "enough": (sizing.enough, "product feature seats exceeded lower upper episodes unmet"),
    "what if": (lambda log: sizing.what_if(log, 1), "product feature given_back lower upper"),
    "forecast": (lambda log: sizing.forecast(log, 1), "product feature day expected lower upper"),
}
DEFAULTS: dict[Callable[..., Any], dict[str, Any]] = {
    checkout_log.read: {"timezone": "UTC"},
    usage.peaks: {"license": "handle"},
    usage.time_at_level: {"license": "handle"},
    usage.exceedance: {"license": "handle"},
    usage.heat_map: {"license": "handle", "timezone": None},
    denials.episodes: {"gap": "5min"},
    stuck.find: {"now": None},
    borrows.ageing: {"now": None},
    sizing.enough: {"seats": None},
    sizing.forecast: {"license": "handle"},
    **{getattr(plots, name): {"ax": None} for name in plots.__all__},
}


@pytest.fixture(scope="module")
def log() -> Log:
    return open_log(many(seed=8, count=4))


@pytest.mark.parametrize(("measure", "named"), FRAMES.values(), ids=FRAMES)
def test_a_frame_has_the_columns_that_are_relied_on(measure: Callable[[Log], pd.DataFrame], named: str, log: Log) -> None:
    assert set(named.split()) <= set(measure(log).columns)


def test_events_and_stuck_licenses_have_these_columns_and_no_others(log: Log) -> None:
    assert list(log.events().columns) == EVENTS.split()
    assert list(stuck.find(log).columns) == STUCK.split()


@pytest.mark.parametrize(
    ("function", "defaults"), DEFAULTS.items(), ids=[f"{function.__module__}.{function.__name__}" for function in DEFAULTS]
)
def test_arguments_have_these_names_and_defaults(function: Callable[..., Any], defaults: dict[str, Any]) -> None:
    parameters = inspect.signature(function).parameters
    assert {name: parameters[name].default for name in defaults} == defaults


def test_any_number_of_sources_can_be_read() -> None:
    assert inspect.signature(checkout_log.read).parameters["sources"].kind is inspect.Parameter.VAR_POSITIONAL


def test_the_words_for_endings_and_causes_are_these() -> None:
    assert set(ENDINGS) == {"checkin", "idle", "shutdown", "restart", "expiry", "revocation", "release", "end", "open"}
    assert set(CAUSES) == {"overdue", "outlier", "holder-inactive", "machine-gone", "over-long-borrow"}


def test_an_organization_can_be_simulated() -> None:
    assert callable(simulate.run)
    assert set(inspect.signature(simulate.run).parameters) >= {"organization", "seed"}


def test_the_report_takes_logs_an_output_and_a_time_zone() -> None:
    arguments = command_line.parser().parse_args(["a.log", "b.log", "-o", "report.html", "--timezone", "Europe/Berlin"])
    assert (arguments.logs, str(arguments.output), arguments.timezone) == (["a.log", "b.log"], "report.html", "Europe/Berlin")
