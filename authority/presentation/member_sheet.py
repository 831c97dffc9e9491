"""A member as a row of a spreadsheet, and back: what a person reads and writes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from authority.domain.members import Assignment, DownloadPermission, Member, Role, email_of, group_name, username_of
from authority.domain.names import once, spelled
from authority.domain.refusals import InvalidInput, WrongCell
from authority.presentation import dialect, sheets
from authority.presentation.licenses import AssignmentShown
from authority.presentation.members import MemberShown
from authority.presentation.sheets import Row
from authority.services.licenses import Wish
from authority.services.member_files import FIELDS, LICENSES, Line

USERNAME = "username"
# When a license was last used is written and not taken back.
COLUMNS = (USERNAME, *FIELDS, LICENSES, "last_used_at")
NEVER_HINTS = {
    "password": "Take the column out: passwords are never in a sheet. carnet-authority member set NAME --password-file FILE"
}
# In these an empty cell is a value: no name, no address, no group, no license beside what the user type includes.
MAY_BE_EMPTY = ("full_name", "email", "groups", LICENSES)
LICENSE_HINT = "Write PRODUCT=LEVEL, or PRODUCT=LEVEL+EXTENSION+EXTENSION, and ; between products."


def row_of(member: Member, held: Iterable[Assignment]) -> dict[str, Any]:
    """A member with what it holds: at least `COLUMNS`."""
    return MemberShown.of(member).model_dump() | {LICENSES: [license_text(assignment) for assignment in held]}


def license_text(assignment: Assignment | AssignmentShown) -> str:
    """`arcgis-pro=Standard+3DAnalyst`: none of the names in it has a = or + or ; itself."""
    return "+".join((f"{assignment.product}={assignment.level}", *assignment.extensions))


def line_of(row: Row) -> Line:
    """What a row wants; an empty cell leaves a field as it is, unless it `MAY_BE_EMPTY`.

    A row with cells that make no sense gets a refusal (InvalidInput) that names each of them.
    """
    values: dict[str, Any] = {}
    wrong: list[WrongCell] = []
    for column, read in _READERS.items():
        cell = row.cells.get(column)
        if cell is None or (cell.strip() == "" and column not in MAY_BE_EMPTY and column != USERNAME):
            continue
        try:
            values[column] = read(cell)
        except InvalidInput as error:
            wrong.append(WrongCell(column, cell[:140], error.message, error.hint))
    username = values.pop(USERNAME, row.cells[USERNAME].strip())
    wishes = values.pop(LICENSES, None)
    if wishes is not None:
        wishes = tuple(Wish(username, *wish) for wish in wishes)
    return Line(row.number, username, values, wishes, _refusal(wrong))


def _refusal(wrong: list[WrongCell]) -> InvalidInput | None:
    if not wrong:
        return None
    message = "; ".join(f'{cell.column} "{cell.value}": {cell.message}' for cell in wrong)
    return InvalidInput(message, hint=" ".join(dict.fromkeys(cell.hint for cell in wrong)), cells=wrong)


def _username(cell: str) -> str:
    return username_of(cell.strip())


def _full_name(cell: str) -> str:
    return spelled("a name", cell)


def _one_of(words: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(cell: str) -> Any:
        word = cell.strip().lower()
        if word not in words:
            raise InvalidInput("there is no such value", hint=f"Write one of {', '.join(words)}.")
        return words[word]

    return read


def _groups(cell: str) -> tuple[str, ...]:
    return once(group_name(name) for name in sheets.parted(cell))


def _licenses(cell: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Product, level and extensions of each license in the cell."""
    licenses: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for item in sheets.parted(cell):
        product, equals, features = item.partition("=")
        level, *extensions = (part.strip() for part in features.split("+"))
        if not all((equals, product.strip(), level, *extensions)):
            raise InvalidInput(f'"{item[:140]}" is no license', hint=LICENSE_HINT)
        if product.strip() in licenses:
            raise InvalidInput(f'"{product.strip()}" is there twice', hint=LICENSE_HINT)
        licenses[product.strip()] = (product.strip(), level, tuple(extensions))
    return tuple(licenses.values())


_READERS: dict[str, Callable[[str], Any]] = {
    USERNAME: _username,
    "full_name": _full_name,
    "email": email_of,
    "user_type": str.strip,
    "role": _one_of({str(role): role for role in Role}),
    "groups": _groups,
    "disabled": dialect.is_true,
    "vendor_access": dialect.is_true,
    "download_permission": _one_of({str(word): word for word in DownloadPermission}),
    LICENSES: _licenses,
}
