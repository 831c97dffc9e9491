"""Every operation of the description, asked by everybody with what fits the description and what does not: each answer is one that is described.

The requests are made by schemathesis, the same in every run. So that they also reach what is there, some of the values that fit are those of
the organization that is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode, openapi
from schemathesis.checks import CHECKS, load_all_checks

from authority.domain.members import Role
from tests.authority.route_table import DESKTOP, PRO, World, make_world
from tests.support.routes import PREFIX, described

EXAMPLES = 15
# Values that mean something here, by the name of a parameter or of a member of a body.
KNOWN: dict[str, list[Any]] = {
    "username": ["ada", "member"],
    "member": ["ada", "member"],
    "product": [PRO, DESKTOP],
    "feature": ["Advanced", "3DAnalyst"],
    "level": ["Basic", "Advanced", "group"],
    "subject": ["crew", "ada"],
    "group": ["crew"],
    "user_type": ["Viewer", "Creator", "GIS Professional"],
    "extensions": [[], ["3DAnalyst"]],
    "limit": [1, 2, 1000],
    "after": [0, 1],
}
load_all_checks()
CHECKED: list[Any] = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
# An empty list that should not fit is no part of a URL any more, so that queries are left to the table of wrong values.
CHECKED_OF_A_BODY: list[Any] = [*CHECKED, *CHECKS.get_by_names(["negative_data_rejection"])]
OPERATIONS: dict[str, APIOperation[Any, Any, Any, Any]] = {}
for method_and_path in openapi.from_dict(described()).get_all_operations():
    described_one: APIOperation[Any, Any, Any, Any] = method_and_path.ok()  # type: ignore[union-attr, unused-ignore]
    OPERATIONS[f"{described_one.method.upper()} {described_one.path.removeprefix(PREFIX)}"] = described_one


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("world"))
    yield made
    made.database.close()


@pytest.fixture
def fresh(world: World, tmp_path: Path) -> Iterator[World]:
    """A copy for the requests of one operation by one role."""
    copied = world.copy(tmp_path)
    yield copied
    copied.database.close()


@st.composite
def cases(draw: st.DrawFn, name: str, world: World, headers: dict[str, str]) -> Case[Any]:
    """A request that fits or not, in one of three that fit with ids that are there and values that mean something."""
    kind = draw(st.sampled_from(["fits", "fits", "is known", "is known", "does not fit"]))
    mode = GenerationMode.NEGATIVE if kind == "does not fit" and has_input(name) else GenerationMode.POSITIVE
    case: Case[Any] = draw(OPERATIONS[name].as_strategy(generation_mode=mode, headers=headers))
    if kind == "is known":
        for parts in (case.path_parameters, case.query, case.body):
            if isinstance(parts, dict):
                parts |= {key: draw(st.sampled_from(values_for(world, key))) for key in parts if values_for(world, key)}
    return case


def values_for(world: World, name: str) -> list[Any]:
    return [world.ids[name]] if name in world.ids else KNOWN.get(name, [])


def has_input(name: str) -> bool:
    """Whether there is anything that could not fit."""
    operation = OPERATIONS[name]
    return bool(operation.query or operation.path_parameters or operation.body)


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role or "nobody")
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_is_described(fresh: World, name: str, role: Role | None) -> None:
    app = fresh.web.client.application
    headers = {} if role is None else {"Authorization": f"Bearer {fresh.web.secrets[role]}"}
    operation = OPERATIONS[name]
    checks = CHECKED_OF_A_BODY if operation.body and not operation.query else CHECKED

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(name, fresh, headers))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(app=app, base_url="http://localhost", headers=headers, checks=checks)

    ask()
