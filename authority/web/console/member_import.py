"""Members from a file: what each row would add or change is shown first, and then it is done."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request
from pydantic import Field

from authority.domain.plurals import counted
from authority.domain.refusals import InvalidInput
from authority.presentation import member_sheet, sheets
from authority.presentation.member_import import ImportedRow, MemberImport, RefusedRow, row_of
from authority.services import member_files, uploads
from authority.services.member_files import Outcome
from authority.services.uploads import File
from authority.web.answers import sheet
from authority.web.console.forms import Form, read
from authority.web.console.frame import page, shown_again
from authority.web.console.member_forms import BORROWS_STAY, value_words
from authority.web.console.visiting import unit
from authority.web.gateway import LARGEST_SHEET

pages = Blueprint("member_import", __name__)

# So many rows of each kind stand on the page; all of them are in the file that can be downloaded.
MOST_SHOWN = 50
OUTCOMES = "members-outcomes.csv"
# No file that is given in is without a name.
NAME_OF_OUTCOMES = ""
DONE = {member_files.ADD: "added", member_files.CHANGE: "changed"}
# What a change of these takes may be out offline.
OF_LICENSES = frozenset({"user_type", "licenses", "disabled"})
COLUMNS = ("row", "username", "action", "changes", "code", "message", "hint")


class Upload(Form):
    # The file that was looked at, by its digest, and what was shown of it.
    upload: str = Field("", max_length=64)
    seen: str = Field("", max_length=64)


class Rows(Upload):
    refused: bool = False


@pages.get("/members/import")
def index() -> Response:
    """Where the file is given in, and what stands in it."""
    return page("member_import.html", columns=member_sheet.COLUMNS)


@pages.post("/members/import")
@shown_again(index)
def look() -> Response:
    """What every row would do; nothing is changed."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise InvalidInput("no file was chosen", hint="Choose the file, or drop it on the field.", about="file")
    data = sent.read(LARGEST_SHEET + 1)
    if len(data) > LARGEST_SHEET:
        raise InvalidInput(
            f"the file is larger than {LARGEST_SHEET >> 20} MiB", hint="Split it into several files.", about="file"
        )
    began = time.monotonic()
    shown = _imported(data, sent.filename)
    seconds = round(time.monotonic() - began)
    return _look(uploads.keep(unit(once=False), sent.filename, data), shown, seconds=seconds)


def _look(file: File, shown: MemberImport, *, seconds: int = 0, is_changed: bool = False) -> Response:
    """The rows as they would be done. Looking at them took so many seconds, and doing them takes as many."""
    return page(
        "member_import_rows.html",
        shown=shown,
        upload=file.digest,
        seen=_digest(shown.rows),
        seconds=seconds,
        is_changed=is_changed,
        good=shown.added + shown.changed,
        title=f"{counted(len(shown.rows), 'row')} of {file.name}",
        **_by_kind(shown),
    )


def _by_kind(shown: MemberImport) -> dict[str, Any]:
    """The rows that are refused, and those that add or change, the first ones of each, in words."""
    refused = [row for row in shown.rows if isinstance(row, RefusedRow)]
    acting = [row for row in shown.rows if row.action in (member_files.ADD, member_files.CHANGE)]
    takes = any(row.action == member_files.CHANGE and OF_LICENSES & {change.field for change in row.changes} for row in acting)
    return {
        "refused": refused[:MOST_SHOWN],
        "acting": [(row, _words(row)) for row in acting[:MOST_SHOWN]],
        "stays": BORROWS_STAY if takes else "",
    }


def _words(row: ImportedRow) -> list[str]:
    """`role: member, from now on analyst`; of a new member what they get."""
    is_new = row.action == member_files.ADD
    changes = [change for change in row.changes if not is_new or change.after not in ("", [], False, "none")]
    return [
        f"{change.field.replace('_', ' ')}: "
        + (_text(change.after) if is_new else f"{_text(change.before)}, from now on {_text(change.after)}")
        for change in changes
    ]


def _text(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(value) or "none"
    return value_words(value) if isinstance(value, bool) else str(value) or "none"


def _imported(data: bytes, name: str, *, seen: str | None = None) -> MemberImport:
    """What the rows would do; where they are `seen`, and it is still that, it is done. Good rows, whatever the others are."""
    rows = sheets.read(io.BytesIO(data), member_sheet.COLUMNS, [member_sheet.USERNAME], member_sheet.NEVER_HINTS)
    lines = [member_sheet.line_of(row) for row in rows]

    def agree(outcomes: Sequence[Outcome]) -> bool:
        return _digest([row_of(outcome) for outcome in outcomes]) == seen

    imported = member_files.import_lines(unit(), lines, dry_run=seen is None, go_on=True, agree=agree)
    return MemberImport.of(imported, name, dry_run=not imported.applied)


def _digest(rows: Sequence[ImportedRow]) -> str:
    """What becomes of every row, in short: another one when something changed meanwhile."""
    values = [row.model_dump(mode="json") for row in rows]
    return hashlib.sha256(json.dumps(values, default=str).encode()).hexdigest()


@pages.post("/members/import/done")
@shown_again(index)
def do() -> Response:
    """Does what was shown of every good row; when it would be something else by now, it is shown again first."""
    form = read(Upload)
    file = uploads.get(unit(), form.upload)
    shown = _imported(file.data, file.name, seen=form.seen)
    if not shown.applied:
        return _look(file, shown, is_changed=True)
    # In place of the file what became of its rows is kept, which nobody can look up otherwise.
    outcomes_file = uploads.keep(
        unit(once=False), NAME_OF_OUTCOMES, "".join(sheets.lines(COLUMNS, map(_done_line, shown.rows))).encode()
    )
    return page(
        "member_import_rows.html",
        shown=shown,
        upload=outcomes_file.digest,
        title=_title(shown),
        is_changed=False,
        **_by_kind(shown),
    )


def _title(shown: MemberImport) -> str:
    return f"{shown.added} added, {shown.changed} changed" + (f", {shown.refused} refused" if shown.refused else "")


@pages.post("/members/import/rows.csv")
@shown_again(index)
def as_csv() -> Response:
    """What every row would do now, as a file."""
    file = uploads.get(unit(), read(Upload).upload)
    return sheet(sheets.lines(COLUMNS, map(_line, _imported(file.data, file.name).rows)), "members-rows.csv")


@pages.post("/members/import/outcomes.csv")
@shown_again(index)
def outcomes() -> Response:
    """What became of every row, as a file; or of those alone that were refused, with what is wrong."""
    form = read(Rows)
    file = uploads.get(unit(), form.upload)
    if file.name != NAME_OF_OUTCOMES:
        raise InvalidInput("what stands in this file was not done yet", hint="Look at its rows, and do them.", about="file")
    lines = csv.DictReader(io.StringIO(file.data.decode(), newline=""))
    rows = (row for row in lines if not form.refused or row["action"] == member_files.REFUSED)
    return sheet(sheets.lines(COLUMNS, rows), OUTCOMES)


def _done_line(row: ImportedRow) -> dict[str, Any]:
    return {**_line(row), "action": DONE.get(row.action, row.action)}


def _line(row: ImportedRow) -> dict[str, Any]:
    refusal = {name: getattr(row, name) if isinstance(row, RefusedRow) else "" for name in ("code", "message", "hint")}
    return {"row": row.row, "username": row.username, "action": row.action, "changes": _words(row), **refusal}
