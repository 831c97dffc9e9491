"""What `doctor` looks at: database, keys, authorization, members, licenses, status list, log, nodes and Python."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from authority.domain import days
from authority.domain.catalogue import WARNING_BEFORE_END, KeyUse, Product, check_made, end_warning
from authority.domain.clocks import BETWEEN_SERVERS, CHECK_CLOCK
from authority.domain.entitlement import check_not_overallocated
from authority.domain.plurals import are, counted
from authority.domain.refusals import KeyUnusable, NotSetUp, Refusal
from authority.services import (
    backing_up,
    home_copies,
    key_ends,
    keys,
    licenses,
    notifying,
    python_build,
    reachability,
    reconciling,
    seal_health,
)
from authority.services.backing_up import Place
from authority.services.unit import Unit
from authority.storage import events, organization, status_lists, tokens
from authority.storage.db import durability, schema

# Even a small organization borrows, signs in or is backed up more often.
SILENT_AFTER = timedelta(days=60)
NOT_LOOKED_AT = "not looked at, see {}"
BROKEN_HINT = (
    "Something is there that no program of this authority wrote: compare the home and the database with a backup. "
    "If they are as they should be, it is a mistake in the program: please report it."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `ok` is None where it could not be, because of what another line says."""

    subject: str
    ok: bool | None
    message: str


def examine(unit: Unit) -> list[Finding]:
    """One finding for each thing, in a fixed order. Raises nothing for what is wrong.

    What stands in tables is not looked at where there are none, and what is wrong for several things is said once.
    """
    tables = finding("tables", functools.partial(_tables, unit))
    if tables.ok:
        findings = [finding(subject, functools.partial(check, unit)) for subject, check in IN_TABLES.items()]
    else:
        findings = not_looked_at(IN_TABLES, tables.subject)
    return [tables, *_each_said_once(findings), finding("python", python_build.sentence)]


def not_looked_at(subjects: Iterable[str], reason: str) -> list[Finding]:
    """The findings of what could not be looked at, because of what the line of the `reason` says."""
    return [Finding(subject, None, NOT_LOOKED_AT.format(reason)) for subject in subjects]


def without_settings() -> list[Finding]:
    """The findings of all that `examine` looks at, where the settings do not say where it is."""
    return [*not_looked_at(("tables", *IN_TABLES), "settings"), finding("python", python_build.sentence)]


