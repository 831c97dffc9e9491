"""Every command that lists, with 200 rows of long names, in windows of 40 to 200 cells: one line is one thing, and nothing is lost unsaid."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from authority import cli
from authority.cli import notices, output, recovery
from authority.cli.frame import Frame
from authority.cli.tables import ID_LENGTH, headed, lines_of, shortened
from authority.domain.members import CONSOLE
from authority.domain.notices import NoticeKind
from authority.presentation.health import FindingShown
from authority.presentation.notices import NoticeShown
from authority.presentation.reconciliation import OrphanShown
from authority.presentation.shown import Shown
from authority.services import access
from authority.services.unit import Unit
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.authorities import START
from tests.support.connecting import connected
from tests.support.console import Console
from tests.support.web import sign_in_of
from tests.support.workstations import SimulatedWorkstation

ROWS = 200
# The command, and the columns that stand in every window of 60 cells.
LISTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "borrows._show_page": (("borrow", "list", "--all"), ("id", "member")),
    "offline.list_offline": (("borrow", "offline"), ("id", "member")),
    "members.list_members": (("member", "list"), ("username", "state")),
    "records.list_keys": (("key", "list"), ("use", "thumbprint")),
    "sessions.list_sessions": (("session", "list"), ("id", "member")),
    "sign_ins.list_sign_ins": (("sign-in", "list", "ada"), ("id", "last used")),
    "policies.show_policies": (("policy", "show"), ("level", "for", "product")),
    "api_keys.list_keys": (("api-key", "list"), ("id", "name")),
    "channels.list_channels": (("channel", "list"), ("name",)),
    "pools.show_pools": (("pool", "show"), ("level or extension", "licensed", "in use")),
    "licenses.availability": (("license", "availability"), ("level or extension", "licensed", "used", "available")),
    "licenses.show_activity": (("license", "activity", "arcgis-pro"), ("member",)),
    "log.list_log": (("log", "list"), ("number", "at", "what")),
    "server.doctor": (("doctor",), ("subject", "finding")),
    "notices.list_notices": (("notice", "list"), ("made", "notice")),
    "recovery._show_lines": (("doctor", "--reconcile"), ("borrow", "member")),
}
LONG = {
    "member": "member.with.a.long.name.{}",
    "username": "member.with.a.long.name.{}",
    "full_name": "山田 太郎 Maria-Magdalena von Long-Name {}",
    "name": "nightly export of the survey {}",
    "subject": "a group with a long name {}",
    "user_type": "GIS Professional Advanced",
    "actor": "another.administrator.{}",
    "computer": "vermessung-laptop-{}",
    "text": "arcgis-pro of member.with.a.long.name.{} on laptop ends at 2026-03-02 09:00 UTC",
    "scopes": ("read", "licenses", "members"),
    "groups": ("north", "survey", "a group with a long name"),
}
ORPHAN = OrphanShown.model_construct(
    jti="j", borrow_id="B" * 22, member="m", product="arcgis-pro", level="Advanced", extensions=(), machine="laptop",
    issued_at=START, expires_at=START, status_index=1, ended=False, clash=None,
)  # fmt: skip
NOTICE = NoticeShown.model_construct(
    id="N" * 22, kind=NoticeKind.BORROW_OVERDUE, text="t", facts={}, made_at=START, deliveries=()
)


def callers() -> set[str]:
    """The functions of all commands that show a table, with their modules."""
    names = set()
    for path in Path(cli.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(_name_of(call) == "show_table" for call in ast.walk(node)):
                names.add(f"{path.stem}.{node.name}")
    return names


def _name_of(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def is_text(value: object) -> bool:
    return isinstance(value, str | None) or (
        isinstance(value, tuple) and value != () and all(isinstance(item, str) for item in value)
    )


def many(row: Shown) -> list[Shown]:
    """The row so many times, with long names and an own number."""

    def grown(number: int) -> Shown:
        words = {
            name: text for name, text in LONG.items() if is_text(getattr(row, name, 0)) and not isinstance(row, FindingShown)
        }
        return row.model_copy(
            update={name: text.format(number) if isinstance(text, str) else text for name, text in words.items()}
        )

    return [grown(number) for number in range(ROWS)]


@pytest.fixture
def shown(console: Console, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    """What every listing command gives to its table, by the function that does: the rows, made many, the columns and the rest."""
    tables: dict[str, tuple[Any, ...]] = {}

    def keep(_: Frame, rows: Sequence[Shown], *rest: Any, **more: Any) -> None:
        caller = sys._getframe(1)
        name = f"{caller.f_globals['__name__'].rpartition('.')[2]}.{caller.f_code.co_name}"
        tables[name] = ([item for row in rows for item in many(row)][:: len(rows)], rest, more)

    for path in Path(cli.__path__[0]).glob("*.py"):
        module = import_module(f"authority.cli.{path.stem}")
        if hasattr(module, "show_table") and module is not output:
            monkeypatch.setattr(module, "show_table", keep)
    console.borrow(SimulatedWorkstation("field"), "ada", days=3)
    url = console.home.parent / "url"
    url.write_text("https://example.org/hook", encoding="utf-8")
    console.good("channel", "add", "alerts", "--type", "webhook", "--url-file", str(url))
    authority = open_authority(load({}, str(console.home)))
    connected(authority, "laptop", "arcgis-desktop")
    sign_in_of(authority, "ada")
    access.create_api_key(Unit(authority, CONSOLE), "ada", "nightly")
    authority.database.close()
    for name, (command, _) in LISTS.items():
        if name not in ("notices.list_notices", "recovery._show_lines"):
            console.run(*command)
    tables["notices.list_notices"] = (many(NOTICE), (notices.COLUMNS, notices.MAY_GO), {})
    tables["recovery._show_lines"] = (many(ORPHAN), (recovery.ORPHANS, recovery.MAY_GO), {})
    return tables


def test_every_listing_command_is_a_table_with_200_rows_in_a_window_of_60_cells(
    shown: dict[str, tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No line is too long, each thing is a row with its keys whole, and each column is there or is named as left out."""
    assert set(LISTS) == set(shown) == callers()
    for name, (rows, rest, more) in shown.items():
        columns: output.Columns[Any] = rest[0]
        for width in (40, 60, 80, 120):
            monkeypatch.setenv("COLUMNS", str(width))
            output.show_table(Frame(), rows, *rest, **more)
            printed = capsys.readouterr()
            lines, where = printed.out.splitlines(), (name, width, printed.out[:1000])
            assert max(map(cell_len, lines)) <= width, where
            if width >= 60:
                gone = printed.err.partition("no room for ")[2].partition(":")[0].split(", ")
                head = more.get("head")
                head = None if head is None or lines[0].startswith(head) else head
                table = [column for column in columns if column not in gone and column != head]
                places = [lines[0].find(column.split(" ")[0]) for column in table]
                assert min(places) >= 0, where
                assert places == sorted(places), where
                assert set(LISTS[name][1]) <= set(table), where
                assert len(lines) <= 3 * (ROWS + 1), where
                for row in rows:
                    for column in LISTS[name][1]:
                        cell = str(columns[column](row))
                        assert cell_len(cell) > ID_LENGTH or cell in printed.out, (column, cell, where)


