"""Two who change one thing: the second is told what changed meanwhile. And what somebody has is not sent again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authority.domain import versions
from authority.domain.members import CONSOLE
from authority.services import member_changes
from authority.services.member_changes import Change
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.web import API, Web, make_web, one_web, problem

DESKTOP = "arcgis-desktop"


@pytest.fixture
def web(bench: Bench) -> Web:
    bench.member("ada", groups=("survey",))
    return make_web(bench)


def sent(web: Web, method: str, path: str, version: str, body: Any = None) -> TestResponse:
    headers = {"If-Match": version if version == "*" else f'"{version}"'}
    return web.send(method, API + path, headers=headers, json=body) if body else web.send(method, API + path, headers=headers)


def test_the_second_who_changes_a_member_is_told_what_changed(web: Web) -> None:
    seen = web.get("/members/ada")
    tag, version = seen.headers["ETag"].strip('"'), seen.get_json()["version"]
    assert tag.startswith(f"{version}.")
    member_changes.change(Unit(web.bench.authority, CONSOLE), "ada", Change(user_type="Viewer", groups=("night", "survey")))
    for stale in (tag, version):
        refused = problem(sent(web, "PATCH", "/members/ada", stale, {"full_name": "Ada"}), 412, "changed-meanwhile")
        assert refused["detail"] == (
            'another change of the member "ada" came first: user type is now Viewer; groups is now night, survey'
        )
    problem(sent(web, "DELETE", "/members/ada", version), 412, "changed-meanwhile")
    changed = {item["name"]: item["value"] for item in refused["errors"]}
    assert changed["changed"] == {"user_type": "Viewer", "groups": ["night", "survey"]}
    assert web.get("/members/ada").get_json()["full_name"] == ""
    answer = sent(web, "PATCH", "/members/ada", changed["version"], {"full_name": "Ada"})
    assert answer.get_json()["member"]["version"] != changed["version"]
    assert sent(web, "PATCH", "/members/ada", "*", {"full_name": "A"}).status_code == 200
    assert web.send("PATCH", f"{API}/members/ada", json={"full_name": "B"}).status_code == 200


def test_the_second_who_changes_a_license_is_told_what_changed(web: Web) -> None:
    pro = "arcgis-pro"
    (held,) = [item for item in web.get("/assignments?username=ada").get_json()["items"] if item["product"] == pro]
    seen = held["version"]

    def assigned(level: str) -> dict[str, Any]:
        return {"assignments": [{"username": "ada", "product": pro, "level": level}]}

    first = sent(web, "POST", "/assignments", seen, assigned("Basic")).get_json()["assignments"][0]
    refused = problem(sent(web, "POST", "/assignments", seen, assigned("Standard")), 412, "changed-meanwhile")
    assert refused["detail"] == "another change of the license of arcgis-pro of ada came first: level is now Basic"
    keys = {"licenses": [{"username": "ada", "product": pro}]}
    problem(sent(web, "POST", "/assignments/remove", seen, keys), 412, "changed-meanwhile")
    problem(sent(web, "DELETE", f"/assignments?username=ada&product={pro}", seen), 412, "changed-meanwhile")
    # Of several there is no version; and one that nobody holds has one of its own.
    several = {"assignments": assigned("Basic")["assignments"] * 2}
    problem(sent(web, "POST", "/assignments", first["version"], several), 400, "invalid-input")
    assert sent(web, "DELETE", f"/assignments?username=ada&product={pro}", first["version"]).status_code == 200
    problem(sent(web, "POST", "/assignments", first["version"], assigned("Basic")), 412, "changed-meanwhile")
    assert sent(web, "POST", "/assignments", versions.NONE, assigned("Basic")).status_code == 200


RULE = {"level": "group", "subject": "survey", "longest_days": 9}
POOL = {"product": DESKTOP, "feature": "Advanced", "low_water": 1}
# Who reads it, who changes it, how it is removed; and what the sentence says after another changed it.
THINGS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], str, str]] = {
    "rule": (
        "/policies",
        "PUT",
        RULE,
        RULE | {"longest_days": 5},
        "/policies?level=group&subject=survey",
        "longest days is now 5",
    ),
    "pool": (
        "/pools",
        "PUT",
        POOL,
        POOL | {"low_water": 2},
        f"/pools?product={DESKTOP}&feature=Advanced",
        "low water is now 2",
    ),
    "settings": ("/sessions/settings", "PATCH", {"minutes": 20}, {"minutes": 25}, "", "minutes is now 25"),
    "defaults": ("/members/defaults", "PUT", {"user_type": "Viewer"}, {"user_type": "Creator"}, "", "user type is now Creator"),
}


@pytest.mark.parametrize("thing", THINGS)
def test_so_is_who_changes_a_rule_or_a_setting(sqlite_bench: Bench, thing: str) -> None:
    web = make_web(sqlite_bench)
    path, method, first, second, removal, words = THINGS[thing]
    seen = web.send(method, API + path, json=first).get_json()["version"]
    later = sent(web, method, path, seen, second)
    assert later.status_code == 200, later.get_data(as_text=True)
    for stale in [sent(web, method, path, seen, first), *([sent(web, "DELETE", removal, seen)] if removal else [])]:
        assert words in problem(stale, 412, "changed-meanwhile")["detail"]
    if removal:
        assert sent(web, "DELETE", removal, later.get_json()["version"]).status_code == 200


def test_a_new_rule_is_told_of_one_that_another_made_meanwhile(sqlite_bench: Bench) -> None:
    web = make_web(sqlite_bench)
    assert sent(web, "PUT", "/policies", versions.NONE, RULE).status_code == 200
    refused = problem(sent(web, "PUT", "/policies", versions.NONE, RULE), 412, "changed-meanwhile")
    assert refused["detail"].endswith("it was not there before")


@pytest.fixture(scope="module")
def unchanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    yield from one_web(tmp_path_factory.mktemp("web"))


def test_a_version_where_nothing_compares_it_is_refused_and_nothing_done(unchanging: Web) -> None:
    headers = {"If-Match": '"x"'}
    for path, body in (
        ("/members", {"username": "eve"}),
        ("/keys", {}),
        ("/members/change", {"usernames": ["admin", "analyst"], "change": {"disabled": True}}),
    ):
        assert "If-Match" in problem(unchanging.post(path, body, headers=headers), 400, "invalid-input")["hint"]
    assert [row["disabled"] for row in unchanging.get("/members").get_json()["items"]] == [False] * 5


@pytest.mark.parametrize("path", ["/members/admin", "/members/defaults", "/sessions/settings"])
def test_what_somebody_has_is_not_sent_again(unchanging: Web, path: str) -> None:
    tag = unchanging.get(path).headers["ETag"]
    again = unchanging.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", "no-store")
    assert unchanging.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("path", "cached"),
    [(f"{API}/trust", "public, max-age=300"), (f"{API}/status-list", "no-cache"), ("/openapi.json", "public, max-age=300")],
)
def test_public_files_are_cached_and_asked_for_again_in_few_bytes(unchanging: Web, path: str, cached: str) -> None:
    first = unchanging.send("GET", path, None)
    assert first.headers["Cache-Control"] == cached
    for headers in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        again = unchanging.send("GET", path, None, headers=headers)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert again.headers["Cache-Control"] == cached
    assert unchanging.send("GET", path, None, headers={"If-Modified-Since": "Mon, 02 Mar 2020 00:00:00 GMT"}).status_code == 200


def test_reading_with_the_version_of_another_one_is_a_problem_like_changing_it(unchanging: Web) -> None:
    described = unchanging.send("GET", "/openapi.json", None).get_json()["paths"]
    for path in ("/trust", "/status-list", "/members/admin", "/members/defaults", "/sessions/settings"):
        first = unchanging.get(path)
        problem(sent(unchanging, "GET", path, "x"), 412, "changed-meanwhile")
        for tag in ("*", first.headers["ETag"].strip('"'), first.headers["ETag"].strip('"').partition(".")[0]):
            assert sent(unchanging, "GET", path, tag).data == first.data
        answers = described[API + path.replace("/members/admin", "/members/{username}")]["get"]["responses"]
        assert "application/problem+json" in answers["412"]["content"]
    problem(unchanging.send("GET", "/openapi.json", headers={"If-Match": '"x"'}), 412, "changed-meanwhile")
