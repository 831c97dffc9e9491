"""What a file of members did, or would do, row by row."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from authority.domain.members import Assignment
from authority.presentation.member_sheet import license_text
from authority.presentation.shown import Shown
from authority.services import member_files
from authority.services.member_files import Difference, Imported, Outcome


class FieldChange(Shown):
    """One field of a member before and after."""

    field: str
    before: Any = Field(alias="from", description="null: a new member")
    after: Any = Field(alias="to")

    @classmethod
    def of(cls, difference: Difference) -> Self:
        """The change with each license as the text that it has in a sheet."""
        return cls(**{"field": difference.field, "from": value_of(difference.before), "to": value_of(difference.after)})


def value_of(value: Any) -> Any:
    """A field as it stands in a member's object, a license as in the sheet."""
    if isinstance(value, tuple):
        return [license_text(item) if isinstance(item, Assignment) else item for item in value]
    return value


class ImportedRow(Shown):
    """What became of a row."""

    row: int = Field(description="its number as a spreadsheet shows it")
    username: str
    action: str = Field(description="add, change, unchanged or refused")
    changes: tuple[FieldChange, ...]


class RefusedRow(ImportedRow):
    """A row that was refused, and why."""

    code: str
    message: str
    hint: str
    evidence: dict[str, Any]


def row_of(outcome: Outcome) -> ImportedRow | RefusedRow:
    """What became of one row."""
    row = ImportedRow(
        row=outcome.line.number,
        username=outcome.line.username,
        action=outcome.action,
        changes=tuple(map(FieldChange.of, outcome.differences)),
    )
    refusal = outcome.refusal
    if refusal is None:
        return row
    return RefusedRow(
        row=row.row,
        username=row.username,
        action=row.action,
        changes=row.changes,
        code=refusal.code,
        message=refusal.message,
        hint=refusal.hint,
        evidence=refusal.evidence,
    )


class MemberImport(Shown):
    """What a file of members did, or would do."""

    file: str | None = Field(description="the name of the file; null: the table came without one")
    dry_run: bool
    applied: bool
    added: int
    changed: int
    unchanged: int
    refused: int
    rows: tuple[RefusedRow | ImportedRow, ...]

    @classmethod
    def of(cls, imported: Imported, file: str | None, *, dry_run: bool) -> Self:
        """The counts and all rows."""
        return cls(
            file=file,
            dry_run=dry_run,
            applied=imported.applied,
            added=imported.count(member_files.ADD),
            changed=imported.count(member_files.CHANGE),
            unchanged=imported.count(member_files.UNCHANGED),
            refused=imported.count(member_files.REFUSED),
            rows=tuple(map(row_of, imported.outcomes)),
        )
