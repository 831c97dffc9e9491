"""Simulated organizations for tests, each run once."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from checkout_log import simulate

SEED = 1


@cache
def year() -> simulate.Truth:
    """The sample organization, with every story in it."""
    return simulate.run(seed=SEED)


@cache
def month() -> simulate.Truth:
    """Some weeks around the end of summer time, with a clean stop and a crash, and nothing planted."""
    return simulate.run(few_weeks(), SEED)


def few_weeks(days: int = 35) -> simulate.Organization:
    """An organization of some weeks around the end of summer time in 2025."""
    sample = simulate.Organization()
    first = pd.Timestamp("2025-10-01").date()
    stops = tuple(
        simulate.Restart(server, pd.Timestamp(day).date(), pd.Timestamp(f"{day} {time}").time(), clean=clean)
        for server, day, time, clean in (
            ("flexnet", "2025-10-12", "06:00", True),
            ("rlm", "2025-10-19", "05:30", True),
            ("flexnet", "2025-10-23", "10:47", False),
        )
    )
    return simulate.Organization(
        groups=sample.groups, begins_on=first, days=days, restarts=stops, planted=simulate.NOTHING_PLANTED
    )


def pools(organization: simulate.Organization) -> dict[tuple[str, str], int]:
    """The seats of every feature that is a pool, by product and feature."""
    return {
        (product.name, feature.name): feature.seats
        for product in organization.products
        if not product.named
        for feature in product.features
    }


def most_in_use(sessions: pd.DataFrame) -> int:
    """The most seats in use at one moment, by the starts and ends alone; what ends frees its seat before what starts takes one."""
    ends = sessions["ended_by"] != "open"
    at = pd.concat([sessions["start"], sessions["end"][ends]]).astype("int64").to_numpy()
    moved = pd.concat([sessions["quantity"], -sessions["quantity"][ends]]).astype("int64").to_numpy()
    return int(np.cumsum(moved[np.lexsort((moved, at))]).max(initial=0))


def in_use_at(sessions: pd.DataFrame, moments: pd.Series) -> np.typing.NDArray[np.int64]:
    """How many seats are in use at each of these moments, by the starts and ends alone."""
    ends = sessions["ended_by"] != "open"
    counts = np.zeros(len(moments), dtype=np.int64)
    for times, quantity, sign in (
        (sessions["start"], sessions["quantity"], 1),
        (sessions["end"][ends], sessions["quantity"][ends], -1),
    ):
        order = np.argsort(times.to_numpy(), kind="stable")
        total = np.concatenate([[0], np.cumsum(quantity.to_numpy()[order])])
        counts += sign * total[np.searchsorted(times.to_numpy()[order], moments.to_numpy(), side="right")]
    return counts
