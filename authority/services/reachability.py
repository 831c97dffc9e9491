"""Whether others reach this authority where the setting `public_url` says: what `doctor` says of it."""

from __future__ import annotations

from collections.abc import Callable

from authority.domain.refusals import Refusal
from authority.sending.own_address import Look, is_this_machine, look
from authority.services.unit import Unit

HINT = "Set public_url to the address that browsers and workstations use, with its port if it is not 443: docs/settings.md."


def sentence(unit: Unit, ask: Callable[[str], Look] = look) -> str:
    """Who answers at the public address, when nothing is wrong with it. Raises Refusal for an address that nobody else can use."""
    url = unit.authority.public_url
    if url is None:
        return "public_url is not set: notices have no links, and nobody signs in by a provider"
    with unit.reading():
        own = unit.organization.id
    answer, wrong = ask(url), []
    if is_this_machine(url):
        wrong.append("it leads each machine to itself, and no other machine here")
    if answer.wrong is not None:
        wrong.append(answer.wrong)
    if answer.organization not in (None, own):
        wrong.append(f'the authority of "{answer.organization}" answers there, this one is of "{own}"')
    if wrong:
        raise Refusal(f"public_url is {url}: {'; '.join(wrong)}", hint=HINT)
    return f"public_url is {url}: {'this authority answers there' if answer.remark is None else answer.remark}"
