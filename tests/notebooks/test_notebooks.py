"""Notebooks run from top to bottom, hold a story and no program, and are kept with what they showed."""

from __future__ import annotations

import ast
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from checkout_log.report import notebooks, running
from checkout_log.report.display import TABLE
from tools import gallery, report_pictures

NAMES = (
    "01-stuck-licenses",
    "02-usage-patterns",
    "03-denials-and-enough-seats",
    "04-offline-borrows",
    "05-flexnet-site",
)
# With these seeds the thresholds were set, so that they prove nothing.
TUNED = range(1, 6)
LARGEST, FEWEST_CELLS, MOST_CELLS = 1_000_000, 15, 30
# Enough for every story in it, and small.
SMALL: dict[str, object] = {"SEED": 7, "DAYS": 245, "SIZE": 0.35}
A_PATH = re.compile(r"/(tmp|home|root|Users|work|private)/|[A-Z]:\\\\")


@cache
def stored_notebooks() -> dict[str, Any]:
    return {path.stem: nbformat.read(path, as_version=4) for path in notebooks.paths()}


def path_of(name: str) -> Path:
    return next(path for path in notebooks.paths() if path.stem == name)


def code_of(name: str) -> list[Any]:
    return [cell for cell in stored_notebooks()[name].cells if cell.cell_type == "code"]


def test_the_five_notebooks_are_found_in_order() -> None:
    assert tuple(stored_notebooks()) == NAMES


def test_no_notebook_fetches_all_events_or_sessions() -> None:
    """Of a log of 500 MB that would be gigabytes."""
    code = "\n".join(cell.source for path in notebooks.paths() for cell in notebooks.cells(path) if cell.kind == "code")
    assert not re.findall(r"\.(?:sessions|events)\(", code)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_not_long(name: str) -> None:
    nbformat.validate(stored_notebooks()[name])
    assert FEWEST_CELLS <= len(stored_notebooks()[name].cells) <= MOST_CELLS


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_with_a_title_and_a_question(name: str) -> None:
    first = stored_notebooks()[name].cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "**Question.**" in first.source


@pytest.mark.parametrize("name", NAMES)
def test_parameters_come_first_and_are_plain_values(name: str) -> None:
    first, *others = code_of(name)
    assert first.metadata.tags == ["parameters"]
    assert all("parameters" not in cell.metadata.get("tags", ()) for cell in others)
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(first.source).body}
    assert values["SOURCES"] == []
    assert values["TIMEZONE"] == "UTC"
    assert values["SEED"] not in TUNED


@pytest.mark.parametrize("name", NAMES)
def test_cells_define_no_functions(name: str) -> None:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    for cell in code_of(name):
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, defined)]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_kept_as_it_ran_from_top_to_bottom(name: str) -> None:
    assert [cell.execution_count for cell in code_of(name)] == list(range(1, len(code_of(name)) + 1))
    outputs = [output for cell in code_of(name) for output in cell.outputs]
    assert outputs
    assert {output.output_type for output in outputs} == {"display_data"}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_knows_nothing_of_the_machine_it_ran_on(name: str) -> None:
    text = path_of(name).read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    without_pictures = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not A_PATH.search(without_pictures)
    assert "papermill" not in stored_notebooks()[name].metadata
    assert not [cell for cell in stored_notebooks()[name].cells if "papermill" in cell.metadata or "execution" in cell.metadata]


@pytest.mark.parametrize("name", NAMES)
def test_pictures_say_in_words_what_is_in_them(name: str) -> None:
    pictures = [output for cell in code_of(name) for output in cell.outputs if "image/png" in output.data]
    assert pictures
    assert all(output.metadata["image/png"]["alt"].endswith((".", ".*")) for output in pictures)


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_with_one_finding_and_with_checks(name: str) -> None:
    last = code_of(name)[-1]
    assert all(isinstance(node, ast.Assert | ast.Assign) for node in ast.parse(last.source).body)
    cells = [cell for cell in code_of(name) if notebooks.FINDING in cell.metadata.get("tags", ())]
    (finding,) = [output.data["text/markdown"] for cell in cells for output in cell.outputs]
    assert re.fullmatch(r"[A-Z\d`].*\.", finding)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES[1:])
def test_it_runs_on_a_small_organization(name: str) -> None:
    ran(name, SMALL)


def ran(name: str, parameters: dict[str, object]) -> notebooks.Run:
    """What the notebook showed, which ran to its end."""
    run = running.run(path_of(name), parameters)
    assert run.failure is None
    assert len(run.findings) == 1
    return run


@pytest.mark.slow
def test_idle_sessions_that_a_real_server_took_back_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = os.environ.get("CARNET_LOG_CORPUS")
    if corpus is None:
        pytest.skip("CARNET_LOG_CORPUS names no folder with real logs")
    log = str(Path(corpus) / "adskflex_borrow_options_2016.log")
    run = ran("01-stuck-licenses", {"SOURCES": [log], "TIMEZONE": "America/Sao_Paulo"})
    shown = [output.data for cell in run.cells for output in cell.outputs]
    said = " ".join(data["text/markdown"] for data in shown if "text/markdown" in data)
    assert "The server took back 248 sessions of 36 users after idle time" in said
    rows = [row for data in shown if TABLE in data for row in data[TABLE]["data"]]
    assert [row["sessions"] for row in rows if row.get("ended_by") == "idle"] == ["248"]


@pytest.mark.slow
def test_the_first_runs_too_and_writes_a_table_for_release_where_it_is_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "release.csv"
    ran(NAMES[0], SMALL | {"RELEASE_FILE": str(target)})
    header, *rows = target.read_text(encoding="utf-8").splitlines()
    assert header == "cause,product,feature,member,machine,handle,since,due,confidence,evidence,action"
    assert rows


def test_the_gallery_shows_what_the_notebooks_show() -> None:
    """Written anew by `python -m tools.gallery`."""
    for name, content in gallery.pages().items():
        assert (gallery.DOCS / name).read_bytes() == content, name
    text = (gallery.DOCS / "gallery.md").read_text(encoding="utf-8")
    named = re.findall(r"\((pictures/[^)]+)\)", text)
    assert len(named) == len(set(named)) == len(gallery.PICTURES) + 4 * len(report_pictures.PAGES)
    assert all((gallery.DOCS / name).is_file() for name in named)
