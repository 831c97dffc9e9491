"""Refusals: typed values, and the one way in which they are shown."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import authority
from authority.domain.borrows import BorrowState, taken
from authority.domain.refusals import (
    AlreadyBorrowed,
    BorrowAlreadyEnded,
    BorrowedElsewhere,
    ComputerInUse,
    DurationTooLong,
    InSessionElsewhere,
    InvalidInput,
    NotAssigned,
    NotDone,
    OrganizationOverLimit,
    PoolExhausted,
    ProductOverallocated,
    Refusal,
    SessionLimit,
    WrongCell,
    every_refusal,
)
from tests.support.values import MACHINE, a_borrow

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_refusal_says_what_and_what_to_do_next() -> None:
    refusal = NotAssigned("no license")
    assert (str(refusal), refusal.message, refusal.hint) == ("no license", "no license", NotAssigned.default_hint)
    assert NotAssigned("no license", hint="Ask.").hint == "Ask."


def test_what_a_refusal_has_nothing_to_say_about_is_not_shown() -> None:
    assert PoolExhausted("full", feature="Basic", seats=0).evidence == {"feature": "Basic", "seats": 0}
    assert InvalidInput("wrong").evidence == {}


def test_a_value_that_is_always_said_is_shown_when_there_is_none() -> None:
    assert OrganizationOverLimit("too many", current=3, maximum=None).evidence == {"current": 3, "maximum": None}


def test_a_machine_without_an_alias_is_shown_without_one() -> None:
    refusal = taken(a_borrow(), MACHINE)
    assert isinstance(refusal, BorrowedElsewhere)
    assert isinstance(refusal, AlreadyBorrowed)
    assert BorrowedElsewhere("out", borrow_id="b", alias=None, since=AT, until=AT, same_machine_id=False).evidence == {
        "borrow_id": "b",
        "alias": None,
        "since": "2026-03-02T09:00:00+00:00",
        "until": "2026-03-02T09:00:00+00:00",
        "same_machine_id": False,
    }


def test_values_are_shown_as_json_has_them() -> None:
    assert BorrowAlreadyEnded("ended", state=BorrowState.CHECKED_IN, ended_at=AT).evidence == {
        "state": "checked-in",
        "ended_at": "2026-03-02T09:00:00+00:00",
    }
    assert type(BorrowAlreadyEnded("ended", state=BorrowState.EXPIRED, ended_at=AT).evidence["state"]) is str
    computers = (ComputerInUse("laptop", AT, AT),)
    assert SessionLimit("three", limit=3, computers=computers).evidence["computers"] == [
        {"computer": "laptop", "since": "2026-03-02T09:00:00+00:00", "taken_until": "2026-03-02T09:00:00+00:00"}
    ]
    cell = WrongCell("role", "chief", "there is no such value", "Write one of member.")
    assert InvalidInput("wrong", cells=[cell]).evidence == {
        "cells": [{"column": "role", "value": "chief", "message": "there is no such value", "hint": "Write one of member."}]
    }


def test_values_stand_in_one_order() -> None:
    """Answers list them; who reads an answer finds each where it was."""
    refusal = PoolExhausted("full", in_use=1, seats=2, feature="Basic", reserved={"crew": 1})
    assert list(refusal.evidence) == ["reserved", "feature", "seats", "in_use"]
    assert list(DurationTooLong("long", decided_by="rule", limit_until=AT, limit_days=1.5).evidence) == [
        "limit_days",
        "limit_until",
        "decided_by",
    ]


def test_each_of_several_that_were_not_done_is_shown_with_its_own_reason() -> None:
    refusal = NotAssigned("no license", product="pro")
    refusal.items = (NotDone("ada", refusal), NotDone("eve", None))
    assert refusal.evidence.keys() == {"product", "items"}
    first, second = refusal.evidence["items"]
    assert first == {"name": "ada", "ok": False, "code": "not-assigned", "message": "no license", "hint": refusal.hint}
    assert (second["name"], second["ok"], second["code"]) == ("eve", False, None)
    assert NotAssigned("another").evidence == {}


def test_a_denial_knows_which_feature_was_lacking() -> None:
    assert PoolExhausted("full", feature="Basic").lacking == "Basic"
    assert ProductOverallocated("over", feature="3DAnalyst", assigned=2, seats=1).lacking == "3DAnalyst"
    assert NotAssigned("no license").lacking is None


def test_each_code_belongs_to_one_refusal_with_a_hint() -> None:
    codes = [refusal.code for refusal in every_refusal()]
    assert len(set(codes)) == len(codes) > 25
    assert BorrowedElsewhere not in every_refusal()
    assert BorrowedElsewhere.code == AlreadyBorrowed.code


def test_no_value_of_a_refusal_hides_what_an_exception_has() -> None:
    for refusal in (*every_refusal(), BorrowedElsewhere):
        own = {item.name for item in fields(refusal)} - {item.name for item in fields(Refusal)}
        assert not own & set(dir(Exception))


# What may stand at the beginning of a sentence: a number of something, a sentence or label of ours or of the settings, and what
# only whoever sits at the server is told of, as paths. The name of anything else would get a capital letter there.
NO_NAME = re.compile(
    r"(counted|all_are)\(|'; '\.join|(.*\.)?(label|name|what|message|sentence|since|text|excess|used|borrowed|free|subject|HEADER|WATCHES)\Z"
    r"|(.*\.)?(path|file|folder|home|host|_log|key_folder)\Z"
)


def test_no_refusal_begins_with_the_name_of_a_member() -> None:
    classes: list[type[Refusal]] = [Refusal, *every_refusal(), BorrowedElsewhere, InSessionElsewhere]
    names = {refusal.__name__ for refusal in classes}
    messages = [
        (path.name, call.args[0])
        for path in sorted(Path(authority.__file__).parent.rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names and call.args
    ]
    assert len(messages) > 200
    values = [(name, text.values[0]) for name, text in messages if isinstance(text, ast.JoinedStr)]
    first = [(name, ast.unparse(value.value)) for name, value in values if isinstance(value, ast.FormattedValue)]
    assert [value for value in first if not NO_NAME.match(value[1])] == []
