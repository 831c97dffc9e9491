"""/authorization: what is licensed over HTTP, and installing what the vendor sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authority.domain.members import Role
from authority.presentation.authorization import AuthorizationShown, InstallationShown
from authority.signing.keyring import FileSigner
from tests.support.authorities import authorization_text, make_bench
from tests.support.borrowing import at_once, issued_to, workstation
from tests.support.connecting import overfill
from tests.support.console import Console, contents_of, over_http
from tests.support.database_contents import contents, log_rows
from tests.support.vendors import RealVendor, sample_toml
from tests.support.web import Web, problem
from verifier import verify

Change = Callable[[dict[str, Any]], None]


def form(compact: str) -> dict[str, Any]:
    return {"carnet": "authorization", "version": 1, "authorization": compact}


def newer(web: Web, *, seq: int = 2, change: Change = lambda _: None, **more: Any) -> dict[str, Any]:
    """The file, as an object, of an authorization of the bench's own root key."""
    bench = web.bench
    return form(authorization_text(bench.authority, bench.root, bench.clock(), seq=seq, change=change, **more))


def install(web: Web, file: Any, role: Role | None = Role.ADMINISTRATOR, **more: Any) -> TestResponse:
    return web.post("/authorization", {"authorization_file": file, **more}, role)


def in_force(web: Web) -> int:
    seq: int = web.get("/authorization").get_json()["seq"]
    return seq


def members_total(total: int) -> Change:
    return lambda members: members["members"].update(total=total)


def test_what_is_licensed_and_used_is_shown(web: Web) -> None:
    answer = web.get("/authorization")
    body = answer.get_json()
    assert body.keys() == AuthorizationShown.model_fields.keys()
    AuthorizationShown.model_validate_json(answer.data, strict=True)
    assert (body["organization"], body["vendor"], body["seq"]) == ("field-survey", "maker", 1)
    assert body["members"] == {"current": 5, "maximum": 50, "types": {}}
    assert body["products"][0]["seats"]["Advanced"] == {"licensed": 50, "used": 4, "available": 46}
    assert body["user_types"]["Viewer"] == {"includes": {}, "may_hold": []}
    assert body["warning"] is None


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=30, seconds=1), None),
        (timedelta(days=30), "in 30 days: ask the vendor"),
        (timedelta(hours=5), "in less than a day"),
        (timedelta(seconds=-1), "install a new one from the vendor"),
    ],
)
def test_its_end_is_announced_from_thirty_days_before(still_web: Web, left: timedelta, words: str | None) -> None:
    clock, begin = still_web.bench.clock, still_web.bench.clock()
    clock.turn(seconds=(timedelta(days=1000) - left).total_seconds())
    warning = still_web.get("/authorization", Role.LICENSE_MANAGER).get_json()["warning"]
    clock.at = begin
    assert warning is None if words is None else words in warning


def test_a_new_one_is_201_and_in_force(both_web: Web) -> None:
    answer = install(both_web, newer(both_web, change=members_total(60)))
    body = answer.get_json()
    assert answer.status_code == 201
    assert body.keys() == InstallationShown.model_fields.keys()
    InstallationShown.model_validate_json(answer.data, strict=True)
    assert (body["installed"], body["seq_before"], body["seq"]) == (True, 1, 2)
    assert body["changes"] == ["members: 50 -> 60 (+10)"]
    assert (body["consequences"], body["shortages"], body["trust_replaced"]) == ([], [], False)
    assert body["members"] == {"current": 5, "maximum": 60}
    assert both_web.get("/authorization").get_json()["members"]["maximum"] == 60
    assert [row["actor"] for row in log_rows(both_web.bench.authority.database, "authorization-installed")] == ["administrator"]


def test_a_dry_run_says_the_same_and_changes_nothing(web: Web) -> None:
    file = newer(web, change=members_total(60))
    before = contents(web.bench.authority.database)
    tried = install(web, file, dry_run=True)
    assert (tried.status_code, tried.get_json()["installed"]) == (200, False)
    assert contents(web.bench.authority.database) == before
    assert install(web, file).get_json() == tried.get_json() | {"installed": True}


def test_the_very_same_again_is_200_and_changes_nothing(web: Web) -> None:
    file = newer(web)
    assert install(web, file).status_code == 201
    before = contents(web.bench.authority.database)
    again = install(web, file)
    assert (again.status_code, again.get_json()["installed"], again.get_json()["changes"]) == (200, False, [])
    assert contents(web.bench.authority.database) == before


def test_of_two_at_the_same_time_one_is_the_first(both_web: Web) -> None:
    file = newer(both_web)
    answers = at_once([lambda: install(both_web, file).status_code] * 4)
    assert sorted(answers, key=str) == [200, 200, 200, 201]
    assert len(log_rows(both_web.bench.authority.database, "authorization-installed")) == 1


