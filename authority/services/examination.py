"""What `doctor` looks at: database, keys, authorization, members, licenses, status list and Python."""

from __future__ import annotations

import functools
import shlex
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass

from authority.domain import days
from authority.domain.catalogue import WARNING_BEFORE_END, KeyUse, Product, end_warning
from authority.domain.clocks import BETWEEN_SERVERS
from authority.domain.entitlement import check_not_overallocated
from authority.domain.refusals import KeyUnusable, NotSetUp, Refusal
from authority.services import keys, licenses
from authority.services.unit import Unit
from authority.storage import organization, status_lists, tokens
from authority.storage.db import schema

# What a Python that was not optimized costs, as it was measured with the server.
SLOWER = "the server takes about a third more processor time"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    ok: bool
    message: str


def examine(unit: Unit) -> list[Finding]:
    """One finding for each thing, in a fixed order. Raises nothing for what is wrong."""
    checks = {
        "tables": _tables,
        "keys": _signing,
        "authorization": _authorized,
        "members": _within_limits,
        "licenses": _covered,
        "status list": _places,
        "python": _python,
    }
    return [finding(subject, functools.partial(check, unit)) for subject, check in checks.items()]


def finding(subject: str, check: Callable[[], str]) -> Finding:
    """What a check returns when all is well, or the refusal that it raises, with what to do."""
    try:
        return Finding(subject, True, check())
    except Refusal as error:
        return refused(subject, error)


def refused(subject: str, error: Refusal) -> Finding:
    """The finding that a refusal makes: what is wrong, and what to do, which is not to ask `doctor`."""
    hint = error.hint
    if isinstance(error, KeyUnusable) and hint == KeyUnusable.default_hint:
        hint = "Put the file back, or say where it is: docs/settings.md, key_passphrase_file; docs/operations.md, Home."
    return Finding(subject, False, f"{error.message}. {hint}".strip())


def _tables(unit: Unit) -> str:
    schema.check(unit.authority.database)
    return f"the tables are of revision {schema.NEWEST}"


def _signing(unit: Unit) -> str:
    rows = keys.every(unit)
    for use in KeyUse:
        if not any(row.signs_now for row in rows if row.use is use):
            raise Refusal(
                f"no {use} key can sign now",
                hint="Put the key files back into the home's folder keys, or install an authorization that names those there: "
                "carnet-authority key list shows them.",
            )
    return "both keys can sign"


def _authorized(unit: Unit) -> str:
    with unit.reading():
        in_force, now = unit.authorization, unit.now
    if now >= in_force.ends_at:
        raise Refusal(f"the authorization ended at {in_force.ends_at:%Y-%m-%d}", hint=_RENEW)
    left = days.words(days.left(in_force.ends_at, now))
    text = f"the authorization (seq {in_force.seq}) ends at {in_force.ends_at:%Y-%m-%d}, {left} from now"
    return text if end_warning(in_force, now) is None else f"{text}: ask the vendor for a new one"


_RENEW = "Ask the vendor for a new one, and install it: carnet-authority authorization install FILE"


def _within_limits(unit: Unit) -> str:
    with unit.reading():
        membership = unit.membership
    if (excess := membership.excess()) is not None:
        raise Refusal(
            f"{excess}; until that is mended members cannot sign in or borrow",
            hint="Remove members (carnet-authority member remove), or install a larger authorization.",
        )
    allowed = "any number" if membership.maximum is None else str(membership.maximum)
    return f"{membership.current} members, {allowed} allowed"


def _covered(unit: Unit) -> str:
    """More assigned than there is, products that ended, and assignments of products that are gone."""
    wrong, soon = [], []
    with unit.reading():
        now = unit.now
        products = list(unit.authorization.products.values())
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
    return "; ".join([f"{len(products)} products, none of them ended or overallocated", *soon])


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
        raise Refusal(f"{used} of {own.status_size} places of the status list are taken")
    text = f"{used} of {own.status_size} places of the status list are taken"
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


def _python(_: Unit) -> str:
    """A slow Python is no fault of the authority: it is told, and nothing is wrong."""
    return python_sentence(
        sysconfig.get_config_var("PY_CFLAGS"),
        sysconfig.get_config_var("CONFIG_ARGS"),
        is_debug=bool(sysconfig.get_config_var("Py_DEBUG")),
    )


def python_sentence(compiler_flags: str | None, configure_arguments: str | None, *, is_debug: bool = False) -> str:
    """How Python was built, by `PY_CFLAGS`, `CONFIG_ARGS` and `Py_DEBUG` of `sysconfig`, and what to do when that is slow.

    Of several -O the compiler takes the last, and so does configure of its arguments. A build that says nothing of a profile
    may have been made with one all the same: distributions give it to make. Without flags, as on Windows, where builds are
    released optimized, it is taken for optimized.
    """
    mend = "Install the system's own Python, or build one with --enable-optimizations"
    flags = (compiler_flags or "").split()
    level = next((flag for flag in reversed(flags) if flag.startswith("-O")), "")
    if is_debug:
        return f"Python is a debug build: {SLOWER}, or worse. {mend}"
    if compiler_flags and level not in {"-O2", "-O3", "-Ofast"}:
        return f"Python was built without optimization ({level or 'no -O'}): {SLOWER}. {mend}"
    if "-fprofile-use" in flags or _is_enabled(configure_arguments) or not compiler_flags:
        return "Python was built with optimization"
    return f"Python was built with {level}, and does not say whether by a profile too (--enable-optimizations): without one it is slower"


def _is_enabled(configure_arguments: str | None) -> bool:
    """Whether configure was told to optimize by a profile, in its last word on it."""
    words = {
        "--enable-optimizations": True,
        "--enable-optimizations=yes": True,
        "--enable-optimizations=no": False,
        "--disable-optimizations": False,
    }
    try:
        arguments = shlex.split(configure_arguments or "")
    except ValueError:
        return False
    return next((words[argument] for argument in reversed(arguments) if argument in words), False)
