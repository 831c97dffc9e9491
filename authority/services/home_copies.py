"""What each home of one authority has to have the same: its keys, and the trust file. What `doctor` says of both."""

from __future__ import annotations

from authority.domain.catalogue import KeyUse
from authority.domain.disk import explained
from authority.domain.plurals import counted
from authority.domain.refusals import AuthorizationUnusable, Refusal
from authority.services.unit import Unit
from authority.signing import authorizations, own_texts
from authority.storage import status_lists, usage

# So many keys are named.
MOST_NAMED = 3


def keys_sentence(unit: Unit) -> str:
    """That this home has every key by which something is out. Raises Refusal when another node signs with keys of its own.

    A borrow file is made again from its row, by the key that signed it: a node without that key cannot answer the same request.
    """
    with unit.reading():
        connection, ring = unit.connection, unit.authority.ring
        own = {kid for use in KeyUse for kid in ring.every_kid(use)}
        borrows = usage.kids_out(connection, unit.now)
        newest = status_lists.newest(connection)
        revoked = {kid for kid, key in unit.authorization.keys.items() if key.is_revoked}
    missing = {kid: counted(count, "borrow") for kid, count in borrows.items() if kid not in own | revoked}
    if newest is not None and (kid := own_texts.kid_of(newest.compact)) not in own | revoked:
        missing[kid] = f"status list {newest.seq}"
    if not missing:
        return "every key by which something is out is in this home"
    named = [f"{what} by {kid}" for kid, what in list(missing.items())[:MOST_NAMED]]
    more = f", and {counted(len(missing) - MOST_NAMED, 'key')} more" if len(missing) > MOST_NAMED else ""
    raise Refusal(
        f"signed by keys that are not in this home: {', '.join(named)}{more}",
        hint="Another node has other keys, or a key file was removed here. Copy the folder keys of the home that has them into this "
        "one, so that all nodes have the same: docs/operations.md, Many nodes.",
    )


def trust_sentence(unit: Unit) -> str:
    """That the trust file in the home is the one in force. Raises Refusal for another one, NotPermitted or DiskFailed."""
    with unit.reading():
        in_force = unit.organization.trust_file.encode()
    path = unit.authority.trust_copy
    if path is None or not path.exists():
        return "the home has no copy of the trust file: carnet-authority trust export makes one"
    with explained(path, "read"):
        data = path.read_bytes()
    if data.removeprefix(b"\xef\xbb\xbf").strip() != in_force.strip():
        organization = _organization_of(data)
        if organization not in (None, unit.organization.id):
            raise Refusal(
                f'{path} is of the organization "{organization}", the database of "{unit.organization.id}"',
                hint="Is it the right database (docs/settings.md), or the right home?",
            )
        raise Refusal(
            f"{path} is not the trust file in force: a workstation that installs it knows other root keys",
            hint=f"Move it away, and write it anew: carnet-authority trust export -o {path}",
        )
    return f"{path} is the trust file in force"


def _organization_of(data: bytes) -> str | None:
    """Whose trust file it is; None for what is none."""
    try:
        return authorizations.organization_of(data)[0]
    except AuthorizationUnusable:
        return None
