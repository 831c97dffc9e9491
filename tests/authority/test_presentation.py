"""Shown things: one model for the answer of a route, `--json`, a row of CSV and a table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from authority.domain.api_keys import ApiKey
from authority.domain.borrows import Borrow, Ending, Machine, OsUser
from authority.domain.members import Scope
from authority.presentation import sheets
from authority.presentation.api_keys import ApiKeyShown
from authority.presentation.borrows import BorrowShown, IssuedBorrow, issued_json
from authority.presentation.shown import Shown
from tests.support.console import Console
from tools import fields

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDS_AT = NOW + timedelta(days=3)


def borrow(
    alias: str | None = "laptop", ended_at: datetime | None = None, ended_by: Ending | None = None, receipt: str | None = None
) -> Borrow:
    return Borrow(
        id="i" * 22,
        member_id=1,
        member="ada",
        user_type="Creator",
        groups=("a;b", "c"),
        product="arcgis-pro",
        level="Standard",
        extensions=("3DAnalyst",),
        machine=Machine("machine", "linux", "second", alias, "key"),
        user=OsUser("uid:1000", "Ada"),
        issued_at=NOW,
        expires_at=ENDS_AT,
        ended_at=ended_at,
        ended_by=ended_by,
        end_reason=None if ended_by is None else "lost",
        seat_free_at=ENDS_AT,
        decided_by="organization",
        receipt_jti=receipt,
    )


def test_a_borrow_is_shown_with_all_its_fields() -> None:
    assert json.loads(BorrowShown.of(borrow(), NOW).model_dump_json()) == {
        "id": "i" * 22,
        "member": "ada",
        "user_type": "Creator",
        "groups": ["a;b", "c"],
        "product": "arcgis-pro",
        "level": "Standard",
        "extensions": ["3DAnalyst"],
        "machine": {"id": "machine", "alias": "laptop", "source": "linux"},
        "user": {"id": "uid:1000", "name": "Ada"},
        "issued_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-04T12:00:00Z",
        "state": "active",
        "ended_at": None,
        "seat_free_at": "2026-03-04T12:00:00Z",
        "decided_by": "organization",
        "reason": None,
        "copy_may_run_until": "2026-03-04T12:00:00Z",
        "days_left": 3,
        "status_max_age": None,
        "clone_evidence": None,
        "clone_seen_at": None,
    }


@pytest.mark.parametrize(
    ("shown", "state", "ended_at", "copy_may_run_until"),
    [
        (BorrowShown.of(borrow(), ENDS_AT), "expired", ENDS_AT, None),
        (BorrowShown.of(borrow(ended_at=NOW, ended_by=Ending.REVOKED), NOW), "revoked", NOW, ENDS_AT),
        (BorrowShown.of(borrow(ended_at=NOW, ended_by=Ending.RELEASED), ENDS_AT), "released", NOW, None),
        (BorrowShown.of(borrow(ended_at=NOW, ended_by=Ending.CHECKED_IN, receipt="r"), NOW), "checked-in", NOW, None),
    ],
    ids=["expired", "revoked", "released and over", "checked in"],
)
def test_what_ended_says_when_and_whether_its_copy_may_run(
    shown: BorrowShown, state: str, ended_at: datetime, copy_may_run_until: datetime | None
) -> None:
    assert (shown.state, shown.ended_at, shown.copy_may_run_until) == (state, ended_at, copy_may_run_until)


def test_a_time_of_another_zone_with_microseconds_is_shown_in_utc_and_whole_seconds() -> None:
    east = (NOW + timedelta(microseconds=999_999)).astimezone(timezone(timedelta(hours=5, minutes=45)))
    key = ApiKeyShown.of(ApiKey("k" * 22, "script", "ada", created_at=east, revoked_at=None, scopes=(Scope.ALL,)))
    assert '"created_at":"2026-03-01T12:00:00Z"' in key.model_dump_json()
    assert key.created_at == NOW


def test_the_answer_to_a_borrow_has_the_file_as_the_bytes_that_were_made() -> None:
    file = '{"kind": "borrow",\n  "name" : "Zoë",  "n":1.0}\n'.encode()
    answer = issued_json(borrow(), file, NOW)
    assert file in answer
    issued = IssuedBorrow.model_validate_json(answer)
    assert issued.borrow == BorrowShown.of(borrow(), NOW)
    assert issued.file == json.loads(file)


def test_a_sheet_has_the_fields_in_their_order_and_those_of_things_within() -> None:
    columns = sheets.columns_of(BorrowShown)
    within = {"machine": ["machine_id", "machine_alias"], "user": ["user_id", "user_name"]}
    assert list(columns) == [column for name in BorrowShown.model_fields for column in within.get(name, [name])]


def test_a_row_of_a_sheet_is_the_thing_flattened() -> None:
    text = "".join(sheets.lines_of(BorrowShown, [BorrowShown.of(borrow(alias="=1+1"), NOW)]))
    cells = dict(zip(*(line.split(",") for line in text.splitlines()), strict=True))
    assert (cells["machine_id"], cells["machine_alias"], cells["user_name"]) == ("machine", "'=1+1", "Ada")
    assert (cells["issued_at"], cells["ended_at"], cells["state"]) == ("2026-03-01T12:00:00Z", "", "active")


@pytest.mark.parametrize("model", fields.models(), ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_shown_thing_is_frozen_and_says_what_it_is(model: type[Shown]) -> None:
    assert model.model_config.get("frozen") is True
    assert model.model_json_schema(mode="serialization")["description"] not in ("", Shown.__doc__)


def test_no_two_shown_things_have_one_name() -> None:
    names = [model.__name__ for model in fields.models()]
    assert len(names) > 40
    assert len(names) == len(set(names))


def test_what_is_no_unicode_in_an_argument_is_repeated_as_its_escape(console: Console) -> None:
    ended = console.run("--json", "license", "assign", "b\udcff", "ada", "arcgis-pro", "--level", "Standard", "--row-by-row")
    assert [row["ok"] for row in ended.json] == [False, True]
    assert ended.json[0]["member"] == "b\\udcff"


SHEETS = {
    "commas": "username,product,level,extensions\nada,arcgis-pro,Basic,3DAnalyst DataReviewer\n",
    "semicolons": "username;product;level;extensions\r\nada;arcgis-pro;Basic;3DAnalyst DataReviewer\r\n",
    "a byte order mark": "\ufeffproduct,username,level,extensions\narcgis-pro,ada,Basic,3DAnalyst DataReviewer\n",
    "white space": "username,product,level,extensions\n ada ,arcgis-pro , Basic,3DAnalyst  DataReviewer \n",
}


@pytest.mark.parametrize("text", SHEETS.values(), ids=SHEETS)
def test_licenses_are_assigned_from_what_spreadsheets_write(console: Console, tmp_path: Path, text: str) -> None:
    path = tmp_path / "licenses.csv"
    path.write_text(text, encoding="utf-8", newline="")
    rows = console.good("license", "assign", "--file", str(path))
    assert all(row.pop("version") for row in rows)
    assert rows == [
        {
            "member": "ada",
            "product": "arcgis-pro",
            "ok": True,
            "level": "Basic",
            "extensions": ["3DAnalyst", "DataReviewer"],
            "taken": ["Advanced"],
            "given": ["3DAnalyst", "Basic", "DataReviewer"],
        }
    ]


WRONG_SHEETS = {
    "an unknown column": "username,product,licence\nada,arcgis-pro,Basic\n",
    "no product": "username,level\nada,Basic\n",
    "no row": "username,product\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", WRONG_SHEETS.values(), ids=WRONG_SHEETS)
def test_a_sheet_of_licenses_that_is_not_understood_is_refused_whole(console: Console, tmp_path: Path, text: str) -> None:
    path = tmp_path / "licenses.csv"
    path.write_text(text, encoding="utf-8")
    before = console.good("member", "show", "ada")
    ended = console.run("--json", "license", "assign", "--file", str(path))
    assert (ended.status, ended.json["code"]) == (1, "invalid-input")
    assert console.good("member", "show", "ada") == before
