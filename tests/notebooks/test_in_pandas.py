"""What `make bench` measures is equal work: the figures of a small table are the same as those of plain pandas."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkout_log import simulate
from tests.bench import analysing


@pytest.mark.slow
def test_figures_are_those_of_plain_pandas(tmp_path: Path) -> None:
    path = simulate.events_table(30_000, 3, tmp_path / "events.parquet")
    ours, theirs = analysing.ours(path), analysing.in_pandas(path)
    assert ours.keys() == theirs.keys()
    for name, frame in ours.items():
        analysing.assert_same(name, frame, theirs[name])


def test_a_figure_that_differs_is_seen(tmp_path: Path) -> None:
    frame = analysing.ours(simulate.events_table(3_000, 3, tmp_path / "events.parquet"))["peaks"]
    with pytest.raises(AssertionError):
        analysing.assert_same("peaks", frame, frame.assign(peak=frame["peak"] + 1))
