"""Compares frames of measures with the rows of the slow reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from checkout_log.columns import Column, names, typed

Rows = Iterable[dict[str, Any]]


def framed(rows: Rows, columns: Sequence[Column]) -> pd.DataFrame:
    """The rows as a frame of these columns."""
    return typed(pd.DataFrame(list(rows), columns=names(columns)), columns)


def in_order(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The rows in an order that both sides have."""
    return frame.sort_values(list(by), ignore_index=True, na_position="first")


def assert_same(frame: pd.DataFrame, rows: Rows, columns: Sequence[Column], by: Sequence[str] = ("product", "feature")) -> None:
    """The frame holds these rows, whatever their order."""
    expected = framed(rows, columns)
    left = in_order(frame[names(columns)], by)
    pd.testing.assert_frame_equal(left, in_order(expected, by), check_exact=False, rtol=1e-9, atol=1e-12)
