"""The REST interface and hostile texts: refused or kept as the text they are, no secret repeated, nothing changed by reading."""

from __future__ import annotations

import pytest

from authority.domain.members import CONSOLE, Role
from authority.services import members
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.support.borrowing import issued_to, workstation
from tests.support.database_contents import row_counts
from tests.support.web import Web, problem, refused_as_one_of
from verifier.core import claims
from verifier.workstation.carry import Wish


def test_of_what_stands_there_twice_none_is_taken(web: Web) -> None:
    before = row_counts(web.bench.authority.database)
    for body, name in (
        ('{"username": "x", "username": "y"}', "username"),
        ('{"username": "x", "groups": [], "groups": []}', "groups"),
        ('{"assignments": [{"username": "ada", "product": "a", "product": "arcgis-pro"}]}', "product"),
    ):
        path = "/assignments" if "assignments" in body else "/members"
        answer = web.post(path, data=body, content_type="application/json")
        assert problem(answer, 400, "invalid-input")["detail"] == f'the member "{name}" stands there twice'
    assert row_counts(web.bench.authority.database) == before
    answer = web.get("/members?limit=1&limit=2")
    assert problem(answer, 400, "invalid-input")["detail"] == 'the parameter "limit" stands there twice'
    assert web.get("/members?limit=1").status_code == 200


HOSTILE_TEXTS = {
    "NUL": "a\u0000b",
    "surrogate": "\ud800",
    "line break": "a\nb",
    "escape": "\u001b[2J",
    "direction": "\u202eabc",
    "markup": "<script>alert(1)</script>",
    "quote": "'; DROP TABLE borrows; --",
    "formula": "=cmd|' /C calc'!A0",
    "braces": "{{7*7}}${7*7}%s%n",
    "empty": "",
    "emoji": "\U0001f4a9" * 100,
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_a_hostile_reason_is_refused_or_kept_as_text(both_web: Web, text: str) -> None:
    own = issued_to(both_web.bench, both_web.actors[Role.MEMBER], workstation("laptop")).borrow
    answer = both_web.post(f"/borrows/{own.id}/revoke", {"reason": text})
    if answer.status_code == 200:
        assert answer.get_json()["borrow"]["reason"] == text
        assert answer.content_type == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    else:
        problem(answer, 400, "invalid-input")
    assert row_counts(both_web.bench.authority.database)["borrows"] == 1


@pytest.mark.parametrize("alias", ["<img src=x onerror=alert(1)>", "=1+1", "'; DROP TABLE borrows; --", "{{7*7}}", "a" * 256])
def test_a_hostile_alias_is_shown_as_the_text_it_is(web: Web, alias: str) -> None:
    named = workstation("laptop").key.sign(
        claims.REQUEST_TYP,
        {
            "jti": "r" * 22,
            "iat": int(web.bench.clock().timestamp()),
            "ver": 1,
            "organization": None,
            "product": "arcgis-pro",
            "level": None,
            "extensions": [],
            "member": None,
            "machine": {"id": "m", "source": "s", "secondary": None, "alias": alias},
            "user": {"id": "uid:1", "name": alias},
            "prev": None,
        },
    )
    answer = web.post("/borrows", {"request": named}, Role.MEMBER)
    assert answer.get_json()["borrow"]["machine"]["alias"] == alias
    assert web.get("/borrows").get_json()["items"][0]["user"]["name"] == alias


@pytest.mark.parametrize(
    ("username", "password"),
    [("\ud800", "x" * 12), ("ada", "\ud800" * 12), ("ada\u0000", "x" * 12), ("ada", "x\u0000" * 12)],
    ids=["surrogate name", "surrogate password", "NUL name", "NUL password"],
)
def test_a_hostile_sign_in_is_refused_like_any_other(both_web: Web, username: str, password: str) -> None:
    answer = both_web.post("/sign-in", {"username": username, "password": password}, None)
    refused_as_one_of(answer, "invalid-input", "not-authenticated")


@pytest.mark.parametrize("member", ["\ud800", "a\u0000", "=1", "x" * 128], ids=["surrogate", "NUL", "formula", "long"])
def test_a_hostile_member_name_is_refused(both_web: Web, member: str) -> None:
    request = workstation("laptop").request(Wish("arcgis-pro"), both_web.bench.clock())
    answer = both_web.post("/borrows", {"request": request, "member": member})
    refused_as_one_of(answer, "invalid-input", "not-found")


def test_no_error_repeats_a_secret(web: Web) -> None:
    secret = "hunter2-hunter2-hunter2"
    members.add(Unit(web.bench.authority, CONSOLE), NewMember("ada", password=secret))
    answers = [
        web.post("/sign-in", {"username": "ada", "password": secret + "x"}, None),
        web.post("/sign-in", {"username": "ada", "password": [secret]}, None),
        web.post("/sign-in", {"username": "ada", "password": secret, "extra": secret}, None),
        web.post("/sign-in", {"username": secret * 20, "password": secret}, None),
        web.get("/borrows", None, headers={"Authorization": f"Bearer {secret}"}),
        web.post("/borrows", {"request": secret}),
        web.post("/sign-in", data=f'{{"password": "{secret}"', content_type="application/json"),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert secret not in answer.get_data(as_text=True) + str(answer.headers)
