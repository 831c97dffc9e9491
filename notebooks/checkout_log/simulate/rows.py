"""Rows of the truth as plain values for the writers: times as whole microseconds since 1970 UTC, nothing as None."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from checkout_log.columns import BORROW
from checkout_log.simulate.clocks import SECOND
from checkout_log.simulate.grants import Stop
from checkout_log.simulate.truth import Truth


@dataclass(frozen=True, slots=True)
class Event:
    """What a writer needs of an event: fields of `columns.EVENTS`."""

    at: int
    event: str
    handle: str | None
    product: str
    feature: str
    member: str
    machine: str
    quantity: int
    until: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Use:
    """What a writer needs of a session: fields of `columns.SESSIONS`."""

    handle: str
    product: str
    feature: str
    mode: str
    member: str
    machine: str
    quantity: int
    start: int
    end: int
    until: int | None
    ended_by: str

    def is_out(self, at: int) -> bool:
        """Whether it is held at a time."""
        return self.start <= at and (at < self.end or self.ended_by == "open")

    @property
    def is_borrow(self) -> bool:
        """Whether it is offline."""
        return self.mode == BORROW


def events_of(truth: Truth, products: Iterable[str]) -> list[Event]:
    """The events of these products, in order."""
    frame = truth.events
    return [Event(*row) for row in _values(frame[frame["product"].isin(list(products))], Event)]


def uses_of(truth: Truth, products: Iterable[str]) -> list[Use]:
    """The sessions of these products, in order of start."""
    frame = truth.sessions
    return [Use(*row) for row in _values(frame[frame["product"].isin(list(products))], Use)]


def runs_of(truth: Truth, server: str, begin: int) -> list[tuple[int, int, Stop | None]]:
    """Each run of a server: when it came up, when it went down, and how; the last goes on at the last look."""
    mine = [stop for stop in truth.stops if stop.server == server]
    ups = [begin, *(stop.up_at for stop in mine)]
    downs = [*(stop.down_at for stop in mine), int(truth.now.timestamp()) * SECOND]
    return list(zip(ups, downs, [*mine, None], strict=True))


def _values(frame: pd.DataFrame, kind: type[Event | Use]) -> Iterable[tuple[Any, ...]]:
    return zip(*(plain(frame[one.name]) for one in fields(kind)), strict=True)


def plain(values: pd.Series) -> list[Any]:
    """The values of one column."""
    is_time = isinstance(values.dtype, pd.DatetimeTZDtype)
    found = np.array(values.astype("int64") if is_time else values, dtype=object)
    found[values.isna().to_numpy()] = None
    plain_values: list[Any] = found.tolist()
    return plain_values
