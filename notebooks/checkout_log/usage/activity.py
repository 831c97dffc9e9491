"""Who uses and asks for licenses: last use, requests, and checkouts as their users made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import BooleanValue, Table

from checkout_log.columns import (
    CHECKIN,
    CHECKOUT,
    DENIAL,
    FLAG,
    NUMBER,
    RENEWAL,
    TEXT,
    TIME,
    UNSUPPORTED,
    UPGRADE,
    WHOLE,
    Column,
    typed,
)
from checkout_log.errors import QuestionInvalid
from checkout_log.log import Log
from checkout_log.measuring.questions import DAY, NOWS, SECOND, moment, nows

# What requests can be counted by.
BY = ("product", "feature", "member", "group", "machine")

LAST_USED = (
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("feature", TEXT, False, "level, extension or feature"),
    Column("member", TEXT, True, "user name"),
    Column("last_used_at", TIME, True, "last sign of use until now: a checkout, renewal or check-in of the member's own"),
    Column("days_since", NUMBER, True, "days from then until now"),
    Column("uses", WHOLE, False, "checkouts until now"),
    Column("is_held", FLAG, False, "true: a session or borrow of it is open, or ends later than now"),
)
USER_ACTIONS = (
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("checkouts", WHOLE, False, "checkouts in the log"),
    Column("actions", WHOLE, False, "the same with those of one member at one machine in one second taken together"),
)
REQUESTED = (
    Column("requests", WHOLE, False, "used, denied and unsupported"),
    Column("used", WHOLE, False, "checkouts"),
    Column("denied", WHOLE, False, "denials, whatever the reason; one that waits or tries again counts each time"),
    Column("unsupported", WHOLE, False, "requests for what is not served: mostly probes"),
)


def requests(log: Log, by: Sequence[str] = ("product", "feature")) -> pd.DataFrame:
    """What was asked for, by the columns named in `by`: those columns (texts), `requests`, `used`, `denied`, `unsupported`.

    `by` may name product, feature, member, group and machine. A member of several groups counts for each of them, so that
    the sum over groups is more than there was. Raises QuestionInvalid.
    """
    keys = _known(by)
    asked = log.table.filter(_.event.isin((CHECKOUT, DENIAL)))
    if "group" in keys:
        asked = _each_group(asked)
    is_unsupported = (_.event == DENIAL) & (_.reason == UNSUPPORTED).fill_null(False)
    counted = asked.group_by(*keys).aggregate(
        requests=_.count(),
        used=(_.event == CHECKOUT).sum(),
        denied=((_.event == DENIAL) & ~is_unsupported).sum(),
        unsupported=is_unsupported.sum(),
    )
    columns = (*(Column(key, TEXT, True, "") for key in keys), *REQUESTED)
    return typed(log.engine.frame(counted, columns).sort_values(keys), columns)


def _known(by: object) -> list[str]:
    keys = [by] if isinstance(by, str) else list(by) if isinstance(by, Iterable) else []
    if not keys or any(keys.count(key) > 1 or key not in BY for key in keys):
        raise QuestionInvalid(f"by is {by!r}", hint=f"Name one or more of {', '.join(BY)}, each once.")
    return keys


def _each_group(asked: Table) -> Table:
    """A row for each group of a member; the log has them in one text, with semicolons between."""
    split = asked.mutate(group=asked["group"].fill_null("").split(";").unnest())
    name = split["group"].strip()
    return split.mutate(group=name.nullif(""))


def user_actions(log: Log) -> pd.DataFrame:
    """How often users took licenses, one row for each product: the columns USER_ACTIONS.

    Some vendors write a line for the package and one for its part. Checkouts of different features by one member at one
    machine in the same second are one action; a feature that is taken twice in it means two.
    """
    second = (_["at"] / SECOND).floor().cast("int64")
    rows = log.table.filter(_.event == CHECKOUT).mutate(second=second)
    times = rows.group_by("product", "member", "machine", "second", "feature").aggregate(times=_.count())
    actions = times.group_by("product", "member", "machine", "second").aggregate(checkouts=_.times.sum(), actions=_.times.max())
    counted = actions.group_by("product").aggregate(checkouts=_.checkouts.sum(), actions=_.actions.sum())
    return typed(log.engine.frame(counted, USER_ACTIONS).sort_values("product"), USER_ACTIONS)


def own_acts() -> BooleanValue:
    """Whether an event is the member's own act: what an administrator, a term or an idle time-out does is none."""
    is_returned = (_.event == CHECKIN) & ~_.reason.isin(("idle", "shutdown")).fill_null(False)
    return _.event.isin((CHECKOUT, RENEWAL, UPGRADE)) | is_returned


def last_used(log: Log, now: datetime | None = None) -> pd.DataFrame:
    """When each member last used each feature of a product, longest ago first: the columns LAST_USED.

    `now` is by default the end of each product's log. Who never used a license is not in the log. A sign within an offline borrow
    cannot be seen. Raises QuestionInvalid.
    """
    until = moment(log, now)
    keys = ("product", "feature", "member")
    acts = log.table.filter((_.event != DENIAL) & (_["at"] <= until)).group_by(*keys)
    signs = acts.aggregate(last=_["at"].max(where=own_acts()), uses=(_.event == CHECKOUT).sum())
    asked = log.engine.numbers(nows(log, now), NOWS)
    at_now = log.paired.join(asked, "product").filter((_.start <= _.now) & ((_.end > _.now) | _.censored))
    held = at_now.select(*keys).distinct()
    named = held.mutate(member=_.member.fill_null(""), is_held=ibis.literal(True))
    joined = (
        signs.join(asked, "product")
        .mutate(key=_.member.fill_null(""))
        .left_join(named, [("product", "product"), ("feature", "feature"), ("key", "member")], rname="held_{name}")
    )
    rows = joined.select(
        *keys,
        "uses",
        last_used_at=_["last"],
        days_since=(_.now - _["last"]) / DAY,
        is_held=_.is_held.fill_null(False),
    )
    frame = log.engine.frame(rows, LAST_USED).sort_values(["last_used_at", *keys], na_position="first")
    return typed(frame, LAST_USED)