def _each_said_once(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, where one that says the very same as another refers to that."""
    subjects: dict[str, list[str]] = {}
    for item in findings:
        if item.ok is False:
            subjects.setdefault(item.message, []).append(item.subject)
    # A clock, or an authorization, of which nothing can be said is its own line's to tell.
    teller = {
        message: next(name for name in ("clock", "authorization", names[0]) if name in names)
        for message, names in subjects.items()
    }
    is_told_here = [item.ok is not False or teller[item.message] == item.subject for item in findings]
    return [
        item if is_told else Finding(item.subject, None, NOT_LOOKED_AT.format(teller[item.message]))
        for item, is_told in zip(findings, is_told_here, strict=True)
    ]


def finding(subject: str, check: Callable[[], str]) -> Finding:
    """What a check returns when all is well, or what it raises, with what to do: one that breaks keeps no other from being made."""
    try:
        return Finding(subject, True, check())
    except Refusal as error:
        return refused(subject, error)
    except Exception as error:  # noqa: BLE001 - what is wrong here is looked at because it may be wrong in any way
        sentence = f"this could not be looked at: {type(error).__name__}"
        return Finding(subject, False, f"{sentence}. {BROKEN_HINT}")


def refused(subject: str, error: Refusal) -> Finding:
    """The finding that a refusal makes: what is wrong, and what to do, which is not to ask `doctor`."""
    hint = error.hint
    if isinstance(error, KeyUnusable) and hint == KeyUnusable.default_hint:
        hint = "Put the file back, or say where it is: docs/settings.md, key_passphrase_file; docs/operations.md, Home."
    return Finding(subject, False, f"{error.message}. {hint}".strip())


def _tables(unit: Unit) -> str:
    schema.check(unit.authority.database)
    schema.check_complete(unit.authority.database)
    with unit.authority.database.read() as connection:
        if organization.get(connection) is None:
            raise NotSetUp("the database has no organization", hint=NotSetUp.empty_database_hint)
    return f"the tables are of revision {schema.NEWEST}"


def _signing(unit: Unit) -> str:
    rows = [row for row in keys.every(unit) if row.retired_at is None]
    lacking = [use for use in KeyUse if not any(row.signs_now for row in rows if row.use is use)]
    if not lacking:
        return _until(unit)
    message = f"no {' and no '.join(lacking)} key can sign now"
    if any(use not in {row.use for row in rows} for use in lacking):
        raise Refusal(
            f"{message}: its file is not there, or it is retired",
            hint="Put the key files back into the home's folder keys, or make another key: carnet-authority key rotate",
        )
    if unit.now >= unit.authorization.ends_at:
        raise Refusal(f"{message}: the authorization has ended", hint=f"{CHECK_CLOCK} {_RENEW}")
    if (error := _out_of_time(unit, lacking[0])) is not None:
        raise error
    raise Refusal(
        f"{message}: the authorization names others",
        hint="Put the keys that it names into the home's folder keys, or install an authorization that names those there: "
        "carnet-authority key list shows them.",
    )


def _until(unit: Unit) -> str:
    """That both keys can sign, and which of them ends soon while the authorization goes on."""
    with unit.reading():
        soon = key_ends.ending_keys(unit.authorization, unit.now)
        early = [key for key in soon if key.ends_at < unit.authorization.ends_at]
    ends = [f"the {key.use} key ends at {key.ends_at:%Y-%m-%d}, before the authorization" for key in early]
    if not ends:
        return "both keys can sign"
    return (
        f"both keys can sign; {'; '.join(ends)}: nothing is signed after that. Let the vendor authorize another one: "
        "carnet-authority key rotate, then key list --public -o KEYS.json"
    )


def _out_of_time(unit: Unit, use: KeyUse) -> KeyUnusable | None:
    """Why no key signs for this use, where the authorization names one that is here and it is not its time by this clock."""
    with unit.reading():
        try:
            unit.issuer.current_kid(use, unit.now)
        except KeyUnusable as error:
            return error if error.kid is not None else None
    return None


def _authorized(unit: Unit) -> str:
    with unit.reading():
        in_force, now = unit.authorization, unit.now
    if now < in_force.begins_at:
        raise Refusal(
            f"the authorization begins at {in_force.begins_at:%Y-%m-%d %H:%M} UTC, "
            f"it is {now:%Y-%m-%d %H:%M} UTC by this server's clock",
            hint=f"{CHECK_CLOCK} If it is, wait until then.",
        )
    check_made(in_force, now)
    if now >= in_force.ends_at:
        raise Refusal(
            f"the authorization ended at {in_force.ends_at:%Y-%m-%d}, it is {now:%Y-%m-%d} by this server's clock",
            hint=f"{CHECK_CLOCK} {_RENEW}",
        )
    left = counted(days.left(in_force.ends_at, now), "day")
    text = f"the authorization (seq {in_force.seq}) ends at {in_force.ends_at:%Y-%m-%d}, {left} from now"
    return text if end_warning(in_force, now) is None else f"{text}: ask the vendor for a new one"


_RENEW = "Ask the vendor for a new one, and install it: carnet-authority authorization install FILE"


def _clock(unit: Unit) -> str:
    """A clock that is behind has written later times before; one that is ahead shows by the database's, and else by a long silence."""
    with unit.reading():
        now, last_at = unit.now, events.last_at(unit.connection)
    theirs = durability.time_of(unit.authority.database)
    sentence = f"it is {now:%Y-%m-%d %H:%M} UTC by this server's clock"
    if last_at is not None and last_at > now + BETWEEN_SERVERS:
        raise Refusal(
            f"{sentence}, and the last row of the log is of {last_at:%Y-%m-%d %H:%M} UTC",
            hint=f"{CHECK_CLOCK} If it is right, it was ahead when that row was written: docs/operations.md, When the clock was ahead.",
        )
    if theirs is not None and abs(theirs - unit.authority.clock()) > BETWEEN_SERVERS:
        raise Refusal(
            f"{sentence}, and {theirs:%Y-%m-%d %H:%M} by the database's",
            hint="Set both by a time server (chrony, systemd-timesyncd): what one writes is of another time than the other's.",
        )
    if last_at is not None and now - last_at > SILENT_AFTER:
        return (
            f"{sentence}, and the last row of the log is of {last_at:%Y-%m-%d}: if nobody was away so long, the clock is ahead"
        )
    return sentence


def _within_limits(unit: Unit) -> str:
    with unit.reading():
        membership = unit.membership
    if (excess := membership.excess()) is not None:
        raise Refusal(
            f"{excess}; until that is mended members cannot sign in or borrow",
            hint="Remove members (carnet-authority member remove), or install a larger authorization.",
        )
    allowed = "any number" if membership.maximum is None else str(membership.maximum)
    return f"{counted(membership.current, 'member')}, {allowed} allowed"


def _covered(unit: Unit) -> str:
    """More assigned than there is, products that ended, and assignments of products that are gone."""
    wrong, soon = [], []
    with unit.reading():
        now = unit.now
        products = list(unit.authorization.products.values())
        if now >= unit.authorization.ends_at:
            what = counted(len(products), "product")
            raise Refusal(f"the authorization has ended, and with it {what}: nobody can start or borrow any", hint=_RENEW)
        for product in products:
            ends_at = unit.authorization.end_of(product)
            if product.until is not None and now >= ends_at:
                wrong.append(f'"{product.id}" ended at {ends_at:%Y-%m-%d}')
            elif product.until is not None and ends_at - now <= WARNING_BEFORE_END:
                soon.append(f'"{product.id}" ends at {ends_at:%Y-%m-%d}: ask the vendor for a new authorization')
            if (too_many := _overallocated(unit, product)) is not None:
                wrong.append(too_many)
    if wrong:
        raise Refusal(
            f"{'; '.join(wrong)}: nobody can start or borrow it",
            hint="Unassign licenses (carnet-authority license unassign) until no more are assigned than there are, "
            "or install an authorization that covers them: carnet-authority authorization install FILE",
        )
    return "; ".join([f"{counted(len(products), 'product')}, none of them ended or overallocated", *soon])


def _overallocated(unit: Unit, product: Product) -> str | None:
    if product.is_concurrent:
        return None
    try:
        check_not_overallocated(product, licenses.used(unit, product))
    except Refusal as error:
        return error.message
    return None


def _places(unit: Unit) -> str:
    # Not by way of the unit: what is wrong with the authorization is no fault of the status list.
    now = unit.authority.now()
    with unit.authority.database.read() as connection:
        own, used = organization.get(connection), tokens.count(connection)
        if own is None:
            raise NotSetUp("the database has no organization", hint=NotSetUp.empty_database_hint)
        newest, ahead = status_lists.newest(connection), status_lists.furthest_ahead(connection, now + BETWEEN_SERVERS)
    if used > 0.8 * own.status_size:
        raise Refusal(
            f"{used} of {own.status_size} places of the status list {are(used)} taken",
            hint="Each borrow and each renewal takes one for ever, and nobody borrows when there are none. Longer borrows need fewer: "
            "carnet-authority policy set --longest-days DAYS --default-days DAYS.",
        )
    text = f"{used} of {own.status_size} places of the status list {are(used)} taken"
    if newest is None or ahead is None:
        return text
    sentence = f"number {ahead[0]} is of {ahead[1]:%Y-%m-%d %H:%M} UTC, when this machine's clock was ahead"
    if newest.issued_at > now + BETWEEN_SERVERS:
        raise Refusal(
            f"{text}; {sentence}",
            hint="If the clock is right now, publish a new one and carry it to the workstations: "
            "carnet-authority status-list export -o FILE",
        )
    return f"{text}; {sentence}: workstations that took it are good again with number {newest.seq} or a later one"


def _went_out(unit: Unit) -> str:
    """What this node's home says that went out, and the database has all of it."""
    return reconciling.sentence(reconciling.check_nothing_lost(unit))


def _backup(unit: Unit) -> str:
    """When the last backup was made; that there is none, or an old one, is told, and may be somebody else's to do."""
    last, now = backing_up.last_made(unit.authority), unit.authority.now()
    mend = "make one: carnet-authority backup -o FILE"
    if last is None:
        return f"there never was a backup by this program: {mend}, unless your database is backed up in another way"
    text = f"the last backup was made at {last.made_at:%Y-%m-%d %H:%M} UTC"
    if last.place is Place.BESIDE:
        raise Refusal(
            f"{text}, into the folder of what it is a backup of ({last.file}): who loses the one loses the other",
            hint="Let it be written to another disk, or another machine's: carnet-authority backup -o FILE",
        )
    if now - last.made_at > backing_up.IS_OLD_AFTER:
        return f"{text}, {counted((now - last.made_at).days, 'day')} ago: {mend}"
    return f"{text}, to the disk that the database is on: keep a copy elsewhere" if last.place is Place.ON_ITS_DISK else text


IN_TABLES: dict[str, Callable[[Unit], str]] = {
    "durability": lambda unit: durability.check(unit.authority.database),
    "clock": _clock,
    "keys": _signing,
    "authorization": _authorized,
    "members": _within_limits,
    "licenses": _covered,
    "status list": _places,
    "what went out": _went_out,
    "nodes": home_copies.keys_sentence,
    "trust file": home_copies.trust_sentence,
    "seal": seal_health.sentence,
    "backup": _backup,
    "notices": notifying.examined,
    "address": reachability.sentence,
}
