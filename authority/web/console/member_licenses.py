"""A member's license of a named product: its level and extensions, given, changed and taken."""

from __future__ import annotations

from flask import Blueprint, Response, url_for
from pydantic import Field

from authority.domain import versions
from authority.domain.plurals import counted
from authority.presentation.licenses import AssignedLicense, AssignmentShown, Availabilities, UnassignedLicense, outcome_of
from authority.services import licenses, members
from authority.services.licenses import License, Wish
from authority.services.unit import Unit
from authority.web.console.forms import Changed, Text, read
from authority.web.console.frame import confirm, done, page, shown_again
from authority.web.console.member_forms import license_words
from authority.web.console.visiting import product_name, unit

pages = Blueprint("member_licenses", __name__)

MOST_EXTENSIONS = 64


class Assignment(Changed):
    level: Text
    extensions: list[Text] = Field(default_factory=list, max_length=MOST_EXTENSIONS)


@pages.get("/member/<username>/licenses/<product>")
def index(username: str, product: str) -> Response:
    """The levels and extensions of the product with what is free of each, and what the member holds."""
    work = unit()
    member, held = members.show(work, username)
    rows = Availabilities.of(licenses.availability(work, product)).items
    known = work.authorization.products.get(product)
    now = next((AssignmentShown.of(item) for item in held if item.product == product), None)
    return page(
        "member_license.html",
        username=member.username,
        product=product,
        held=now,
        is_concurrent=known is not None and known.is_concurrent,
        version=versions.of(None if now is None else {"level": now.level, "extensions": sorted(now.extensions)}),
        free={row.feature: row.available for row in rows},
        licensed={row.feature: row.licensed for row in rows},
        levels=list(known.levels) if known else [],
        extensions=sorted({*(known.extensions if known else ()), *(now.extensions if now else ())}),
    )


def _unit(form: Changed) -> Unit:
    """The unit of work, which does nothing when the license is not as the form showed it."""
    work = unit()
    work.expected = form.expected()
    return work


@pages.post("/member/<username>/licenses/<product>")
@shown_again(index)
def assign(username: str, product: str) -> Response:
    """Gives the level and extensions that were chosen in place of those held; asks first where something is taken."""
    form = read(Assignment)
    wish = Wish(username, product, form.level, tuple(dict.fromkeys(form.extensions)))
    would = outcome_of(licenses.assign_many(_unit(form), [wish], dry_run=True)[0])
    taken = would.taken if isinstance(would, AssignedLicense) else ()
    if taken:
        question = confirm(
            f"Change the license of {would.member}?",
            who=would.member,
            what=f"{product_name(product)}: {form.level}{' with ' + ', '.join(wish.extensions) if wish.extensions else ''}",
            until="from now on",
            consequences=[
                f"Taken: {', '.join(taken)}",
                "What is offline or at work goes on as it is; a renewal or a new start has the new license.",
            ],
            action="Change the license",
            back=url_for(".index", username=username, product=product),
        )
        if question:
            return question
    after = licenses.assign_many(_unit(form), [wish])[0].done().after
    return done(
        url_for("console.member.index", username=username), f"{username} holds {license_words(AssignmentShown.of(after))}."
    )


@pages.post("/member/<username>/licenses/<product>/unassign")
@shown_again(index)
def unassign(username: str, product: str) -> Response:
    """Asks, then takes the license; a borrow that is out stays good."""
    form = read(Changed)
    key, work = License(username, product), _unit(form)
    would = UnassignedLicense.of(licenses.unassign_many(work, [key], dry_run=True)[0].done(), work.now)
    question = confirm(
        f"Take {product_name(product)} from {would.member}?",
        who=would.member,
        what=license_words(would.taken),
        until="from now on",
        consequences=[
            f"{counted(1 + len(would.taken.extensions), 'license')} free for somebody else.",
            would.note or "Nothing of it is out offline.",
        ],
        action="Take the license",
        back=url_for(".index", username=username, product=product),
        is_dangerous=True,
    )
    if question:
        return question
    taken = UnassignedLicense.of(licenses.unassign_many(_unit(form), [key])[0].done(), work.now)
    note = f" Mind: {taken.note}." if taken.note else ""
    return done(
        url_for("console.member.index", username=username), f"{taken.member} holds no {product_name(product)} any more.{note}"
    )