def test_less_than_is_in_use_is_installed_and_told(web: Web) -> None:
    """Seeds S1 and S2: what is out stays good; members are kept out until it is put right, administrators see the numbers."""
    laptop = workstation("laptop")
    out = issued_to(web.bench, web.actors[Role.MEMBER], laptop)

    def less(members: dict[str, Any]) -> None:
        members["members"] = {"total": 2, "types": {}}
        members["products"][0]["seats"] = {"Basic": 50, "Standard": 50, "Advanced": 1}

    body = install(web, newer(web, change=less)).get_json()
    assert body["installed"]
    assert body["members"] == {"current": 5, "maximum": 2}
    assert body["shortages"] == [{"product": "arcgis-pro", "feature": "Advanced", "licensed": 1, "used": 4, "available": -3}]
    assert "5 members, 2 are allowed" in body["consequences"][0]
    shown = web.get("/authorization")
    assert "5 members, 2 are allowed" in shown.headers["X-Carnet-Over-Limit"]
    assert shown.get_json()["products"][0]["seats"]["Advanced"]["available"] == -3
    problem(web.get("/authorization", Role.LICENSE_MANAGER), 403, "organization-over-limit")
    assert verify(out.file, trust=web.bench.trust_file, workstation=laptop.identity, now=web.bench.clock()).member == "member"


def test_a_larger_one_is_the_way_out(web: Web) -> None:
    overfill(web.bench)
    problem(web.get("/borrows", Role.MEMBER), 403, "organization-over-limit")
    assert install(web, newer(web, change=members_total(60))).status_code == 201
    assert web.get("/borrows", Role.MEMBER).status_code == 200


def test_another_vendor_needs_the_trust_file_and_the_root_key_accepted(web: Web, tmp_path: Path) -> None:
    maker = RealVendor.make(tmp_path / "vendor")
    made = maker.authorize(web.bench.authority, sample_toml(seq=2))
    file, trust = json.loads(made.file), json.loads(made.trust_file)
    refusal = problem(install(web, file), 409, "authorization-unusable")
    assert "trust" in refusal["hint"]
    for accepted in ([], ["A" * 43], [maker.thumbprint, "A" * 43]):
        refusal = problem(install(web, file, trust_file=trust, accept_root=accepted), 409, "authorization-unusable")
        assert {"name": "roots", "message": None, "value": [maker.thumbprint]} in refusal["errors"]
    assert in_force(web) == 1
    members = {"trust_file": trust, "accept_root": [maker.thumbprint]}
    assert install(web, file, **members, dry_run=True).get_json()["trust_replaced"] is False
    body = install(web, file, **members).get_json()
    assert (body["installed"], body["trust_replaced"], body["seq"]) == (True, True, 2)
    assert "root key: " in body["changes"][0]
    assert web.get("/trust", None).get_json() == trust
    assert json.loads((web.bench.home / "organization.trust").read_bytes()) == trust
    assert body["warning"] is None
    assert in_force(web) == 2


def test_where_the_home_cannot_be_written_the_authorization_is_in_force_and_the_way_out_is_told(
    web: Web, tmp_path: Path
) -> None:
    (web.bench.home / "organization.trust").mkdir()
    maker = RealVendor.make(tmp_path / "vendor")
    made = maker.authorize(web.bench.authority, sample_toml(seq=2))
    trust = {"trust_file": json.loads(made.trust_file), "accept_root": [maker.thumbprint]}
    body = install(web, json.loads(made.file), **trust).get_json()
    assert (body["installed"], in_force(web)) == (True, 2)
    assert "organization.trust cannot be written" in body["warning"]
    assert "trust export -o" in body["warning"]


def test_a_new_vendors_borrows_verify_with_the_trust_file_that_is_served(web: Web, tmp_path: Path) -> None:
    maker = RealVendor.make(tmp_path / "vendor")
    made = maker.authorize(web.bench.authority, sample_toml(seq=2))
    install(web, json.loads(made.file), trust_file=json.loads(made.trust_file), accept_root=[maker.thumbprint])
    laptop = workstation("laptop")
    issued = issued_to(web.bench, web.actors[Role.MEMBER], laptop)
    trust = web.get("/trust", None).get_data()
    assert verify(issued.file, trust=trust, workstation=laptop.identity, now=web.bench.clock()).member == "member"


def test_accepting_a_root_key_without_a_trust_file_is_refused(still_web: Web) -> None:
    refusal = problem(install(still_web, newer(still_web), accept_root=["A" * 43]), 400, "invalid-input")
    assert "accept_root goes with trust_file" in refusal["errors"][0]["message"]


def tampered(web: Web) -> dict[str, Any]:
    head, payload, signature = newer(web)["authorization"].split(".")
    return form(f"{head}.{payload[:-8]}{'A' if payload[-8] != 'A' else 'B'}{payload[-7:]}.{signature}")


