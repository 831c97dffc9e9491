"""/members: what each route refuses, to whom, and that nothing is changed by it."""

from __future__ import annotations

from typing import Any

import pytest

from authority.domain.members import Role, username_of
from authority.domain.refusals import InvalidInput
from tests.support.authorities import Bench
from tests.support.database_contents import contents
from tests.support.web import API, Web, make_web, problem


@pytest.fixture
def fast_web(sqlite_bench: Bench) -> Web:
    return make_web(sqlite_bench)


REFUSED_DEFAULTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown type": ({"user_type": "Wizard"}, 404, "no-such-product"),
    "an unknown product": ({"user_type": "Creator", "add_ons": {"arcgis-mars": "Basic"}}, 404, "no-such-product"),
    "an unknown level": ({"user_type": "Creator", "add_ons": {"arcgis-pro": "Ultimate"}}, 404, "no-such-product"),
    "a type that may not": ({"user_type": "Viewer", "add_ons": {"arcgis-pro": "Basic"}}, 409, "type-not-compatible"),
    "a pool": ({"user_type": "GIS Professional", "add_ons": {"arcgis-desktop": "Advanced"}}, 400, "invalid-input"),
    "an empty group": ({"user_type": "Creator", "groups": [" "]}, 400, "invalid-input"),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSED_DEFAULTS.values(), ids=REFUSED_DEFAULTS)
def test_defaults_that_no_member_could_have_are_refused(still_web: Web, body: Any, status: int, code: str) -> None:
    before = contents(still_web.bench.authority.database)
    problem(still_web.send("PUT", f"{API}/members/defaults", json=body), status, code)
    assert contents(still_web.bench.authority.database) == before


@pytest.mark.parametrize("name", ["defaults", "Defaults", "DEFAULTS"])
def test_nobody_is_called_defaults(still_web: Web, name: str) -> None:
    """The path of such a member would be that of the defaults."""
    before = contents(still_web.bench.authority.database)
    assert "another meaning" in problem(still_web.post("/members", {"username": name}), 400, "invalid-input")["detail"]
    assert contents(still_web.bench.authority.database) == before
    with pytest.raises(InvalidInput):
        username_of(name)
    assert username_of(f"{name}1")


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "a taken name": ({"username": "MEMBER"}, 409, "already-exists"),
    "a name with a space": ({"username": "eve b"}, 400, "invalid-input"),
    "a formula": ({"username": "=cmd|' /C calc'!A0"}, 400, "invalid-input"),
    "no name": ({"username": ""}, 400, "invalid-input"),
    "letters that look alike": ({"username": "\u0430da"}, 400, "invalid-input"),
    "an unknown type": ({"username": "eve", "user_type": "Wizard"}, 404, "no-such-product"),
    "a short password": ({"username": "eve", "password": "short"}, 400, "invalid-input"),
    "a blank group": ({"username": "eve", "groups": ["  "]}, 400, "invalid-input"),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_a_member_who_cannot_be_is_refused(still_web: Web, body: Any, status: int, code: str) -> None:
    before = contents(still_web.bench.authority.database)
    refusal = problem(still_web.post("/members", body), status, code)
    assert refusal["hint"]
    assert contents(still_web.bench.authority.database) == before


def test_the_member_past_the_limit_is_refused_with_the_numbers(fast_web: Web) -> None:
    """The error has current and maximum (seed S2)."""
    for number in range(45):
        fast_web.bench.member(f"m{number}", user_type="Viewer")
    refusal = problem(fast_web.post("/members", {"username": "eve", "user_type": "Viewer"}), 409, "member-limit-reached")
    assert {"name": "current", "message": None, "value": 50} in refusal["errors"]
    assert {"name": "maximum", "message": None, "value": 50} in refusal["errors"]


def test_no_password_comes_back_in_an_error(still_web: Web) -> None:
    secret = "hunter2-hunter2"
    answers = [
        still_web.post("/members", {"username": "a b", "password": secret}),
        still_web.post("/members", {"username": "eve", "password": [secret]}),
        still_web.post("/members", {"username": "member", "password": secret}),
        still_web.post("/members", {"username": "eve", "pasword": secret}),
        still_web.send("PATCH", f"{API}/members/nobody", json={"password": secret}),
        still_web.send("PATCH", f"{API}/members/member", json={"password": secret, "role": "king"}),
        still_web.send("PATCH", f"{API}/members/member", Role.MEMBER, json={"password": secret}),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert secret not in answer.get_data(as_text=True)
