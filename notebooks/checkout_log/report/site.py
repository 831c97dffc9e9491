"""What a notebook begins with: the logs that were named, or else a simulated organization, whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from checkout_log import simulate
from checkout_log.captions.words import counted
from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.simulate import Organization, Planted, Product, Traps, Truth
from checkout_log.simulate.organization import AUTHORITY, FLEXNET, RLM, SHORTEST_WITH_STORIES

ALL = (AUTHORITY, FLEXNET, RLM)
# Habits need some people each.
FEWEST = 4


@dataclass(frozen=True)
class Site:
    """A log, and the truth behind it where it was simulated. `about` says in Markdown what it is and how far it reaches."""

    log: Log
    truth: Truth | None
    about: str

    def limit(self, product: str, feature: str) -> int | None:
        """The seats of a feature: known only where it was simulated, since logs do not say it."""
        if self.truth is None or product not in {one.name for one in self.truth.organization.products}:
            return None
        return {one.name: one.seats for one in self.truth.organization.product(product).features}.get(feature)


def open_site(
    sources: Sequence[str] | Log,
    timezone: str = "UTC",
    *,
    seed: int = 0,
    days: int = 366,
    size: float = 1.0,
    servers: Sequence[str] = ALL,
    traps: Traps | None = None,
) -> Site:
    """The log of these sources, or without any that of a simulated organization, read from files such as its servers write.

    Args:
        sources: what `read` takes, or a log that is read already.
        timezone: of the servers, for logs that do not say it; a simulated organization brings its own.
        seed: of the chance in the simulated organization.
        days: that its log covers.
        size: 1 for 300 members.
        servers: whose files are written: authority, flexnet, rlm.
        traps: what makes the simulated FlexNet log hard to read.

    Raises what `read` raises.
    """
    if isinstance(sources, Log) or sources:
        log = sources if isinstance(sources, Log) else read(*sources, timezone=timezone)
        return Site(log, None, f"{counted(len(log.stored.quality), 'file')}, {_reach(log)}. Hours are those of {timezone}.")
    truth = simulate.run(sample(days, size), seed)
    zone = truth.organization.timezone
    with TemporaryDirectory() as folder:
        log = read(*_written(truth, Path(folder), servers, traps or Traps()), timezone=zone)
    members = sum(group.members for group in truth.organization.groups)
    return Site(
        log, truth, f"A simulated organization of {members} members (seed {seed}), {_reach(log)}. Hours are those of {zone}."
    )


def sample(days: int, size: float) -> Organization:
    """The sample organization for its last `days` days, with its members and seats times `size`.

    Where it is too short for stuck licenses with a history, none are planted.
    """
    whole = Organization()
    planted = Planted(*(max(1, round(6 * size)),) * 6, look_alikes=max(1, round(3 * size)))
    return replace(
        whole,
        groups=tuple(replace(group, members=max(FEWEST, round(group.members * size))) for group in whole.groups),
        products=tuple(_scaled(product, size) for product in whole.products),
        begins_on=whole.begins_on + timedelta(days=whole.days - days),
        days=days,
        planted=planted if days >= SHORTEST_WITH_STORIES else simulate.NOTHING_PLANTED,
    )


def _scaled(product: Product, size: float) -> Product:
    levels, extensions = (
        tuple(replace(feature, seats=math.ceil(feature.seats * size)) for feature in features)
        for features in (product.levels, product.extensions)
    )
    return replace(product, levels=levels, extensions=extensions)


def _written(truth: Truth, folder: Path, servers: Sequence[str], traps: Traps) -> list[Path]:
    files: list[Path] = []
    if AUTHORITY in servers:
        products = truth.organization.served_by(AUTHORITY)
        files += simulate.write_parquet(truth, folder / "authority.parquet", products)
    if FLEXNET in servers:
        files += simulate.write_flexnet(truth, folder, traps=traps)
    if RLM in servers:
        files += simulate.write_rlm(truth, folder)
    return files


def _reach(log: Log) -> str:
    """From when to when a log reaches, and how much is in it."""
    quality = log.stored.quality
    begin, end = quality["begin"].min(), quality["end"].max()
    events = counted(int(quality["events"].sum()), "event")
    if pd.isna(begin):
        return events
    begin, end = begin.tz_convert(log.timezone), end.tz_convert(log.timezone)
    if begin.date() == end.date():
        return f"{events} on {begin:%Y-%m-%d}"
    return f"{events} from {begin:%Y-%m-%d} to {end:%Y-%m-%d}"