def foreign(web: Web) -> dict[str, Any]:
    return form(authorization_text(web.bench.authority, FileSigner.fresh(), web.bench.clock(), seq=2))


REFUSED: dict[str, tuple[Callable[[Web], Any], str]] = {
    "empty object": (lambda _: {}, "which kind"),
    "another kind": (lambda _: form("x") | {"carnet": "trust"}, "authorization file is wanted"),
    "another version": (lambda _: form("x") | {"version": 2}, "version"),
    "version true": (lambda _: form("x") | {"version": True}, "version"),
    "a member too many": (lambda web: newer(web) | {"more": 1}, "members"),
    "no token": (lambda _: form("x"), "compact"),
    "token a number": (lambda _: form("x") | {"authorization": 7}, "compact"),
    "token null": (lambda _: form("x") | {"authorization": None}, "compact"),
    "a surrogate": (lambda _: form("\ud800"), "UTF-8"),
    "a surrogate as name": (lambda _: form("x") | {"\ud800": 1}, "UTF-8"),
    "a NUL": (lambda _: form("\u0000"), "compact"),
    "a broken number": (lambda _: form("x") | {"version": 1.5}, "not an integer"),
    "a huge number": (lambda _: form("x") | {"version": 10**400}, "outside"),
    "deep": (lambda _: nested(500), "which kind"),
    "wide": (lambda _: form("x") | {"authorization": "x" * 250_000}, "compact|long|bytes|characters"),
    "one letter changed": (tampered, "signature"),
    "foreign root key": (foreign, "root key"),
    "lower number": (lambda web: newer(web, seq=1, change=lambda members: members.update(max_borrow_days=9)), "1 is in force"),
    "another organization": (lambda web: newer(web, change=lambda members: members.update(sub="other")), '"other"'),
    "ended": (lambda web: newer(web, lasts=timedelta(seconds=-1)), "ended at"),
    "no user type": (lambda web: newer(web, change=lambda members: members.update(user_types={})), "no user type"),
}


def nested(depth: int) -> dict[str, Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return {"authorization": value}


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_file_that_is_not_good_is_refused_and_changes_nothing(
    still_web: Web, make: Callable[[Web], Any], words: str, dry_run: bool
) -> None:
    file, before = make(still_web), contents(still_web.bench.authority.database)
    refusal = problem(install(still_web, file, dry_run=dry_run), 409, "authorization-unusable")
    assert any(word in refusal["detail"] for word in words.split("|")), refusal["detail"]
    assert refusal["hint"]
    assert contents(still_web.bench.authority.database) == before


@pytest.mark.parametrize(
    "trust",
    [
        {},
        {"carnet": "trust", "version": 1},
        {"carnet": "trust", "version": 1, "roots": [], "organization": "field-survey", "updates": []},
        {"carnet": "trust", "version": 1, "roots": "x", "organization": "field-survey", "updates": []},
        {"carnet": "trust", "version": 1, "roots": [{"kty": "OKP"}], "organization": "\ud800", "updates": []},
        {"carnet": "authorization", "version": 1, "authorization": "x"},
    ],
)
def test_a_trust_file_that_is_not_good_is_refused_and_changes_nothing(still_web: Web, trust: dict[str, Any]) -> None:
    before = contents(still_web.bench.authority.database)
    answer = install(still_web, newer(still_web), trust_file=trust, accept_root=["A" * 43])
    problem(answer, 409, "authorization-unusable")
    assert contents(still_web.bench.authority.database) == before


def test_a_file_for_other_keys_is_refused_and_changes_nothing(still_web: Web, tmp_path: Path) -> None:
    """Sending it again cannot help, so that nobody is told to."""
    other = make_bench(f"sqlite:///{tmp_path / 'authority.db'}", tmp_path / "home")
    file = form(authorization_text(other.authority, still_web.bench.root, still_web.bench.clock(), seq=2))
    other.authority.database.close()
    before = contents(still_web.bench.authority.database)
    answer = install(still_web, file)
    assert "GET /api/v1/keys/public" in problem(answer, 409, "authorization-unusable")["hint"]
    assert "Retry-After" not in answer.headers
    assert contents(still_web.bench.authority.database) == before


def test_commands_and_routes_show_the_same(console: Console) -> None:
    with over_http(console) as get:
        shown = get("/authorization")
    # The whole days left can change between two looks.
    assert shown == console.good("authorization", "show") | {"days_left": shown["days_left"]}


def test_the_command_under_bad_input_changes_nothing(console: Console, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(json.dumps(form("x")))
    before = contents_of(console)
    for arguments in (("show", "more"), ("show", "--all"), ("install",), ("install", ""), ("nothing",)):
        assert console.run("authorization", *arguments).status == 2, arguments
    console.refused("authorization-unusable", 1, "authorization", "install", str(tmp_path / "file"))
    assert contents_of(console) == before
