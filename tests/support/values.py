"""Values of the authority's domain, made by hand: each function takes what a test wants to be different."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from authority.domain.borrows import Ask, Borrow, Machine, OsUser, Receipt
from authority.domain.catalogue import Authorization, Mode, Product, UserType
from authority.domain.members import Assignment, Member, Role

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
LEVELS = ("Basic", "Standard", "Advanced")
MACHINE = Machine("machine-1", "simulated", None, "laptop", "K" * 43)
USER = OsUser("uid:1000", "ada")


def a_product(**changes: Any) -> Product:
    product = Product(
        id="arcgis-pro",
        name="ArcGIS Pro",
        mode=Mode.NAMED,
        levels=LEVELS,
        seats={"Basic": 5, "Standard": 5, "Advanced": 5},
        extensions={"3DAnalyst": 2, "SpatialAnalyst": 2},
        until=None,
    )
    return replace(product, **changes)


def a_concurrent_product(**changes: Any) -> Product:
    return a_product(**({"id": "arcgis-desktop", "mode": Mode.CONCURRENT, "seats": {"Advanced": 10}} | changes))


def an_authorization(**changes: Any) -> Authorization:
    authorization = Authorization(
        organization="field-survey",
        organization_name="Field Survey",
        vendor="maker",
        seq=1,
        issued_at=NOW - timedelta(days=1),
        begins_at=NOW - timedelta(days=1),
        ends_at=NOW + timedelta(days=1000),
        members_total=50,
        members_by_type={},
        user_types={
            "Viewer": UserType("Viewer", {}, ()),
            "Creator": UserType("Creator", {}, ("arcgis-pro",)),
            "GIS Professional": UserType("GIS Professional", {"arcgis-pro": "Advanced"}, ()),
        },
        products={"arcgis-pro": a_product()},
        max_borrow_days=365,
        keys={},
        compact="",
    )
    return replace(authorization, **changes)


def a_member(**changes: Any) -> Member:
    member = Member(
        id=1,
        username="ada",
        full_name="Ada",
        user_type="GIS Professional",
        role=Role.MEMBER,
        disabled=False,
        groups=(),
        created_at=NOW,
    )
    return replace(member, **changes)


def an_ask(**changes: Any) -> Ask:
    ask = Ask(
        jti="J" * 22,
        digest="D" * 43,
        asked_at=NOW,
        organization=None,
        product="arcgis-pro",
        level=None,
        extensions=(),
        days=None,
        until=None,
        member=None,
        machine=MACHINE,
        user=USER,
        prev=None,
    )
    return replace(ask, **changes)


def an_assignment(level: str = "Advanced", extensions: tuple[str, ...] = ("3DAnalyst",)) -> Assignment:
    return Assignment("arcgis-pro", level, extensions, included=False)


def a_borrow(**changes: Any) -> Borrow:
    borrow = Borrow(
        id="B" * 22,
        member_id=1,
        member="ada",
        user_type="GIS Professional",
        groups=(),
        product="arcgis-pro",
        level="Advanced",
        extensions=("3DAnalyst",),
        machine=MACHINE,
        user=USER,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=7),
        ended_at=None,
        ended_by=None,
        end_reason=None,
        seat_free_at=NOW + timedelta(days=7),
        decided_by="organization",
    )
    return replace(borrow, **changes)


def a_receipt(**changes: Any) -> Receipt:
    receipt = Receipt(
        jti="R" * 22,
        digest="E" * 43,
        token_jti="T" * 22,
        made_at=NOW,
        borrow_id="B" * 22,
        machine_id=MACHINE.id,
        machine_key=MACHINE.key,
        user_id=USER.id,
        count=1,
        requests=None,
    )
    return replace(receipt, **changes)
