"""Authorization: what is licensed and used, what there is too much of and what mends it, and installing another one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.catalogue import end_warning
from authority.domain.members import Privilege
from authority.domain.plurals import counted
from authority.domain.refusals import InvalidInput
from authority.presentation.authorization import AuthorizationShown
from authority.services import authorizations, licenses, overview
from authority.services.authorizations import Installation, NewTrust
from authority.services.unit import Unit
from authority.web.console.formats import utc
from authority.web.console.forms import Form, read
from authority.web.console.frame import address_of, confirm, done, page, shown_again
from authority.web.console.visiting import unit, visitor

pages = Blueprint("authorization", __name__)


class Roots(Form):
    # Thumbprints with blanks between.
    accept_root: str = Field("", max_length=4096)


@dataclass(frozen=True, slots=True)
class _Excess:
    """What there is more of than authorized, what follows, and pages that mend it: texts with their addresses, "" for none."""

    text: str
    mending: tuple[tuple[str, str], ...]


def _excesses(work: Unit) -> Iterator[_Excess]:
    membership = work.membership
    if membership.maximum is not None and membership.current > membership.maximum:
        number = counted(membership.current - membership.maximum, "member")
        yield _Excess(
            f"{number} too many: {membership.current} of {membership.maximum}. Only administrators can sign in until it is mended.",
            (("Remove members", address_of("members")),),
        )
    for name, (current, most) in membership.by_type.items():
        if most is not None and current > most:
            yield _Excess(
                f"{counted(current - most, 'member')} of the type {name} too many: {current} of {most}.",
                (("Change their type, or remove some", address_of("members", type=name)),),
            )
    for row in licenses.availability(work):
        if row.available < 0:
            product = work.authorization.products.get(row.product)
            is_concurrent = product is not None and product.is_concurrent
            used, follows = (
                ("in use", "no more are given until enough are back")
                if is_concurrent
                else ("assigned", "nobody can start or borrow it")
            )
            yield _Excess(
                f"{row.product} {row.feature}: {row.used} {used}, {row.licensed} licensed; {follows}.",
                (
                    (
                        ("End sessions", address_of("activity", product=row.product)),
                        ("See who is offline", address_of("offline", product=row.product)),
                    )
                    if is_concurrent
                    else (("Unassign some", address_of("licenses", product=row.product, feature=row.feature)),)
                ),
            )


@pages.get("/authorization")
def index() -> Response:
    """What is licensed and used, what there is too much of, and the form for another one."""
    return _index()


def _index() -> Response:
    work = unit()
    authorization, used = overview.authorization(work)
    return page(
        "authorization.html",
        shown=AuthorizationShown.of(authorization, used, work.now),
        by_type=used["by_type"],
        excesses=list(_excesses(work)),
        may_install=visitor().actor.has(Privilege.MANAGE_AUTHORITY),
        # What was given in stays, where something else is wrong.
        files={name: _text(name) for name in ("authorization", "trust")},
    )


def _text(name: str) -> str:
    """A file that was given in, now or with the form before this one, as a field carries it; "" for none."""
    file = request.files.get(f"{name}_file")
    if file is None or not file.filename:
        return request.form.get(name, "")
    data = file.read()
    file.seek(0)
    return base64.b64encode(data).decode()


def _file(name: str) -> bytes:
    """The bytes of a file that was given in; none when there is none. Raises InvalidInput."""
    try:
        return base64.b64decode(_text(name), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("the file did not come whole", hint="Choose it anew.", about="file") from error


@pages.post("/authorization/install")
@shown_again(_index, left=_index)
def install() -> Response:
    """Says what an authorization would change and what follows, then puts it into force."""
    visitor().actor.needs(Privilege.MANAGE_AUTHORITY)
    data, trust = _file("authorization"), _file("trust")
    if not data:
        raise InvalidInput("no authorization file was chosen", hint="Choose the file that came from the vendor.", about="file")
    roots = frozenset(read(Roots).accept_root.split())
    if roots and not trust:
        raise InvalidInput(
            "a thumbprint goes with a trust file", hint="Choose the trust file of the vendor as well.", about="trust_file"
        )
    new_trust, work = NewTrust(trust, roots) if trust else None, unit()
    would = authorizations.install(work, data, new_trust, dry_run=True)
    number = would.authorization.seq
    if not would.is_new:
        return done(url_for("console.authorization.index"), f"Authorization {number} is in force already; nothing was changed.")
    question = _ask(would)
    if question:
        return question
    return _installed(authorizations.install(work, data, new_trust), work)


def _ask(would: Installation) -> Response | None:
    new, before = would.authorization, would.before
    most = "any number" if new.members_total is None else f"{new.members_total}"
    follows = would.consequences or ("What is in use stays covered.",)
    return confirm(
        f"Put authorization {new.seq} into force?",
        who=f"everybody in {new.organization_name}: {counted(would.members, 'member')} of at most {most}",
        what=f"authorization {new.seq} of {new.vendor} in place of {before.seq} of {before.vendor}",
        until=new.ends_at,
        consequences=[
            *(f"Change: {sentence}" for sentence in would.changes or ("none but the number",)),
            *follows,
            *(["Workstations need the new trust file for new borrows."] if would.trust_file is not None else []),
            *(
                ["A smaller authorization is put into force all the same; borrows that are out stay good."]
                if would.consequences
                else []
            ),
        ],
        action=f"Put {new.seq} into force",
        back=url_for("console.authorization.index"),
        carried={"authorization": _text("authorization"), "trust": _text("trust")},
        is_dangerous=bool(would.consequences),
    )


def _installed(installation: Installation, work: Unit) -> Response:
    new = installation.authorization
    warnings = filter(None, (installation.trouble, end_warning(new, work.now)))
    text = "; ".join((f"Authorization {new.seq} is in force until {utc(new.ends_at)}", *warnings))
    then = [("Carry the new trust file to the workstations", url_for("console.exchange.index"))]
    return done(url_for("console.authorization.index"), f"{text}.", then if installation.trust_file is not None else ())