def test_what_is_folded_keeps_every_letter_and_wide_ones_count_twice() -> None:
    name, long_id = "山田太郎" * 6, "B" * ID_LENGTH
    lines = list(lines_of(["id", "member", "state"], [[long_id, name, "active"], ["A", "ada", "ended"]], 46))
    assert max(map(cell_len, lines)) <= 46
    assert long_id in lines[1]
    assert "".join(part for line in lines for part in line if part in name) == name
    # Each column begins at the same cell in every row.
    assert {cell_len(line[: line.index(word)]) for line, word in ((lines[0], "state"), (lines[1], "active"))} == {
        cell_len(lines[-1][: lines[-1].index("ended")])
    }


def test_rows_that_share_a_head_stand_below_it() -> None:
    rows = [["Basic", "50"], ["Advanced", "40"], ["Editor", "5"]]
    assert list(headed(["level", "free"], rows, ["pro", "pro", "desktop"], 20)) == [
        "level     free", "pro", "Basic     50", "Advanced  40", "desktop", "Editor    5",
    ]  # fmt: skip
    assert shortened(["level", "free"], rows, 6, ["free"]) == []


def test_a_narrow_column_stays_where_a_wider_one_had_to_go() -> None:
    names, row = ("id", "since", "machine", "why"), ("B" * ID_LENGTH, "2026-03-02T09:00:00Z", "laptop", "w" * 20)
    may_go = ("machine", "since", "why")
    assert shortened(names, [row], 60, may_go) == ["since"]
    assert shortened(names, [row], 53, may_go) == ["since"]
    assert shortened(names, [row], 50, may_go) == ["machine", "since"]
    assert shortened(names, [row], 31, may_go) == ["since", "why"]


def test_one_long_name_takes_no_column_away() -> None:
    """A name from elsewhere may have 128 letters; a column whose words are all long, as digests are, stays whole."""
    names, may_go = ("username", "user_type", "role"), ("role", "user_type")
    rows = [[f"member-{number}", "GIS Professional", "member"] for number in range(20)]
    long = [["x" * 128, "GIS Professional", "member"]]
    assert shortened(names, [*rows, *long], 60, may_go) == []
    lines = list(lines_of(names, [*rows, *long], 60))
    assert (len(lines), max(map(cell_len, lines))) == (25, 60)
    digests = [["d" * 43, "GIS Professional", "member"] for _ in range(20)]
    assert shortened(names, digests, 60, may_go) == ["user_type"]
