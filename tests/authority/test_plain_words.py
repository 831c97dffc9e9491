"""What people read has no words of the program: no None, no {}, no expression, no class name, and advice that can be followed."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from authority.cli.output import plain
from authority.web.problems import TELL_THE_OPERATOR, hint_over_http, sentence_of
from tests.support.borrowing import workstation
from tests.support.console import Console

OF_THE_PROGRAM = re.compile(r"\bNone\b|\bTrue\b|\bFalse\b|\{\}|\[\]|\\A|\\Z")


def test_what_is_shown_to_people_has_no_words_of_python(console: Console) -> None:
    console.good("member", "add", "noel")
    borrow = console.borrow(workstation("laptop"), "ada")
    for command in (
        ("member", "show", "noel"),
        ("member", "show", "ada"),
        ("member", "list"),
        ("member", "defaults"),
        ("borrow", "show", borrow["id"]),
        ("borrow", "list"),
        ("pool", "show"),
        ("policy", "show"),
        ("session", "list"),
        ("session", "settings"),
        ("license", "availability"),
        ("license", "activity", "arcgis-pro"),
        ("api-key", "list"),
        ("key", "list"),
        ("authorization", "show"),
        ("doctor",),
    ):
        ended = console.run(*command)
        assert OF_THE_PROGRAM.search(ended.out) is None, ended.out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ("", "none"),
        ([], "none"),
        ({}, "none"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (["a", None], "a, none"),
        ({"id": "x", "alias": None}, "id x"),
    ],
)
def test_a_field_is_shown_in_words(value: object, text: str) -> None:
    assert plain(value) == text


class Part(BaseModel):
    name: str = Field(pattern=r"^[a-z]{3}$")


class Body(BaseModel):
    part: Part
    day: int = 1

    @field_validator("day")
    @classmethod
    def check_day(cls, value: int) -> int:
        if value > 7:
            raise ValueError("a week has seven days")
        return value


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"part": {"name": "A"}}, "It has another form than /openapi.json describes for it"),
        ({"part": 5}, "It should be an object"),
        ({"part": {"name": "abc"}, "day": 8}, "a week has seven days"),
        ({"part": {"name": "abc"}, "day": "abc"}, "It should be a whole number"),
        ({"part": {"name": 1}}, "It should be a text"),
    ],
)
def test_an_answer_over_http_names_no_class_and_no_expression(data: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate(data)
    assert [sentence_of(item) for item in caught.value.errors()] == [sentence]


def test_commands_are_told_to_whoever_runs_the_server_alone() -> None:
    assert hint_over_http("not-set-up", "Run: carnet-authority init --org NAME") == TELL_THE_OPERATOR
    assert hint_over_http("invalid-input", "Say for whom: --member NAME") == 'Say for whom: "member": "NAME"'
    assert hint_over_http("not-found", "Check the name.") == "Check the name."


def test_a_borrow_file_that_is_checked_in_is_told_where_the_return_file_comes_from(console: Console) -> None:
    laptop = workstation("laptop")
    console.borrow(laptop, "ada")
    borrow_file = console.home.parent / f"{laptop.machine.id}.borrow"
    error = console.refused("request-invalid", 1, "borrow", "check-in", str(borrow_file))
    assert "carnet return PRODUCT -o FILE" in error["hint"]
    output = str(console.home.parent / "x")
    error = console.refused("request-invalid", 1, "borrow", "issue", str(borrow_file), "--member", "ada", "-o", output)
    assert "carnet request PRODUCT -o FILE" in error["hint"]
