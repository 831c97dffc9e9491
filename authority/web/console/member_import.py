"""Members from a file: what each row would add or change is shown first, and then it is done."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from flask import Blueprint, Response, request
from pydantic import Field

from authority.domain.plurals import counted
from authority.domain.refusals import InvalidInput
from authority.presentation import member_sheet, sheets
from authority.presentation.member_import import ImportedRow, MemberImport, RefusedRow
from authority.services import member_files
from authority.web.answers import sheet
from authority.web.console.forms import Form, read
from authority.web.console.frame import page, shown_again, unit
from authority.web.console.member_forms import value_words
from authority.web.gateway import LARGEST_SHEET

pages = Blueprint("member_import", __name__)

# So many rows of each kind stand on the page; all of them are in the file that can be downloaded.
MOST_SHOWN = 50
COLUMNS = ("row", "username", "action", "changes", "code", "message", "hint")
CHOOSE_AGAIN = "Choose the file again."


class Table(Form):
    # The file that was looked at, compressed, so that the page that goes on with it stays small.
    table: str = Field("", max_length=2 * LARGEST_SHEET)
    file: str = Field("", max_length=256)
    seen: str = Field("", max_length=64)


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
        raise InvalidInput("no file was chosen", hint="Choose the file, or drop it on the field.")
    data = sent.read(LARGEST_SHEET + 1)
    if len(data) > LARGEST_SHEET:
        raise InvalidInput(f"the file is larger than {LARGEST_SHEET >> 20} MiB", hint="Split it into several files.")
    return _look(data, sent.filename)


def _look(data: bytes, name: str, *, is_changed: bool = False) -> Response:
    shown = _imported(data, name, dry_run=True)
    return page(
        "member_import_rows.html",
        shown=shown,
        table=_packed(data),
        seen=_digest(shown),
        is_changed=is_changed,
        good=shown.added + shown.changed,
        title=f"{counted(len(shown.rows), 'row')} of {name}",
        **_by_kind(shown),
    )


def _by_kind(shown: MemberImport) -> dict[str, Any]:
    """The rows that are refused, and those that add or change, the first ones of each, in words."""
    refused = [row for row in shown.rows if isinstance(row, RefusedRow)]
    acting = [row for row in shown.rows if row.action in (member_files.ADD, member_files.CHANGE)]
    return {"refused": refused[:MOST_SHOWN], "acting": [(row, _words(row)) for row in acting[:MOST_SHOWN]]}


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


def _imported(data: bytes, name: str, *, dry_run: bool) -> MemberImport:
    """What the rows do, or would do; those that are good, whatever the others are."""
    rows = sheets.read(io.BytesIO(data), member_sheet.COLUMNS, [member_sheet.USERNAME], member_sheet.NEVER_HINTS)
    lines = [member_sheet.line_of(row) for row in rows]
    return MemberImport.of(member_files.import_lines(unit(), lines, dry_run=dry_run, go_on=True), name, dry_run=dry_run)


def _digest(shown: MemberImport) -> str:
    """What becomes of every row, in short: another one when something changed meanwhile."""
    rows = [row.model_dump(mode="json") for row in shown.rows]
    return hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()


def _packed(data: bytes) -> str:
    return urlsafe_b64encode(zlib.compress(data, 9)).decode()


def _unpacked(text: str) -> bytes:
    """The file again. Raises InvalidInput for what was not packed here, or is larger than a file may be."""
    try:
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(urlsafe_b64decode(text.encode()), LARGEST_SHEET + 1)
    except (ValueError, zlib.error) as error:
        raise InvalidInput("the file did not come back whole", hint=CHOOSE_AGAIN) from error
    if not unpacking.eof or len(data) > LARGEST_SHEET:
        raise InvalidInput("the file did not come back whole", hint=CHOOSE_AGAIN)
    return data


@pages.post("/members/import/done")
@shown_again(index)
def do() -> Response:
    """Does what was shown of every good row; when it would be something else by now, it is shown again first."""
    form = read(Table)
    data = _unpacked(form.table)
    if _digest(_imported(data, form.file, dry_run=True)) != form.seen:
        return _look(data, form.file, is_changed=True)
    shown = _imported(data, form.file, dry_run=False)
    return page("member_import_rows.html", shown=shown, title=_title(shown), is_changed=False, **_by_kind(shown))


def _title(shown: MemberImport) -> str:
    return f"{shown.added} added, {shown.changed} changed" + (f", {shown.refused} refused" if shown.refused else "")


@pages.post("/members/import/rows.csv")
@shown_again(index)
def as_csv() -> Response:
    """What every row would do now, as a file."""
    form = read(Table)
    rows = _imported(_unpacked(form.table), form.file, dry_run=True).rows
    return sheet(sheets.lines(COLUMNS, map(_line, rows)), "members-rows.csv")


def _line(row: ImportedRow) -> dict[str, Any]:
    refusal = {name: getattr(row, name) if isinstance(row, RefusedRow) else "" for name in ("code", "message", "hint")}
    return {"row": row.row, "username": row.username, "action": row.action, "changes": _words(row), **refusal}
