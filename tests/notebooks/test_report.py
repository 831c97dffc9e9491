"""The page to hand on holds every notebook, nothing from elsewhere, and texts from logs as texts."""

from __future__ import annotations

import base64
import errno
import os
import re
import subprocess
import sys
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from checkout_log import read
from checkout_log.captions import code
from checkout_log.report import command_line, display, making, notebooks
from checkout_log.report.page import prose, rendered
from tests.support.outputs import closed, encoded_output, full_output, reader_gone
from tests.support.pages import Page, parsed

SCRIPT, MARKUP = "<script>alert(1)</script>", "'><img/src=x/onerror=alert(2)>"
MARKDOWN, FORMULA = "[click](http://evil.example) ![x](http://evil.example/x.png)", "=cmd|' /C calc'!A0"
# What ends the name of a host.
TWO = "  "
LOG = f"""\
 8:00:00 (lmgrd) Server's System Date and Time: Mon Mar 03 2025 08:00:00 CET
 8:00:00 (lmgrd) FlexNet Licensing (v11.19.4) started on srv (linux) (3/3/2025)
 8:00:01 (vendor) Server started on srv for:\tF1
 8:10:00 (vendor) OUT: "{SCRIPT}" {SCRIPT}@{MARKUP}{TWO}
 8:11:00 (vendor) OUT: "F1" {MARKDOWN}@h1{TWO}
 8:12:00 (vendor) DENIED: "F1" {FORMULA}@h2  (Licensed number of users already reached. (-4,342))
 9:10:00 (vendor) IN: "F1" {MARKDOWN}@h1{TWO}
""" + "".join(f"10:{minute:02d}:00 (vendor) TIMESTAMP 3/3/2025\n" for minute in range(3))  # fmt: skip
# Where the library lies, without anything that it needs.
PACKAGES = Path(__file__).parents[2] / "notebooks"
URL = re.compile(r"https?:|//", re.IGNORECASE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """What the command said about a hostile log, and the page."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "debug <b>.log").write_text(LOG, encoding="utf-8")
    process = command("debug <b>.log", "-o", "page.html", "--timezone", "Europe/Berlin", folder=folder)
    return process, folder / "page.html"


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    run = "import sys; from checkout_log.report.command_line import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", run, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=280
    )


def status_of(arguments: list[str]) -> int | str | None:
    """Of the command in this process."""
    try:
        return command_line.main(arguments)
    except SystemExit as ended:
        return ended.code


@pytest.fixture(scope="module")
def page(made: tuple[subprocess.CompletedProcess[str], Path]) -> Page:
    return parsed(made[1].read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_command_writes_the_page_and_says_where(made: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    process, path = made
    assert (process.returncode, process.stdout, process.stderr) == (0, "page.html\n", "")
    assert [entry.name for entry in path.parent.iterdir() if entry.suffix != ".log"] == ["page.html"]


@pytest.mark.slow
def test_every_notebook_is_on_the_page_with_its_finding_first(page: Page) -> None:
    titles = [notebook_title(path) for path in notebooks.paths()]
    assert len(titles) == 5
    assert page.headings == ["Licenses: what the logs say", "Findings", "Contents", "The logs", *titles]
    findings = page.text.split("Contents")[0]
    for title in titles:
        sentence = findings.split(title, 1)[1].strip().splitlines()[0]
        assert sentence.endswith(".")


def notebook_title(path: Path) -> str:
    return str(nbformat.read(path, as_version=4).cells[0].source.splitlines()[0].removeprefix("# "))


@pytest.mark.slow
def test_contents_lead_to_sections_that_are_there(page: Page) -> None:
    links = [value for _, name, value in page.attributes if name == "href"]
    assert links
    assert {link.removeprefix("#") for link in links} <= page.ids


@pytest.mark.slow
def test_nothing_comes_from_elsewhere(page: Page) -> None:
    for tag, name, value in page.attributes:
        is_anchor_or_data = value.startswith(("#", "data:image/png;base64,"))
        assert not URL.search(value) or (tag, name) == ("img", "src"), (tag, name, value[:80])
        assert name not in {"src", "href"} or is_anchor_or_data
    assert not URL.search(page.style)
    assert "url(" not in page.style
    assert "@import" not in page.style


@pytest.mark.slow
def test_nothing_can_run(page: Page) -> None:
    assert page.tags.isdisjoint({"script", "iframe", "object", "embed", "link", "form", "base", "svg", "video", "audio"})
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "style"]


@pytest.mark.slow
def test_the_policy_allows_this_very_style_and_pictures_and_nothing_else(page: Page) -> None:
    policy = next(
        value for tag, name, value in page.attributes if (tag, name) == ("meta", "content") and "default-src" in value
    )
    digest = base64.b64encode(sha256(page.style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.slow
def test_hostile_names_are_on_the_page_as_text(page: Page) -> None:
    assert SCRIPT in page.text
    assert "debug <b>.log" in page.text


@pytest.mark.slow
def test_code_is_hidden_until_it_is_wanted(page: Page) -> None:
    assert "details" in page.tags
    assert not [name for tag, name, _ in page.attributes if (tag, name) == ("details", "open")]


@pytest.mark.slow
def test_pictures_say_what_is_in_them(page: Page) -> None:
    images = sum(1 for tag, name, _ in page.attributes if (tag, name) == ("img", "src"))
    described = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert images == len(described) > 5
    assert all(described)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["missing.log", "-o", "page.html"], 1, "source-not-found"),
        (["notes.txt", "-o", "page.html"], 1, "source-not-recognized"),
        (["notes.txt", "-o", "page.html", "--timezone", "Mars/Olympus"], 1, "question-invalid"),
        (["notes.txt", "-o", "nowhere/page.html"], 1, "report-not-written"),
        (["notes.txt", "-o", "."], 1, "report-not-written"),
        (["notes.txt"], 2, "-o/--output"),
        (["-o", "page.html"], 2, "LOG"),
        (["notes.txt", "-o", "page.html", "--unknown"], 2, "--unknown"),
    ],
)
def test_errors_are_said_in_a_sentence_and_leave_no_page(
    arguments: list[str],
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "notes.txt").write_text("nothing of a log\n")
    monkeypatch.chdir(tmp_path)
    assert status_of(arguments) == status
    assert said in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_the_module_is_the_command(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "checkout_log.command", "missing.log", "-o", "page.html"]
    process = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "source-not-found" in process.stderr


def test_help_names_the_exit_statuses_and_gives_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["--help"]) == 0
    printed = capsys.readouterr().out
    for word in ("examples:", "exit status:", "--timezone", "carnet-report"):
        assert word in printed


def test_what_is_wrong_with_the_command_is_said_before_libraries_are_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from checkout_log.report import command_line\n"
        "try: command_line.main(sys.argv[1:])\n"
        "except (SystemExit, command_line.ReportNotWritten): pass\n"
        "print(*sys.modules)"
    )
    for arguments in (["--help"], ["debug.log"], ["debug.log", "-o", str(tmp_path)]):
        ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        assert {"pandas", "ibis", "IPython", "matplotlib"}.isdisjoint(ended.stdout.split()), arguments


def notebook(path: Path, title: str, code: str) -> Path:
    """A notebook of three cells, the last with this code."""
    cells = [
        new_markdown_cell(f"# {title}"),
        new_code_cell("SOURCES = []\nTIMEZONE = ''", metadata={"tags": ["parameters"]}),
        new_code_cell(code, metadata={"tags": ["finding"]}),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.mark.slow
def test_notebooks_that_fail_say_where_and_the_others_are_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [
        notebook(
            tmp_path / "01-broken.ipynb", "Broken", "wrong = 'no <b>luck</b> with '\nraise ValueError(wrong + SOURCES.timezone)"
        ),
        notebook(tmp_path / "02-works.ipynb", "Works", "from checkout_log.report.display import say\nsay('All is well.')"),
        notebook(tmp_path / "03-unfinished.ipynb", "Unfinished", "for one in range(3)\n    print(one)"),
    ]
    monkeypatch.setattr(notebooks, "paths", lambda: broken)
    (tmp_path / "debug.log").write_text(LOG, encoding="utf-8")
    target = tmp_path / "page.html"
    assert command_line.main([str(tmp_path / "debug.log"), "-o", str(target)]) == 1
    page = parsed(target.read_text(encoding="utf-8"))
    assert page.text.count("This notebook stopped in cell 3") == 2
    assert "ValueError: no <b>luck</b> with UTC" in page.text
    assert "\nraise ValueError(wrong + SOURCES.timezone)\n" in page.text
    assert "SyntaxError: expected ':'" in page.text
    assert "Did not finish: cell 3 failed." in page.text
    assert "All is well." in page.text
    said = capsys.readouterr().err
    assert "01-broken failed in cell 3: ValueError: no <b>luck</b> with UTC, at: raise ValueError" in said
    assert "03-unfinished failed in cell 3" in said


def test_an_older_page_stays_when_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    with pytest.raises(command_line.ReportNotWritten):
        command_line.write_page(target / "below", "new")
    assert target.read_text() == "old"
    command_line.write_page(target, "new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture
def no_notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of a report that has the logs' own table alone, so that it is quickly made; its log has a Polish name."""
    monkeypatch.setattr(notebooks, "paths", list)
    (tmp_path / "Łódź.log").write_text(LOG, encoding="utf-8")
    return [str(tmp_path / "Łódź.log"), "-o", str(tmp_path / "Łódź.html")]


def test_a_reader_that_has_gone_ends_the_command_quietly(
    no_notebooks: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with reader_gone("stdout"):
        assert command_line.main(no_notebooks) == 141
    with reader_gone("stderr"):
        assert command_line.main(["missing.log", *no_notebooks[1:]]) == 141
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "Łódź.html").exists()


def test_an_output_without_room_is_told_as_such(no_notebooks: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with full_output():
        assert command_line.main(no_notebooks) == 1
    assert "[report-not-written]" in capsys.readouterr().err


def test_help_and_version_are_outputs_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("--help", "--version"):
        with full_output():
            assert command_line.main([word]) == 1
        assert "[report-not-written]" in capsys.readouterr().err
        with closed("stdout", "stderr"), pytest.raises(SystemExit) as ended:
            command_line.main([word])
        assert ended.value.code == 0


def test_an_output_that_was_closed_before_is_no_mistake(no_notebooks: list[str], tmp_path: Path) -> None:
    with closed("stdout", "stderr"):
        assert command_line.main(no_notebooks) == 0
    assert (tmp_path / "Łódź.html").exists()


def test_a_device_a_pipe_and_a_link_to_nothing_are_there_and_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("/dev/zero", str(tmp_path / "pipe"), str(tmp_path / "link"), "sqlite:////dev/zero"):
        assert command_line.main([name, "-o", str(tmp_path / "page.html")]) == 1
        assert "[source-unreadable]" in capsys.readouterr().err, name
    (tmp_path / "no.db").write_bytes(b"no database" * 100)
    assert command_line.main([f"sqlite:///{tmp_path / 'no.db'}", "-o", str(tmp_path / "page.html")]) == 1
    error = capsys.readouterr().err
    assert "file is not a database" in error
    assert "Error" not in error


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_the_output_cannot_show_is_shown_by_its_code(no_notebooks: list[str], encoding: str) -> None:
    with encoded_output(encoding) as printed:
        assert command_line.main(no_notebooks) == 0
    assert b"d\\u017a.html" in printed.getvalue() or encoding == "utf-8"


def test_a_log_that_may_not_be_read_is_told_as_such(
    no_notebooks: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def is_file(_: Path) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "is_file", is_file)
    assert command_line.main(no_notebooks) == 1
    assert "[source-unreadable]" in capsys.readouterr().err


def test_a_disk_that_fails_on_the_way_is_no_mistake_of_the_program(
    no_notebooks: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events that do not fit in memory wait in a temporary folder, for one."""

    def read(*_: str, **__: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "events.parquet")

    monkeypatch.setattr(making, "read", read)
    assert command_line.main(no_notebooks) == 1
    said = capsys.readouterr().err
    assert "[disk-failed]" in said
    assert "No space left" in said


@pytest.mark.parametrize(
    "name", [SCRIPT, MARKUP, MARKDOWN, "`x` ``y``", "a\n# b\n\n- c", "<javascript:alert(1)>", "\u202eevil", "", "|"]
)
def test_a_name_in_a_sentence_stays_a_name(name: str) -> None:
    page = parsed(str(prose(f"The user {code(name)} holds it.")))
    assert page.tags == {"p", "code"}
    assert page.text.startswith("The user ")
    assert page.text.strip().endswith("holds it.")


@pytest.mark.parametrize(
    "text", [SCRIPT, MARKUP, MARKDOWN, "<http://evil.example>", "<b>x</b>", "[a]: http://evil.example\n[a]"]
)
def test_markdown_makes_no_links_pictures_or_html(text: str) -> None:
    page = parsed(str(prose(text)))
    assert page.tags <= {"p", "em", "strong", "code"}
    assert not page.attributes


def test_a_picture_that_is_none_and_html_of_an_output_stay_out(tmp_path: Path) -> None:
    outputs = [
        {"image/png": '"><script>alert(1)</script>'},
        {"text/html": SCRIPT, "text/plain": "plain <i>"},
        {display.TABLE: {"schema": {"fields": [{"name": MARKUP, "type": "string"}]}, "data": [{MARKUP: SCRIPT}], "rows": 3}},
    ]
    cell = new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", data) for data in outputs])
    run = notebooks.Run("01-x", (new_markdown_cell("# X"), cell), None)
    page = parsed(rendered([run], quality_of(tmp_path), timezone="UTC", made_at="now"))
    assert page.tags.isdisjoint({"script", "i"})
    assert not [name for _, name, _ in page.attributes if name == "onerror"]
    assert "plain <i>" in page.text
    assert "1 of 3 rows" in page.text
    assert SCRIPT in page.text


def quality_of(folder: Path) -> pd.DataFrame:
    (folder / "debug.log").write_text(LOG, encoding="utf-8")
    return read(folder / "debug.log").quality()


def test_the_parser_of_these_tests_sees_what_a_browser_would() -> None:
    page = parsed('<p onclick="x">a<script src="http://x">b</script></p>')
    assert isinstance(page, HTMLParser)
    assert ("p", "onclick", "x") in page.attributes
    assert "script" in page.tags


def test_where_only_the_verifier_is_installed_it_says_what_is_missing() -> None:
    program = f"import sys; sys.path.insert(0, {str(PACKAGES)!r}); from checkout_log.command import main; main()"
    command = [sys.executable, "-S", "-c", program, "debug.log", "-o", "page.html"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert re.fullmatch(r"carnet-report needs \w+: pip install 'carnet\[notebooks\]'\n", ended.stderr)
