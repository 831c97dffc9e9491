"""Random raw logs for tests, and how each becomes a `Log`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from checkout_log.engine import Engine
from checkout_log.log import Log
from checkout_log.quality import QUALITY
from checkout_log.store import EventFile, Folder, Stored, frame_of_seats
from tests.notebooks.reference import DAY, SECOND, Era, Event, RawLog, Span

# Clocks in Berlin change in the night after this day begins.
BEGIN = 1_711_756_800 * SECOND - 5 * DAY // 2
STEPS = (1, 601, 4_000, 40_000)
REASONS = (
    "-4,342 Licensed number of users already reached",
    "All licenses are reserved for others. -1,2",
    "queued",
    "unsupported",
    None,
)
CODES = {
    "flexnet": (*REASONS, "-24,332 ", "-5,346 No such feature"),
    "rlm": ("-22", "-3", *REASONS[2:]),
    "authority": ("pool-exhausted", "not-assigned"),
    "lmstat": ("queued",),
}


def open_log(raw_log: RawLog, engine: Engine | None = None) -> Log:
    """The raw log as a `Log`."""
    folder = Folder()
    path = folder.path / "events.parquet"
    with EventFile(path) as file:
        file.add_rows(raw_log.events)
    eras = pd.DataFrame(raw_log.eras, columns=["era", "product", "begin", "end"])
    spans = pd.DataFrame(raw_log.spans, columns=["product", "begin", "end"])
    stored = Stored(
        files=(path,),
        eras=eras.astype({"era": "int64", "product": "string", "begin": "int64", "end": "Int64"}),
        spans=spans.astype({"product": "string", "begin": "int64", "end": "int64"}),
        seats=frame_of_seats([]),
        quality=pd.DataFrame(columns=[column.name for column in QUALITY]),
        timezone=raw_log.timezone,
        folder=folder,
    )
    return Log(stored, Engine() if engine is None else engine)


def event(at: int, kind: str = "checkout", **fields: object) -> Event:
    """An event, so many seconds after BEGIN; what is not given is as in an ordinary session."""
    usual: dict[str, object] = {
        "mode": "session",
        "handle": None,
        "product": "P",
        "feature": "F",
        "member": "ann",
        "machine": "m1",
    }
    usual |= {"group": None, "alias": None, "os_user": None, "quantity": 1, "until": None, "reason": None, "source": "flexnet"}
    usual |= {"line": 1, "segment": 0, "era": 0, "ambiguous": False}
    values = usual | fields
    if values["until"] is not None:
        values["until"] = BEGIN + int(str(values["until"])) * SECOND
    return Event(at=BEGIN + at * SECOND, event=kind, **values)  # type: ignore[arg-type]


def raw_log(events: list[Event], seconds: int = 1_000, **fields: object) -> RawLog:
    """A raw log of these events, numbered, in which each product is observed for so many seconds."""
    numbered = [one._replace(line=number) for number, one in enumerate(events, 1)]
    products = sorted({one.product for one in events})
    return RawLog(numbered, [Span(product, BEGIN, BEGIN + seconds * SECOND) for product in products], **fields)  # type: ignore[arg-type]


class Chooser:
    """Draws for a random raw log, from a random number generator or from hypothesis."""

    def __init__(self, number: Callable[[int, int], int]) -> None:
        self.number = number

    def one(self, values: tuple[Any, ...]) -> Any:
        return values[self.number(0, len(values) - 1)]

    def often(self, percent: int) -> bool:
        return self.number(1, 100) <= percent


def by_seed(seed: int) -> Chooser:
    """A chooser that draws the same again for the same seed."""
    return Chooser(random.Random(seed).randint)


def random_logs(products: int = 1) -> st.SearchStrategy[RawLog]:
    """Worlds of at most so many products, for hypothesis to shrink."""

    @st.composite
    def build(draw: st.DrawFn) -> RawLog:
        choose = Chooser(lambda low, high: draw(st.integers(low, high)))
        return together(_of_product(choose, number) for number in range(choose.number(1, products)))

    return build()


def _of_product(choose: Chooser, number: int) -> RawLog:
    """A random raw log of the product of this number, with numbers of runs that no other has."""
    return random_log(choose, f"P{number:03}", 1 + 4 * number)


def random_log(choose: Chooser, product: str, first_era: int) -> RawLog:
    """Some events of a product at moments that often coincide, of all sources and kinds, with restarts and gaps."""
    step, source = choose.one(STEPS), choose.one(("flexnet", "authority", "rlm", "lmstat"))
    moments = [BEGIN + choose.number(0, 30) * step * SECOND for _ in range(choose.number(1, 25))]
    eras = _eras(choose, product, step, first_era) if source in ("flexnet", "rlm") else []
    events = [_event(choose, moment, number, product, source, step) for number, moment in enumerate(moments, 1)]
    events = [one._replace(era=_era_of(eras, one.at)) for one in events]
    spans = _spans(choose, events, product, step)
    # Nothing that a log tells lies outside of the time that it covers.
    events = [one for one in events if any(span.begin <= one.at <= span.end for span in spans)]
    return RawLog(events, spans, eras, "Europe/Berlin")


def _eras(choose: Chooser, product: str, step: int, first: int) -> list[Era]:
    """Runs of the server, the last of which may still be on."""
    cuts = sorted({choose.number(1, 29) for _ in range(choose.number(0, 2))})
    begins = [BEGIN - 5 * SECOND, *(BEGIN + cut * step * SECOND + SECOND // 2 for cut in cuts)]
    ends = [*begins[1:], None if choose.often(70) else BEGIN + 31 * step * SECOND]
    return [Era(first + number, product, begin, end) for number, (begin, end) in enumerate(zip(begins, ends, strict=True))]


def _era_of(eras: list[Era], at: int) -> int:
    return max((era.era for era in eras if era.begin <= at), default=0)


def _spans(choose: Chooser, events: list[Event], product: str, step: int) -> list[Span]:
    """What is observed: all of it, at times with a hole in it or with parts that overlap."""
    first, last = min(one.at for one in events), max(one.at for one in events)
    end = last + choose.one((0, 7, 3 * step, 20 * step)) * SECOND
    if end % (900 * SECOND) == 0:
        end += 7 * SECOND
    middle = (first + last) // 2
    if choose.often(25):
        return [Span(product, first, middle), Span(product, middle + step * SECOND // 3, end + step * SECOND)]
    if choose.often(25):
        return [Span(product, first - 3 * SECOND, middle + step * SECOND), Span(product, middle, end)]
    return [Span(product, first - choose.one((0, step)) * SECOND, end)]


def _event(choose: Chooser, at: int, line: int, product: str, source: str, step: int) -> Event:
    kinds = ("checkout",) * 6 + ("checkin",) * 4 + ("denial",) * 3 + ("renewal", "release", "end", "revocation", "upgrade")
    kind = choose.one(kinds)
    handles = ("h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9") if source == "authority" else (None, None, "1")
    is_borrow = choose.often(40)
    return Event(
        at=at,
        event=kind,
        mode="borrow" if is_borrow else "session",
        handle=None if kind == "denial" else choose.one(handles),
        product=product,
        feature=choose.one(("F", "F", "G")),
        member=choose.one(("ann", "ann", "bob", None)),
        group=choose.one(("staff; gis", "staff", None)),
        machine=choose.one(("m1", "m1", "m2", None)),
        alias=choose.one(("desk", None)),
        os_user=None,
        # Of a borrow that had ended a receipt moves no seat.
        quantity=0 if kind == "checkin" and source == "authority" and choose.often(20) else choose.one((1, 1, 1, 2, 3)),
        until=at + choose.number(1, 25) * step * SECOND if is_borrow else None,
        reason=choose.one(CODES[source])
        if kind == "denial"
        else choose.one((None, None, "idle", "shutdown"))
        if kind == "checkin"
        else None,
        source=source,
        line=line,
        segment=0,
        era=0,
        ambiguous=choose.often(8),
    )


def many(seed: int, count: int) -> RawLog:
    """So many random logs in one, each a product of its own."""
    return together(_of_product(by_seed(seed * 1_000 + number), number) for number in range(count))


def together(logs: Iterable[RawLog]) -> RawLog:
    """These logs as one, its lines numbered through."""
    parts = list(logs)
    events = [one for part in parts for one in part.events]
    events = [one._replace(line=line) for line, one in enumerate(events, 1)]
    spans = [span for part in parts for span in part.spans]
    return RawLog(events, spans, [era for part in parts for era in part.eras], "Europe/Berlin")
