"""What a notebook begins with: the logs that were named, or else a simulated organization, whose truth is known."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from checkout_log import seats, simulate
from checkout_log.captions.words import capitalized, counted
from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.simulate import Organization, Planted, Product, Traps, Truth
from checkout_log.simulate.organization import AUTHORITY, FLEXNET, RLM, SHORTEST_WITH_STORIES

ALL = (AUTHORITY, FLEXNET, RLM)
# No site has as many of one cause as of another, and more uses look stuck than are.
AT_A_SITE = Planted(
    overdue=5, outlier=8, holder_inactive=11, machine_gone=3, cut_by_restart=6, over_long_borrow=7, look_alikes=5
)
# Real logs for the notebook on FlexNet: the variable that names their folder, which of them are of one site, and its time zone.
CORPUS, OF_ONE_SITE, ZONE_OF_SITE = (
    "CARNET_LOG_CORPUS",
    ("adskflex_2022.log", "maplelmg_2022.log", "mlm_2022.log"),
    "Europe/Madrid",
)
# Habits need some people each.
FEWEST = 4


@dataclass(frozen=True)
class Site:
    """A log, and the truth behind it where it was simulated. `about` says in Markdown what it is and how far it reaches."""

    log: Log
    truth: Truth | None
    about: str

    def limit(self, product: str, feature: str) -> int | None:
        """The seats of a feature: of a simulated one those that it was given, else what a source says, where that never changed."""
        if self.truth is None:
            return limits(self.log).get((product, feature))
        if product not in {one.name for one in self.truth.organization.products}:
            return None
        return {one.name: one.seats for one in self.truth.organization.product(product).features}.get(feature)

    def with_limits(self, features: pd.DataFrame) -> pd.DataFrame:
        """These features (`product`, `feature`) with `limit`, empty where nobody says it."""
        pairs = zip(features["product"], features["feature"], strict=True)
        return features.assign(limit=pd.array([self.limit(*pair) for pair in pairs], dtype="Int64"))


def limits(log: Log) -> dict[tuple[str, str], int]:
    """The seats of each feature, by product and feature, of which a source says them, and always the same number of them.

    Where something else than a use counts as one license, or more were in use than there are, nothing is drawn or said of a limit.
    """
    return log.once(("limits",), lambda: _limits(log))


def _limits(log: Log) -> dict[tuple[str, str], int]:
    if not log.stored.seats["issued"].notna().any():
        return {}
    changes = seats.issued(log)
    always = changes[~changes.duplicated(["product", "feature"], keep=False) & (changes["source"] != seats.DENIALS)]
    rows = always[["product", "feature"]].merge(utilization(log), on=["product", "feature"])
    rows = rows[(rows["license"] == "handle") & (rows["peak"] <= rows["seats"])]
    return {(str(row.product), str(row.feature)): int(str(row.seats)) for row in rows.itertuples()}


def utilization(log: Log) -> pd.DataFrame:
    """`seats.utilization` of a log, computed once."""
    return log.once(("utilization",), lambda: seats.utilization(log))


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
        return Site(log, None, f"{reach(log)} Hours are those of {log.timezone}.")
    truth = simulate.run(sample(days, size), seed)
    zone = truth.organization.timezone
    with TemporaryDirectory() as folder:
        log = read(*_written(truth, Path(folder), servers, traps or Traps()), timezone=zone)
    members = sum(group.members for group in truth.organization.groups)
    return Site(
        log, truth, f"A simulated organization of {members} members (seed {seed}). {reach(log)} Hours are those of {zone}."
    )


def real_logs() -> tuple[list[str], str]:
    """Logs of a real site's FlexNet servers and their time zone, where CARNET_LOG_CORPUS names a folder that has them; else none."""
    folder = Path(os.environ.get(CORPUS, "missing"))
    paths = [folder / name for name in OF_ONE_SITE]
    return ([str(path) for path in paths], ZONE_OF_SITE) if all(path.is_file() for path in paths) else ([], "UTC")


def sample(days: int, size: float) -> Organization:
    """The sample organization for its last `days` days, with its members and seats times `size`.

    Where it is too short for stuck licenses with a history, none are planted.
    """
    whole = Organization()
    planted = Planted(**{name: max(1, round(count * size)) for name, count in asdict(AT_A_SITE).items()})
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


def reach(log: Log) -> str:
    """A sentence on from when to when a log reaches, and how much is in it."""
    quality = log.stored.quality
    begin, end = quality["begin"].min(), quality["end"].max()
    text = capitalized(f"{counted(int(quality['events'].sum()), 'event')} in {counted(len(quality), 'file')}")
    if pd.isna(begin):
        return f"{text}."
    begin, end = begin.tz_convert(log.timezone), end.tz_convert(log.timezone)
    if begin.date() == end.date():
        return f"{text}, on {begin:%Y-%m-%d}."
    return f"{text}, from {begin:%Y-%m-%d} to {end:%Y-%m-%d}."
