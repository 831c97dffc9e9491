"""Every operation of the description, asked with what fits it and what does not: each answer is one that is described.

The requests are made by schemathesis, the same in every run. Everybody asks with what fits; so that it also reaches what is there, some of the
values are those of the organization that is asked. And an administrator asks with every way in which each place of a request may not fit: a
value of another type, past a bound, of another form, missing, or one too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode, openapi
from schemathesis.checks import CHECKS, load_all_checks

from authority.domain.members import Role
from tests.authority.route_table import DESKTOP, PRO, World, make_world
from tests.support.database_contents import unchanged
from tests.support.routes import PREFIX, described

# Most roles are refused nearly everything: their answers are soon known.
EXAMPLES = {role: 10 if role is Role.ADMINISTRATOR else 4 for role in (*Role, None)}
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
REFUSED: list[Any] = [*CHECKED, *CHECKS.get_by_names(["negative_data_rejection"])]
OPERATIONS: dict[str, APIOperation[Any, Any, Any, Any]] = {}
for method_and_path in openapi.from_dict(described()).get_all_operations():
    described_one: APIOperation[Any, Any, Any, Any] = method_and_path.ok()  # type: ignore[union-attr, unused-ignore]
    OPERATIONS[f"{described_one.method.upper()} {described_one.path.removeprefix(PREFIX)}"] = described_one


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("world"))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def shared(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A copy that may be changed."""
    copied = world.copy(tmp_path_factory.mktemp("shared"))
    yield copied
    copied.database.close()


@pytest.fixture
def asked(world: World, shared: World, role: Role | None) -> Iterator[World]:
    """It is put back after an administrator, who may have removed everybody."""
    yield shared
    if role is Role.ADMINISTRATOR:
        shared.put_back(world)


@st.composite
def cases(draw: st.DrawFn, name: str, world: World, headers: dict[str, str]) -> Case[Any]:
    """A request that fits, every other one with ids that are there and values that mean something."""
    case: Case[Any] = draw(OPERATIONS[name].as_strategy(generation_mode=GenerationMode.POSITIVE, headers=headers))
    if draw(st.booleans()):
        for parts in (case.path_parameters, case.query, case.body):
            if isinstance(parts, dict):
                parts |= {key: draw(st.sampled_from(values_for(world, key))) for key in parts if values_for(world, key)}
    return case


def values_for(world: World, name: str) -> list[Any]:
    return [world.ids[name]] if name in world.ids else KNOWN.get(name, [])


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role or "nobody")
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_is_described(asked: World, name: str, role: Role | None) -> None:
    app = asked.web.client.application
    headers = {} if role is None else {"Authorization": f"Bearer {asked.web.secrets[role]}"}

    @settings(
        max_examples=EXAMPLES[role],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(name, asked, headers))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(app=app, base_url="http://localhost", headers=headers, checks=CHECKED)

    ask()


def misfits(name: str) -> Iterator[Case[Any]]:
    """Every way in which a place of the request may not fit, one at a time; but for headers, which say of themselves that they may be left out."""
    operation = OPERATIONS[name]
    config = operation.schema.config.generation_for(operation=operation, phase="coverage")
    for case in operation.schema.iter_coverage_cases(
        operation, generation_modes=[GenerationMode.NEGATIVE], generation_config=config
    ):
        place = case.meta.phase.data.parameter_location
        if place == "header" or case.method != operation.method.upper():
            continue
        if operation.body and place in (None, "body"):
            # Of two things that do not fit the one would hide that the other is taken.
            case.query = {}
        yield case


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.query or one.path_parameters or one.body])
def test_what_does_not_fit_is_refused_wherever_it_stands_and_changes_nothing(world: World, name: str) -> None:
    app, headers = world.web.client.application, {"Authorization": f"Bearer {world.web.secrets[Role.ADMINISTRATOR]}"}
    with unchanged(world.database):
        for case in misfits(name):
            case.call_and_validate(app=app, base_url="http://localhost", headers=headers, checks=REFUSED)
