"""Which authority licenses this workstation, and who is signed in there: chosen, changed, signed in and out."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import NamedTuple

from verifier import addresses
from verifier.addresses import Address
from verifier.connected.authority import Authority
from verifier.core.trust import TrustStore
from verifier.errors import (
    CarnetError,
    LicenseOut,
    NoAuthority,
    NotChecked,
    NoTrust,
    NotSignedIn,
    StateDamaged,
    UnknownKey,
    WrongAddress,
)
from verifier.workstation import licensing
from verifier.workstation.check import licenses
from verifier.workstation.install import install
from verifier.workstation.store import Store


class Offer(NamedTuple):
    """What an address says of itself: its organization and root keys, which are still to be compared."""

    address: Address
    file: bytes
    trust: TrustStore


def offer(url: str) -> Offer:
    """Asks who is at a URL. Raises WrongAddress, NotReached, Refused, and NotGood for a trust file that is none."""
    address = addresses.address(url)
    file = Authority(address).trust()
    return Offer(address, file, TrustStore.read(file))


def to_compare(store: Store, offered: Offer) -> tuple[str, ...]:
    """The thumbprints that a person has to compare: none when this workstation trusts these root keys already."""
    installed = _installed_trust(store)
    if installed is not None and _is_same(installed, offered.trust):
        return ()
    return tuple(offered.trust.roots)


def choose(store: Store, offered: Offer) -> None:
    """Makes the authority the one that licenses this workstation; its root keys were compared.

    For another organization everything of the one before goes, except what this machine is. Raises LicenseOut while a license of
    it may still run here: it is checked in there first.
    """
    before, installed = licensing.read(store), _installed_trust(store)
    is_other = installed is not None and not _is_same(installed, offered.trust)
    if is_other:
        _check_nothing_out(store)
    if before.url is not None and (is_other or before.url != offered.address.text):
        _sign_out_of(store, before.url)
        before = licensing.Licensing()
    if is_other:
        store.forget_organization()
    install(store, offered.file)
    licensing.keep(store, replace(before, url=offered.address.text))


def sign_in(store: Store, username: str, password: str) -> tuple[str, str]:
    """Signs in at the licensing authority and remembers it; returns the user name as it is there, and where it is remembered.

    The password goes to the authority whose root keys are trusted here, or to nobody. Raises NoAuthority, UnknownKey, NotReached, Refused.
    """
    settings = licensing.read(store)
    address = _address(settings)
    _check_same(store, Authority(address))
    token = Authority(address).sign_in(username, password)
    name = Authority(address, token).username()
    where = licensing.keep_sign_in(store, address.text, token)
    pending = settings.pending if settings.username == name else {}
    licensing.keep(store, replace(settings, username=name, pending=pending, told={}))
    return name, where


def sign_out(store: Store) -> bool:
    """Forgets the sign-in here, and makes it useless at the authority; returns whether the authority has heard of it.

    Raises NoAuthority, NotSignedIn, StateDamaged.
    """
    settings = licensing.read(store)
    address = _address(settings)
    if settings.username is None:
        raise NotSignedIn(f"nobody is signed in at {address.text}", url=address.text)
    heard = _sign_out_of(store, address.text)
    licensing.keep(store, replace(settings, username=None))
    return heard


def signed_in(store: Store) -> Authority:
    """The licensing authority, asked as who is signed in. Raises NoAuthority, NotSignedIn, StateDamaged."""
    settings = licensing.read(store)
    address = _address(settings)
    token = licensing.sign_in_of(store, address.text) if settings.username is not None else None
    if token is None:
        raise NotSignedIn(f"nobody is signed in at {address.text}", url=address.text)
    return Authority(address, token)


def _address(settings: licensing.Licensing) -> Address:
    if settings.url is None:
        raise NoAuthority("no licensing authority is set on this workstation")
    try:
        return addresses.address(settings.url)
    except WrongAddress as error:
        raise StateDamaged(error.message, hint="Set the authority again: carnet authority URL.") from error


def _installed_trust(store: Store) -> TrustStore | None:
    try:
        return store.trust()
    except NoTrust:
        return None


def _check_same(store: Store, asked: Authority) -> None:
    """Raises UnknownKey when the address is another organization's by now, NoTrust when none was ever compared."""
    if not _is_same(store.trust(), TrustStore.read(asked.trust())):
        raise UnknownKey(
            f"{asked.address.text} has other root keys than those that are trusted here",
            hint="Ask the administrator. If they were changed, compare them: carnet authority URL.",
        )


def _is_same(one: TrustStore, other: TrustStore) -> bool:
    """Whether both are of one organization and line of root keys, whichever is further on."""
    return one.is_continued_in(other) or other.is_continued_in(one)


def _check_nothing_out(store: Store) -> None:
    """Raises LicenseOut when a license that is installed here is good, or may be good again."""
    out = [item.product for item in licenses(store) if item.grant is not None or isinstance(item.error, NotChecked)]
    if out:
        raise LicenseOut(f"in use here: {', '.join(out)}", products=out)


def _sign_out_of(store: Store, url: str) -> bool:
    """Forgets the sign-in here whatever happens there; returns whether the authority has heard of it."""
    token = None
    with contextlib.suppress(CarnetError):
        token = licensing.sign_in_of(store, url)
    licensing.forget_sign_in(store, url)
    if token is None:
        return True
    try:
        Authority(addresses.address(url), token).sign_out()
    except CarnetError:
        return False
    return True
