"""status: every license as people want to see it."""

from __future__ import annotations

import argparse

from verifier.cli.check import days_left
from verifier.cli.output import result
from verifier.core.times import rfc3339_of
from verifier.workstation.check import License, licenses
from verifier.workstation.store import Store


def add_status(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet status`."""
    parser = commands.add_parser("status", parents=[common], help="show every license: levels, extensions, until when")
    parser.set_defaults(run=status)


def status(arguments: argparse.Namespace) -> int:
    """`carnet status`: what is not good is shown with its reason. 1 when a license is not good, else 3 when one was not checked."""
    store = Store.open(arguments.home)
    items = licenses(store)
    value = {"alias": store.state().alias, "home": str(store.home), "licenses": [_as_json(item) for item in items]}
    lines = [f"workstation  {store.state().alias or 'without alias'}"]
    for item in items:
        lines += ["", *_as_lines(item)]
    if not items:
        lines.append("no license is installed here")
    return result(arguments, value, lines, status=min((item.error.exit_status for item in items if item.error), default=0))


def _as_json(item: License) -> dict[str, object]:
    error = None if item.error is None else item.error.as_json()
    if item.evidence is None:
        return {"product": item.product, "ok": False, "error": error}
    borrow = item.evidence.borrow
    product = item.evidence.authorization.product(borrow.product)
    newest = item.evidence.status_list
    return {
        "product": borrow.product,
        "name": product.name,
        "levels": {level: level in borrow.levels for level in product.levels},
        "extensions": {code: code in borrow.extensions for code in product.extensions},
        "member": borrow.member,
        "alias": borrow.alias,
        "borrow_id": borrow.borrow_id,
        "expires_at": rfc3339_of(borrow.exp),
        "days_left": item.grant.days_left if item.grant else 0,
        "status_list": None if newest is None else {"seq": newest.seq, "issued_at": rfc3339_of(newest.iat)},
        "warnings": list(item.grant.warnings) if item.grant else [],
        "ok": item.error is None,
        "error": error,
    }


def _as_lines(item: License) -> list[str]:
    refusal = []
    if item.error is not None:
        refusal = [f"  NOT GOOD   {item.error.message} [{item.error.code}]", f"  what to do {item.error.hint}"]
    if item.evidence is None:
        return [item.product, *refusal]
    borrow = item.evidence.borrow
    product = item.evidence.authorization.product(borrow.product)
    newest = item.evidence.status_list
    lines = [f"{product.name} ({product.id}), borrowed by {borrow.member}"]
    lines += [f"  level      {level:<20} {'yes' if level in borrow.levels else 'no'}" for level in product.levels]
    lines += [f"  extension  {code:<20} {'yes' if code in borrow.extensions else 'no'}" for code in product.extensions]
    left = f", {days_left(item.grant)}" if item.grant else ""
    lines.append(f"  until      {rfc3339_of(borrow.exp)}{left}")
    lines.append(f"  status     {'no list' if newest is None else f'list {newest.seq} of {rfc3339_of(newest.iat)}'}")
    notes = item.grant.warnings if item.grant else ()
    return [*lines, *refusal, *(f"  note       {warning}" for warning in notes)]
