"""Borrows that a rule refuses: the denial is in the log, and nothing else is left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE
from authority.domain.refusals import BorrowRefused, NoSuchProduct, ProductExpired
from authority.services import licenses, log
from authority.services.unit import Unit
from tests.support.authorities import ON_SQLITE, START, Bench, make_bench
from tests.support.borrowing import disable, issued_to, workstation
from tests.support.connecting import started
from tests.support.database_contents import log_rows, row_counts


def refused(bench: Bench, reason: str) -> tuple[BorrowRefused, dict[str, Any]]:
    """The refusal of one prepared case, and what was asked for."""
    wish: dict[str, Any] = {"days": 3}
    user_type = "GIS Professional"
    if reason == "type-not-compatible":
        user_type = "Viewer"
    elif reason == "not-assigned":
        user_type = "Creator"
    elif reason == "duration-too-long":
        wish = {"days": 31}
    elif reason == "extension-not-assigned":
        wish = {"extensions": ("3DAnalyst", "SpatialAnalyst")}
    actor = bench.member("ada", user_type=user_type)
    if reason == "member-disabled":
        disable(bench, "ada")
    elif reason == "level-not-assigned":
        licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Standard", ())
        wish = {"level": "Advanced", "extensions": ("3DAnalyst",)}
    elif reason == "already-borrowed":
        issued_to(bench, actor, workstation("tower"))
    with pytest.raises(BorrowRefused) as caught:
        issued_to(bench, actor, workstation("laptop"), **wish)
    return caught.value, wish


DENIALS = (
    "type-not-compatible",
    "not-assigned",
    "level-not-assigned",
    "extension-not-assigned",
    "duration-too-long",
    "member-disabled",
    "already-borrowed",
)


@pytest.mark.parametrize("reason", DENIALS)
def test_a_refused_borrow_leaves_a_denial_and_no_other_row(bench: Bench, reason: str) -> None:
    error, wish = refused(bench, reason)
    assert error.code == reason
    rows = log_rows(bench.authority.database, "denial")
    assert [row["reason"] for row in rows] == [reason] * len(rows)
    extensions: tuple[str, ...] = wish.get("extensions", ())
    assert [row["feature"] for row in rows][1:] == list(extensions)
    assert [(row["member"], row["machine"], row["handle"]) for row in rows] == [("ada", "machine-laptop", None)] * len(rows)
    before = 1 if reason == "already-borrowed" else 0
    counts = row_counts(bench.authority.database)
    assert [counts[name] for name in ("borrows", "holds", "tokens")] == [before] * 3


def test_a_denial_of_a_request_without_extensions_has_what_would_have_been_given(bench: Bench) -> None:
    ada = bench.member("ada", user_type="Creator")
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Standard", ("3DAnalyst",))
    with pytest.raises(BorrowRefused):
        issued_to(bench, ada, workstation("laptop"), days=31)
    assert [row["feature"] for row in log_rows(bench.authority.database, "denial")] == ["Standard", "3DAnalyst"]


@pytest.mark.parametrize("reason", DENIALS)
def test_every_denial_names_the_feature_that_was_wanted(sqlite_bench: Bench, reason: str) -> None:
    """The checkout log has no row without a feature, also when no level was asked for."""
    refused(sqlite_bench, reason)
    assert all(row["feature"] for row in log_rows(sqlite_bench.authority.database, "denial"))


def test_a_denial_for_lack_of_seats_names_the_one_feature_that_lacked(bench: Bench) -> None:
    for number in range(10):
        issued_to(bench, bench.member(f"m{number}"), workstation(f"w{number}"), product="arcgis-desktop")
    with pytest.raises(BorrowRefused) as caught:
        issued_to(bench, bench.member("late"), workstation("late"), product="arcgis-desktop")
    assert caught.value.code == "pool-exhausted"
    (row,) = log_rows(bench.authority.database, "denial")
    assert (row["feature"], row["reason"], row["quantity"]) == ("Advanced", "pool-exhausted", 1)


@ON_SQLITE
def test_a_product_that_has_ended_is_refused_with_its_end(tmp_path: Path, database_url: str) -> None:
    ends_at = START + timedelta(days=10)

    def end_it(specification: dict[str, Any]) -> None:
        specification["products"][0]["until"] = int(ends_at.timestamp())

    bench = make_bench(database_url, tmp_path / "home", change=end_it)
    ada = bench.member("ada")
    assert issued_to(bench, ada, workstation("laptop"), days=10).borrow.expires_at == ends_at
    bench.clock.turn(days=10)
    with pytest.raises(ProductExpired, match="2026-03-12 09:00"):
        issued_to(bench, ada, workstation("laptop"))
    (row,) = log_rows(bench.authority.database, "denial")
    assert row["reason"] == "product-expired"
    bench.authority.database.close()


def test_after_the_end_of_the_authorization_every_product_has_ended(sqlite_bench: Bench) -> None:
    """The answer is the rule, not that no key can sign a status list any more."""
    ada = sqlite_bench.member("ada")
    sqlite_bench.clock.turn(days=1001)
    with pytest.raises(BorrowRefused) as caught:
        issued_to(sqlite_bench, ada, workstation("laptop"))
    assert caught.value.code == "product-expired"


WITHOUT: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "an unknown product": ("arcgis-mars", {"level": "Basic", "extensions": ("3DAnalyst",)}, ["Basic", "3DAnalyst"]),
    "an unknown product alone": ("arcgis-mars", {}, ["arcgis-mars"]),
    "an unknown level": ("arcgis-pro", {"level": "Ultimate"}, ["Ultimate"]),
    "an unknown level of a pool": ("arcgis-desktop", {"level": "Ultimate"}, ["Ultimate"]),
    "an unknown extension": ("arcgis-pro", {"extensions": ("3DAnalyst", "Mars")}, ["Mars"]),
    "an unknown extension of a pool": ("arcgis-desktop", {"extensions": ("Mars",)}, ["Mars"]),
}


@pytest.mark.parametrize(("product", "wish", "features"), WITHOUT.values(), ids=WITHOUT)
def test_what_there_is_not_is_refused_and_logged(bench: Bench, product: str, wish: dict[str, Any], features: list[str]) -> None:
    """B11: each refusal of a borrow is logged, that of a product, level or extension that is not licensed too."""
    ada = bench.member("ada")
    with pytest.raises(NoSuchProduct):
        issued_to(bench, ada, workstation("laptop"), product=product, **wish)
    rows = log_rows(bench.authority.database, "denial")
    assert [(row["product"], row["feature"]) for row in rows] == [(product, feature) for feature in features]
    assert {(row["reason"], row["mode"], row["member"], row["machine"]) for row in rows} == {
        ("no-such-product", "borrow", "ada", "machine-laptop")
    }
    assert row_counts(bench.authority.database)["borrows"] == 0


@pytest.mark.parametrize(("product", "wish", "features"), WITHOUT.values(), ids=WITHOUT)
def test_a_session_of_what_there_is_not_is_logged_too(
    bench: Bench, product: str, wish: dict[str, Any], features: list[str]
) -> None:
    ada = bench.member("ada")
    with pytest.raises(NoSuchProduct):
        started(bench, ada, workstation("laptop"), product, **wish)
    rows = log_rows(bench.authority.database, "denial")
    assert [(row["feature"], row["reason"], row["mode"]) for row in rows] == [
        (feature, "no-such-product", "session") for feature in features
    ]


def test_the_checkout_log_has_them(sqlite_bench: Bench) -> None:
    with pytest.raises(NoSuchProduct):
        issued_to(sqlite_bench, sqlite_bench.member("ada"), workstation("laptop"), product="arcgis-mars")
    (row,) = log.checkout_log(Unit(sqlite_bench.authority, CONSOLE))
    assert (row["event"], row["product"], row["feature"], row["reason"]) == (
        "denial",
        "arcgis-mars",
        "arcgis-mars",
        "no-such-product",
    )
