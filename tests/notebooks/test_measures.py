"""Every measure says what the slow reference says, on a small log as on many at once, and every figure lies in its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from checkout_log import read
from checkout_log.columns import EVENTS, names
from checkout_log.log import Log
from checkout_log.measuring.levels import GROUPINGS
from tests.notebooks import agreement
from tests.notebooks.agreement import Case
from tests.notebooks.every_measure import EACH, EVERY, Measure
from tests.notebooks.random_logs import many, open_log, random_logs
from tests.notebooks.reference import RawLog
from tests.support.server_log import ServerLog

OTHERS = (*agreement.ACTIVITY, *agreement.DENIALS, *agreement.BORROWS, *agreement.SIZING)
CASES = {f"{case.name}, {name}": case for name in GROUPINGS for case in agreement.of_usage(name)}
CASES |= {"peaks, member-machine": next(agreement.of_usage("member-machine"))}
CASES |= {case.name: case for case in OTHERS}
# A query takes a tenth of a second to prepare, however little it reads: each example holds several logs, and a failure is told as it
# came, for to make it smaller takes hundreds of examples.
FEW = settings(max_examples=5, phases=(Phase.explicit, Phase.generate), deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def of() -> RawLog:
    return many(seed=3, count=40)


@pytest.fixture(scope="module")
def log(of: RawLog) -> Log:
    return open_log(of)


@given(of=random_logs(products=8))
@FEW
def test_measures_of_small_logs_are_those_of_the_reference(of: RawLog) -> None:
    log = open_log(of)
    for name, case in CASES.items():
        note(name)
        case.check(of, log)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_measure_of_many_logs_at_once_is_that_of_the_reference(case: Case, of: RawLog, log: Log) -> None:
    case.check(of, log)


@pytest.mark.parametrize("measure", EVERY.values(), ids=EVERY)
def test_a_figure_lies_between_its_bounds(measure: Measure, log: Log) -> None:
    measure.check(log)


def without_use(folder: Path) -> Iterator[Path]:
    """Logs in which nothing was in use: with an event, with a time that they cover, and with neither."""
    begin = datetime(2022, 5, 5, 8, tzinfo=UTC)
    server = ServerLog(ZoneInfo("UTC"))
    server.start(begin)
    yield server.save(folder / "started")
    server.say(begin + timedelta(hours=1), 'DENIED: "F1" ann@pc1  (Licensed number of users already reached. (-4,342))')
    yield server.save(folder / "denied")
    (folder / "export").write_text(",".join(names(EVENTS)) + "\n")
    yield folder / "export"


def test_where_nothing_was_in_use_every_measure_is_empty(tmp_path: Path) -> None:
    for path in without_use(tmp_path):
        log = read(path)
        filled = {name for name, measure in EACH.items() if not measure.take(log).empty}
        assert filled == ({"requests", "episodes", "counts"} if path.name == "denied" else set())
