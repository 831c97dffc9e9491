"""The log in words: every kind, every code of a denial, and the two that are no members; names and what people type stay as they are."""

from __future__ import annotations

from authority.domain.borrows import BorrowState
from authority.domain.changes import differences
from authority.domain.events import EventKind, UseMode
from authority.domain.refusals import BorrowRefused, NoSuchProduct
from authority.presentation import event_words


def codes(of: type[BorrowRefused]) -> set[str]:
    return {of.code, *(code for one in of.__subclasses__() for code in codes(one))} - {""}


def test_every_kind_and_every_code_of_a_denial_has_words() -> None:
    assert set(event_words.WHAT) == set(EventKind)
    assert set(event_words.REFUSED_BECAUSE) == codes(BorrowRefused) | {NoSuchProduct.code}
    assert not [
        kind for kind in EventKind for mode in (None, *UseMode) if "-" in event_words.what(kind, mode).replace("sign-ins", "")
    ]
    assert event_words.what("denial", "borrow") == "going offline refused"
    assert event_words.what("of a later version") == "of a later version"


def test_who_did_it_and_what_was_said_are_words_and_what_was_typed_stays() -> None:
    assert event_words.done_by("console") == "console (the server's command line)"
    assert event_words.done_by("time") == "time (the time was over)"
    assert event_words.done_by("ada") == "ada"
    for kind, reason, words in (
        ("denial", "pool-exhausted", "all seats are taken (pool-exhausted)"),
        ("denial", "of a later version", "of a later version"),
        ("denial", None, ""),
        ("checkin", str(BorrowState.RELEASED), "after its seat was released"),
        ("end", "time", "not used for too long"),
        ("release", "time", "time"),
        ("revocation", "pool-exhausted", "pool-exhausted"),
    ):
        assert event_words.said(kind, reason) == words


def test_a_difference_is_what_people_say() -> None:
    before = {"vendor_access": False, "groups": (), "username": "ada", "role": "member", "add_ons": (("pro", "3D"),)}
    after = before | {"vendor_access": True, "groups": ("a", "b"), "username": "eve", "add_ons": ()}
    assert differences(before, after) == [
        "vendor access: no, from now on yes",
        "groups: none, from now on a, b",
        "user name: ada, from now on eve",
        "add ons: pro 3D, from now on none",
    ]
