"""Routes that are compiled once build the addresses that they built before."""

from __future__ import annotations

import pytest
from werkzeug.routing import Map, Rule

from tests.support.compiled_routes import COMPILE, compile_once

ROUTES = ("/", "/members", "/members/<name>", "/members/<int:name>", "/<path:name>", "/log/<name>/of/<other>")
VALUES = {"name": 7, "other": "a b", "more": "x"}


def addresses() -> list[tuple[str, str] | None]:
    rules = [Rule(route, endpoint=route) for route in ROUTES]
    rules.append(Rule("/first/<name>", endpoint="first", defaults={"name": "one"}))
    rules.append(Rule("/first/<name>", endpoint="second", defaults={"name": "two"}))
    Map(rules)
    return [rule.build(VALUES, append_unknown) for rule in rules for append_unknown in (False, True)]


def test_a_route_builds_the_same_address_however_often_it_was_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", COMPILE)
        before = addresses()
    compile_once(monkeypatch)
    assert [addresses(), addresses()] == [before, before]
    assert before[4:8] == [("", "/members/7"), ("", "/members/7?other=a+b&more=x"), *before[4:6]]
