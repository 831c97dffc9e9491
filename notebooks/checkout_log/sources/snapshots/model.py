"""What a license server lists at one moment: who holds or waits for what, and how many seats there are of each feature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

# Feature or vendor daemon that no line names.
UNKNOWN = "unknown"
# In the place of the start of what the server counts and does not list: nobody says since when.
UNLISTED = datetime(1, 1, 1)  # noqa: DTZ001 - local, as all starts


class Row(NamedTuple):
    """A user of a feature. `start` is local time, None for somebody who waits; `linger` seconds of a borrow, counted from start.

    is_doubtful: the start may be of another year. is_ahead: it is later than the snapshot, so there are two clocks.
    left: for how many seconds more a borrow is out, counted from the snapshot, where the row says it.
    due: local time at which it is due, of servers that say it outright.
    """

    member: str
    machine: str
    display: str
    handle: str
    quantity: int
    start: datetime | None
    linger: int | None
    is_doubtful: bool
    is_ahead: bool
    left: int | None = None
    due: datetime | None = None

    @property
    def is_borrow(self) -> bool:
        """Whether it is taken along, and not a session."""
        return self.linger is not None or self.due is not None


class Key(NamedTuple):
    """What tells one use in a snapshot from another; `start` is local, None for somebody who waits."""

    product: str
    feature: str
    member: str
    machine: str
    display: str
    handle: str
    start: datetime | None


@dataclass(slots=True)
class Total:
    """What the server says of a feature in all: the line, the vendor daemon, and its licenses; those reserved count as in use.

    issued: None where there is no limit. is_shared: several uses may be one license, so that more may be listed than are in use;
    dup_group: what must be the same in them, as a license file of FlexNet says it, where the server tells that.
    """

    line: int
    product: str
    feature: str
    issued: int | None = 0
    in_use: int = 0
    reserved: int = 0
    is_shared: bool = False
    dup_group: str | None = None


@dataclass(slots=True)
class Snapshot:
    """One output: number and line of its file, its local time, the servers it asked, and its vendor daemons.

    users: who holds or waits for what, with line and row, by what tells them apart. is_telling: it lists features.
    section: the vendor daemons whose features come next: each is named above its own features, or all are above those of all.
    totals: of each feature, one that stands twice for one vendor daemon has its licenses in two pools.
    disagreeing: of how many features the total is another than what is listed. is_dated: its time is
    said, and not only the earliest that it can be.
    """

    file: int
    line: int
    at: datetime
    servers: str = ""
    daemons: list[str] = field(default_factory=list)
    section: list[str] = field(default_factory=list)
    is_in_section: bool = False
    is_telling: bool = False
    users: dict[Key, tuple[int, Row]] = field(default_factory=dict)
    totals: list[Total] = field(default_factory=list)
    disagreeing: int = 0
    is_dated: bool = True

    @property
    def products(self) -> frozenset[str]:
        """The vendor daemons that it tells of."""
        return frozenset({*self.daemons, *(key.product for key in self.users)}) if self.is_telling else frozenset()

    @property
    def completed(self) -> Snapshot:
        """Itself, with one total for each feature, and a use of nobody for what the server says is in use and does not list."""
        self.totals = _joined(self.totals)
        in_use: dict[tuple[str, str], int] = defaultdict(int)
        for key, (_, row) in self.users.items():
            in_use[key.product, key.feature] += row.quantity if key.start is not None else 0
        for total in self.totals:
            missing = total.in_use - total.reserved - in_use[total.product, total.feature]
            self.disagreeing += missing > 0 or (missing < 0 and not total.is_shared)
            if missing > 0:
                row = Row("", "", "", "", missing, self.at, None, is_doubtful=True, is_ahead=False)
                self.users[Key(total.product, total.feature, "", "", "", "", UNLISTED)] = (total.line, row)
        return self


def _joined(totals: Sequence[Total]) -> list[Total]:
    """One total for each feature of each vendor daemon: the sum of those of its pools."""
    joined: dict[tuple[str, str], Total] = {}
    for total in totals:
        whole = joined.setdefault((total.product, total.feature), total)
        if whole is not total:
            whole.issued = None if whole.issued is None or total.issued is None else whole.issued + total.issued
            whole.in_use += total.in_use
            whole.reserved += total.reserved
            whole.is_shared = whole.is_shared or total.is_shared
            whole.dup_group = whole.dup_group if whole.dup_group == total.dup_group else None
    return list(joined.values())
