"""What the measures of members, denials and borrows should say, row by row: the third part of the slow reference."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.notebooks.reference import (
    DAY,
    SECOND,
    Event,
    RawLog,
    Use,
    by_feature,
    level,
    pieces,
    total,
)
from tests.notebooks.reference_use import SERIES, Row, share, when


def is_own_act(event: Event) -> bool:
    is_returned = event.event == "checkin" and event.reason not in ("idle", "shutdown")
    return event.event in ("checkout", "renewal", "upgrade") or is_returned


def last_used(raw_log: RawLog) -> Iterator[Row]:
    rows: dict[tuple[str, str, str | None], list[Event]] = defaultdict(list)
    for event in raw_log.events:
        if event.event != "denial":
            rows[event.product, event.feature, event.member].append(event)
    held_by: dict[tuple[str, str, str | None], list[Use]] = defaultdict(list)
    for use in raw_log.uses:
        if use.started:
            held_by[use.product, use.feature, use.member].append(use)
    for (product, feature, member), events in rows.items():
        last, now = max((event.at for event in events if is_own_act(event)), default=None), raw_log.end_of(product)
        yield {
            "product": product,
            "feature": feature,
            "member": member,
            "last_used_at": when(last),
            "days_since": None if last is None else (now - last) / DAY,
            "uses": sum(event.event == "checkout" for event in events),
            "is_held": any(use.start <= now and (use.end > now or use.censored) for use in held_by[product, feature, member]),
        }


def requests(raw_log: RawLog, by: Sequence[str]) -> Iterator[Row]:
    counted: dict[tuple[str | None, ...], Counter[str]] = defaultdict(Counter)
    for event in raw_log.events:
        if event.event not in ("checkout", "denial"):
            continue
        kind = "used" if event.event == "checkout" else "unsupported" if event.reason == "unsupported" else "denied"
        groups = [name.strip() or None for name in (event.group or "").split(";")] if "group" in by else [event.group]
        for group in groups:
            counted[tuple(getattr(event._replace(group=group), name) for name in by)][kind] += 1
    for key, kinds in counted.items():
        counts = {name: kinds[name] for name in ("used", "denied", "unsupported")}
        yield dict(zip(by, key, strict=True)) | {"requests": sum(counts.values()), **counts}


def user_actions(raw_log: RawLog) -> Iterator[Row]:
    taken = [event for event in raw_log.events if event.event == "checkout"]
    times = Counter((event.product, event.member, event.machine, event.at // SECOND, event.feature) for event in taken)
    most: Counter[tuple[Any, ...]] = Counter()
    for key, count in times.items():
        most[key[:4]] = max(most[key[:4]], count)
    for product in sorted({event.product for event in taken}):
        actions = sum(count for key, count in most.items() if key[0] == product)
        yield {"product": product, "checkouts": sum(event.product == product for event in taken), "actions": actions}


def is_for_lack_of_seats(event: Event) -> bool:
    reason = event.reason or ""
    codes = {"flexnet": ("-4,", "-24,"), "rlm": ("-22",)}.get(event.source, ())
    is_full = (
        reason in ("pool-exhausted", "queued")
        or "reserved for others" in reason.lower()
        or reason.startswith(tuple(codes))
        or reason.lower().startswith("licensed number of users already reached")
    )
    return event.event == "denial" and is_full


def episodes(raw_log: RawLog, gap: int, *, by_machine: bool = False) -> list[Row]:
    """The denial episodes; times in microseconds."""
    rows: dict[tuple[Any, ...], list[list[Event]]] = defaultdict(list)
    for event in sorted(raw_log.events, key=lambda one: one.at):
        if is_for_lack_of_seats(event):
            runs = rows[event.product, event.feature, event.member or "", (event.machine or "") if by_machine else None]
            if runs and event.at - runs[-1][-1].at <= gap:
                runs[-1].append(event)
            else:
                runs.append([event])
    return [_episode(raw_log, run, gap, by_machine=by_machine) for runs in rows.values() for run in runs]


def _episode(raw_log: RawLog, run: list[Event], gap: int, *, by_machine: bool) -> Row:
    first, last = run[0], run[-1]
    return {
        "product": first.product,
        "feature": first.feature,
        "member": first.member,
        "machine": first.machine if by_machine else None,
        "first_at": first.at,
        "last_at": last.at,
        "lines": len(run),
        "machines": len({event.machine for event in run if event.machine is not None}),
        "quantity": max(event.quantity for event in run),
        "got_it": any(
            event.event == "checkout" and last.at <= event.at <= last.at + gap
            for event in raw_log.of_product[first.product]
            if (event.product, event.feature, event.member or "") == (first.product, first.feature, first.member or "")
        ),
    }


def counts(raw_log: RawLog, gap: int) -> Iterator[Row]:
    where, every = ZoneInfo(raw_log.timezone), episodes(raw_log, gap)
    for product, feature in sorted({(event.product, event.feature) for event in raw_log.events if event.event == "denial"}):
        denied = [event for event in raw_log.of_product[product] if event.event == "denial" and event.feature == feature]
        full = [event for event in denied if is_for_lack_of_seats(event)]
        of_feature = [row for row in every if (row["product"], row["feature"]) == (product, feature)]
        unsupported = sum(event.reason == "unsupported" for event in denied)
        unexplained = sum(event.reason is None for event in denied)
        yield {
            "product": product,
            "feature": feature,
            "raw": len(full),
            "episodes": len(of_feature),
            "user_days": len({(event.member, datetime.fromtimestamp(event.at // SECOND, where).date()) for event in full}),
            "lost": sum(not row["got_it"] for row in of_feature),
            "unexplained": unexplained,
            "other": len(denied) - len(full) - unexplained - unsupported,
            "unsupported": unsupported,
        }


def enough(raw_log: RawLog, grouping: str, gap: int) -> Iterator[Row]:
    every = episodes(raw_log, gap)
    for (product, feature), uses in by_feature(raw_log).items():
        parts = {name: pieces(raw_log, uses, name, grouping) for name in SERIES}
        waits = [row for row in every if (row["product"], row["feature"]) == (product, feature)]
        demands = []
        for row in waits:
            at = row["first_at"]
            taken = max(level(uses, at, "seats", grouping), level(uses, at - 1, "seats", grouping))
            demands.append(taken + sum(other["quantity"] for other in waits if other["first_at"] <= at <= other["last_at"]))
        for number in range(1, max([1, *demands, *(part.level for part in parts["upper"])]) + 1):
            over = {name: sum(part.until - part.at for part in parts[name] if part.level > number) for name in SERIES}
            observed = total(parts["seats"])
            yield (
                {"product": product, "feature": feature, "seats": number}
                | {word: share(over[name], observed) for word, name in zip(("exceeded", "lower", "upper"), SERIES, strict=True)}
                | {"episodes": len(waits), "unmet": sum(demand > number for demand in demands)}
            )


def same_borrow(use: Use, event: Event) -> bool:
    """Whether an event is about a borrow, whichever of its features."""
    key = (use.source, use.product, use.handle or "", use.member or "")
    return event.mode == "borrow" and key == (event.source, event.product, event.handle or "", event.member or "")


def ageing(raw_log: RawLog) -> Iterator[Row]:
    borrows: dict[tuple[Any, ...], list[Use]] = defaultdict(list)
    for use in raw_log.uses:
        if use.started and use.mode == "borrow":
            borrows[use.source, use.product, use.handle or "", use.member or "", use.machine or "", use.start].append(use)
    for rows in borrows.values():
        first, now = rows[0], raw_log.end_of(rows[0].product)
        end, due = max(row.end for row in rows), max((row.until for row in rows if row.until is not None), default=None)
        is_out = end > now or any(row.censored for row in rows)
        ended_by = "open" if is_out else max(row.ended_by for row in rows)
        is_unreturned = is_out or ended_by in ("expiry", "revocation")
        acts = [
            event
            for event in raw_log.of_product[first.product]
            if same_borrow(first, event) and first.start <= event.at <= min(end, now)
        ]
        signs = [
            event.at
            for event in raw_log.events
            if event.member is not None and event.member == first.member and (is_own_act(event) or event.event == "denial")
        ]
        yield {
            "product": first.product,
            "features": "; ".join(sorted({row.feature for row in rows})),
            "handle": first.handle,
            "member": first.member,
            "machine": first.machine,
            "alias": max((row.alias for row in rows if row.alias is not None), default=None),
            "start": when(first.start),
            "due": when(due),
            "ended_by": ended_by,
            "is_out": is_out,
            "is_overdue": is_unreturned and due is not None and due <= now,
            "days_out": ((now if is_out else end) - first.start) / DAY,
            "days_left": (due - now) / DAY if is_unreturned and due is not None else None,
            "renewals": len({event.at for event in acts if event.event == "renewal"}),
            "revoked_at": when(min((event.at for event in acts if event.event == "revocation"), default=None)),
            "released_at": when(min((event.at for event in acts if event.event == "release"), default=None)),
            "last_sign_at": when(max(signs, default=None)),
            "days_since_sign": max(0, now - max(signs)) / DAY if signs else None,
        }


def what_if(raw_log: RawLog, longest: int) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        borrows = _together([use for use in uses if use.started and use.mode == "borrow"])
        if not borrows:
            continue
        replayed = [_replayed(raw_log, use, longest) for use in borrows]
        sessions = [use for use in uses if use.started and use.mode != "borrow"]
        held = {name: sessions + [part for parts in replayed for part in parts[name]] for name in SERIES}
        days = {
            name: sum(part.quantity * (part.end - part.start) for parts in replayed for part in parts[name]) / DAY
            for name in SERIES
        }
        before = sum(use.quantity * (use.end - use.start) for use in borrows) / DAY
        yield {
            "product": product,
            "feature": feature,
            "borrows": len(borrows),
            "shortened": sum(parts["is_shortened"] for parts in replayed),
            "used_beyond": sum(parts["has_sign"] for parts in replayed),
            "seat_days": before,
            "given_back": before - days["seats"],
            "lower": before - days["upper"],
            "upper": before - days["lower"],
            "peak_before": max(part.level for part in pieces(raw_log, uses, "seats", "handle")),
            "peak_after": _most(raw_log, product, held["seats"]),
            "peak_after_lower": _most(raw_log, product, held["lower"]),
            "peak_after_upper": _most(raw_log, product, held["upper"]),
        }


def _together(uses: list[Use]) -> list[Use]:
    """The uses of one and the same borrow that end together as one."""
    same: dict[tuple[Any, ...], list[Use]] = defaultdict(list)
    for use in uses:
        same[use.source, use.handle, use.member, use.machine, use.start, use.end, use.censored].append(use)
    return [replace(rows[0], quantity=sum(row.quantity for row in rows)) for rows in same.values()]


def _most(raw_log: RawLog, product: str, uses: list[Use]) -> int:
    # `upper` counts each use with its quantity.
    return max(part.level for part in pieces(raw_log, uses, "upper", "handle")) if uses else 0


def _replayed(raw_log: RawLog, use: Use, longest: int) -> dict[str, Any]:
    renewals = {
        event.at
        for event in raw_log.of_product[use.product]
        if same_borrow(use, event)
        and event.event == "renewal"
        and event.feature == use.feature
        and use.start < event.at < use.end
    }
    grants = [use.start, *sorted(renewals)]
    result: dict[str, Any] = {name: [] for name in SERIES} | {"is_shortened": False, "has_sign": False}
    for begin, until in zip(grants, [*grants[1:], use.end], strict=True):
        short = min(until, begin + longest)
        signs = [
            event.at
            for event in raw_log.of_product[use.product]
            if event.event in ("checkout", "renewal", "upgrade")
            and (event.product, event.member or "", event.machine or "") == (use.product, use.member or "", use.machine or "")
            and short < event.at <= until
        ]
        ends = {"seats": max(signs, default=short), "lower": short, "upper": until if signs else short}
        for name in SERIES:
            is_open = use.censored and ends[name] == use.end
            result[name].append(replace(use, start=begin, end=ends[name], censored=is_open))
        result["is_shortened"] |= short < until
        result["has_sign"] |= bool(signs)
    return result
