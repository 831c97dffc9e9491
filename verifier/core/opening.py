"""From bytes to Evidence: steps 1 to 4, which ask of each text what it says and who signed it, and nothing of this machine."""

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from verifier import errors
from verifier.core import claims, files, status
from verifier.core.jose import open_by_kid
from verifier.core.status import StatusList
from verifier.core.times import SECONDS_PER_DAY, counted
from verifier.core.trust import Authorization, TrustStore


class StatusFile(NamedTuple):
    """A status file whose signatures were verified: the list, its compact text, and the authorization beside it."""

    status_list: StatusList
    compact: str
    authorization: Authorization


class Evidence(NamedTuple):
    """A borrow file that passed steps 1 to 4: its claims, the authorization it carries, the newest one, the newest list.

    `signed_at` is the newest time that something signed states, in seconds since 1970 UTC: whatever the clock says, it is later.
    `warnings` say what the application left open about whom it trusts.
    """

    borrow: claims.Borrow
    authorization: Authorization
    newest: Authorization
    status_list: StatusList | None
    signed_at: int
    warnings: tuple[str, ...] = ()


def open_borrow(
    borrow_file: bytes | str, trust: TrustStore, beside: Sequence[StatusFile] = (), *, known: Authorization | None = None
) -> Evidence:
    """Steps 1 to 4 for a borrow file, with the status files beside it and the newest authorization known.

    The newest authorization says which keys are good. A list in the borrow file whose key it no longer takes says nothing,
    for who stole a status key can make lists; a status file whose key it does not take is refused (StatusListUnusable) where there
    is no other list.
    """
    # 1. Form, of the file; that of each token is read as it is opened.
    _, members = files.parse(borrow_file, "borrow")
    # 2. Key and 3. signature: root key, authorization, borrow, status list.
    authorization = trust.authorize(members["authorization"])
    newest = authorization if known is None or known.seq < authorization.seq else known
    for file in beside:
        newest = file.authorization if file.authorization.seq > newest.seq else newest
    borrow = open_token(members["borrow"], authorization, newest)
    status_list = _newest_list(borrow, members["status_list"], authorization, beside, newest)
    # 4. Content.
    check_content(borrow, authorization)
    signed_at = max(borrow.iat, authorization.iat, newest.iat, 0 if status_list is None else status_list.iat)
    return Evidence(borrow, authorization, newest, status_list, signed_at, trust.warnings(authorization))


def open_token(token: object, authorization: Authorization, newest: Authorization | None = None) -> claims.Borrow:
    """Steps 1 to 3 for one borrow token; `newest` is the latest authorization known, which may have revoked the key."""
    if not isinstance(token, str):
        raise errors.Malformed("the borrow is not a compact JWS")
    signed = open_by_kid(token, claims.BORROW_TYP, lambda kid: authorization.key(kid, "borrow"))
    borrow = claims.borrow(signed.claims)
    (newest or authorization).check_key_at(signed.key.kid, borrow.iat, borrow.jti)
    return borrow


def open_status(data: bytes | str, trust: TrustStore) -> StatusFile:
    """Steps 1 to 3 for a status file. Raises StatusListUnusable for its list, NotGood for what is around it."""
    _, members = files.parse(data, "status")
    authorization = trust.authorize(members["authorization"])
    return StatusFile(status.read(members["status_list"], authorization), members["status_list"], authorization)


def _newest_list(
    borrow: claims.Borrow, carried: object, authorization: Authorization, beside: Sequence[StatusFile], newest: Authorization
) -> StatusList | None:
    """The newest of the list in the borrow file (`carried`: its compact text or None) and those beside it, of this borrow.

    A text that was verified beside it is not verified again. Two different lists of one number are refused (StatusListRolledBack).
    """
    lists, unusable = [], None
    for file in beside:
        try:
            status.check_key(file.status_list, newest)
        except errors.StatusListUnusable as error:
            unusable = error
            continue
        if file.status_list.uri == borrow.status_uri:
            lists.append(file.status_list)
    if carried is not None and carried not in [file.compact for file in beside]:
        own = status.read(carried, authorization)
        check_is_of(borrow, own)
        with contextlib.suppress(errors.KeyNotValid):
            newest.check_key_at(own.kid, own.iat, None)
            lists.append(own)
    result = None
    for item in sorted(lists, key=lambda item: item.seq):
        result = status.newest(result, item)
    # A list that came with the borrow, signed by the key that took the place of a stolen one, is the way out.
    if result is None and unusable is not None:
        raise unusable
    return result


def check_is_of(borrow: claims.Borrow, status_list: StatusList) -> None:
    """Raises StatusListUnusable for a list that another borrow names."""
    if status_list.uri != borrow.status_uri:
        raise errors.StatusListUnusable(
            f"the status list is {status_list.uri}, the borrow's is {borrow.status_uri}", uri=status_list.uri
        )


def check_content(borrow: claims.Borrow, authorization: Authorization) -> None:
    """Step 4: what the token grants lies within what the authorization it carries allows. Raises NotAuthorized."""
    if borrow.organization != authorization.organization:
        raise _beyond(f'the borrow is of the organization "{borrow.organization}", not "{authorization.organization}"')
    product = authorization.product(borrow.product)
    if not product.seats.get(borrow.level):
        raise _beyond(f'"{product.id}" has no seats of the level "{borrow.level}"')
    if borrow.levels != product.levels_up_to(borrow.level):
        raise _beyond(f'the levels {list(borrow.levels)} are not those up to "{borrow.level}" of "{product.id}"')
    unknown = [code for code in borrow.extensions if not product.extensions.get(code)]
    if unknown:
        raise _beyond(f'"{product.id}" has no seats of the extensions {unknown}')
    longest = authorization.max_borrow_days * SECONDS_PER_DAY
    if borrow.exp - borrow.iat > longest:
        raise _beyond(f"the borrow lasts {counted(borrow.exp - borrow.iat, 'second')}, at most {longest} are allowed")
    end = authorization.exp if product.until is None else min(authorization.exp, product.until)
    if borrow.exp > end or borrow.iat < authorization.nbf:
        raise _beyond(f"the borrow lasts beyond the authorization, from {authorization.nbf} to {end}")


def _beyond(message: str) -> errors.NotAuthorized:
    return errors.NotAuthorized(message)
