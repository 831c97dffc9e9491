"""A renewal gives again what was given before: it is held to what the organization and the member have now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from authority.domain.refusals import DurationTooLong, ExtensionNotAssigned, LevelNotAssigned, NoSuchProduct, Refusal
from authority.services import borrow
from authority.services.unit import Unit
from tests.support.authorities import START, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import assign, started, used
from tests.support.database_contents import log_rows, row_counts
from tests.support.organizations import Change, authorize, ends, seats
from verifier import verify

DESKTOP = "arcgis-desktop"


def test_what_is_no_longer_assigned_is_not_renewed(bench: Bench) -> None:
    """Else a license that was taken away and given to somebody else would be used twice, for ever."""
    ada, laptop = bench.member("ada", user_type="Creator"), workstation("laptop")
    assign(bench, "ada", "Advanced", ("3DAnalyst",))
    first = issued_to(bench, ada, laptop, extensions=("3DAnalyst",), days=9)
    assign(bench, "ada", "Basic", ("3DAnalyst",))
    with pytest.raises(LevelNotAssigned):
        issued_to(bench, ada, laptop, days=20)
    assign(bench, "ada", "Advanced")
    with pytest.raises(ExtensionNotAssigned):
        issued_to(bench, ada, laptop, days=20)
    assert borrow.show(Unit(bench.authority, ada), first.borrow.id).expires_at == bench.clock() + timedelta(days=9)
    assert {row["reason"] for row in log_rows(bench.authority.database, "denial")} == {
        "level-not-assigned",
        "extension-not-assigned",
    }
    assign(bench, "ada", "Advanced", ("3DAnalyst", "SpatialAnalyst"))
    assert issued_to(bench, ada, laptop, days=20).borrow.extensions == ("3DAnalyst",)


def shorten(specification: dict[str, Any]) -> None:
    specification["max_borrow_days"] = 5


LESS: dict[str, tuple[Change, type[Refusal]]] = {
    "a shorter longest borrow": (shorten, DurationTooLong),
    "an earlier end": (ends(DESKTOP, START + timedelta(days=5)), DurationTooLong),
    "no seats of the level": (seats("Advanced", 0, DESKTOP), NoSuchProduct),
}


@pytest.mark.parametrize("what", LESS)
def test_what_the_authorization_has_no_more_is_not_renewed_and_stays_good(bench: Bench, what: str) -> None:
    """A token beyond the authorization that goes with it would be refused on the workstation."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, product=DESKTOP, days=9)
    change, refusal = LESS[what]
    authorize(bench, change)
    before = row_counts(bench.authority.database)["tokens"]
    with pytest.raises(refusal):
        issued_to(bench, ada, laptop, product=DESKTOP)
    assert row_counts(bench.authority.database)["tokens"] == before
    assert verify(issued.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock()).days_left == 9


@pytest.mark.parametrize("feature", ["Advanced", "3DAnalyst"])
def test_a_session_is_not_used_on_with_what_the_authorization_has_no_more(bench: Bench, feature: str) -> None:
    ada = bench.member("ada")
    assign(bench, "ada", "Advanced", ("3DAnalyst",))
    session = started(bench, ada, workstation("laptop"), extensions=("3DAnalyst",)).session
    authorize(bench, seats(feature, 0))
    with pytest.raises(NoSuchProduct, match=feature):
        used(bench, ada, session.id)
