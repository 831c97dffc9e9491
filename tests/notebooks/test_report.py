"""The page to hand on holds every notebook, nothing from elsewhere, and texts from logs as texts."""

from __future__ import annotations

import base64
import contextlib
import errno
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from checkout_log.captions import code
from checkout_log.log import Log
from checkout_log.report import command_line, display, making, notebooks, outputs
from checkout_log.report.page import prose, rendered
from checkout_log.report.summary import Summary
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


@dataclass(frozen=True)
class Made:
    """What the command said about a hostile log, its exit status, and the page."""

    status: int
    out: str
    err: str
    path: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Of this process, in which the libraries are loaded already."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "debug <b>.log").write_text(LOG, encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        for whole in ("events", "sessions"):
            # Of a log of 500 MB they are gigabytes: who asks for all of them fails, and the page with it.
            patch.delattr(Log, whole)
        status = command_line.main(["debug <b>.log", "-o", "page.html", "--timezone", "Europe/Berlin"])
    return Made(status, out.getvalue(), err.getvalue(), folder / "page.html")


def status_of(arguments: list[str]) -> int | str | None:
    """Of the command in this process."""
    try:
        return command_line.main(arguments)
    except SystemExit as ended:
        return ended.code


@pytest.fixture(scope="module")
def page(made: Made) -> Page:
    return parsed(made.path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_command_writes_the_page_and_says_where(made: Made) -> None:
    assert (made.status, made.out, made.err) == (0, "page.html\n", "")
    assert [entry.name for entry in made.path.parent.iterdir() if entry.suffix != ".log"] == ["page.html"]


@pytest.mark.slow
def test_it_begins_with_what_to_do_and_then_has_every_notebook_with_its_finding_first(page: Page) -> None:
    titles = [notebook_title(path) for path in notebooks.paths()]
    assert len(titles) == 5
    first = ["Licenses: what the logs say", "Contents", "What to do", "Features that matter"]
    assert page.headings == [*first, *titles, "The logs"]
    text = page.text.replace("\u00a0", " ").split("What to do\n", 2)[2]
    assert "`" not in text
    assert "F1 of vendor: users were kept waiting once for lack of seats, on 1 user-day, and once got no license" in text
    assert "2 seats, with each use counted, would have met 95 % of these waits" in text
    assert (
        text.index("Where seats are missing") < text.index("What the logs do not tell") < text.index("Features that matter\n")
    )
    sections = text.split("\nFeatures that matter\n", 1)[1]
    for title in titles:
        sentence = sections.split(f"\n{title}\n", 1)[1].strip().splitlines()[0]
        assert sentence.endswith(".")


@pytest.mark.slow
def test_nothing_on_it_is_empty_said_twice_or_for_the_developer(made: Made, page: Page) -> None:
    html = made.path.read_text(encoding="utf-8")
    assert "<tbody>\n</tbody>" not in html
    for words in ("planted", "What must hold", "Nothing was borrowed", "can be released by the authority"):
        assert words not in re.sub("<pre>.*?</pre>", "", html, flags=re.DOTALL)
    sentences = re.findall(r"<p>(.*?)</p>", re.sub("<pre>.*?</pre>", "", html, flags=re.DOTALL))
    of_sections = [re.findall(r"<p>(.*?)</p>", part) for part in html.split("<section")]
    assert sentences
    assert all(len(part) == len(set(part)) for part in of_sections)


@pytest.mark.slow
def test_it_follows_light_and_dark_and_prints_in_ink(page: Page) -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in page.style
    assert "@media print" in page.style
    pictures = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert pictures
    for picture in pictures:
        drawn = base64.b64decode(picture.removeprefix("data:image/svg+xml;base64,")).decode()
        assert "prefers-color-scheme:dark" in drawn
        assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - drawn by the program under test


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
        is_anchor_or_data = value.startswith(("#", "data:image/svg+xml;base64,"))
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
    assert "ValueError: no <b>luck</b> with Europe/Berlin" in page.text
    assert "\nraise ValueError(wrong + SOURCES.timezone)\n" in page.text
    assert "SyntaxError: expected ':'" in page.text
    assert "All is well." in page.text
    said = capsys.readouterr().err
    assert "01-broken failed in cell 3: ValueError: no <b>luck</b> with Europe/Berlin, at: raise ValueError" in said
    assert "03-unfinished failed in cell 3" in said


def test_an_older_page_stays_when_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    with pytest.raises(outputs.ReportNotWritten):
        outputs.write_page(target / "below", "new")
    assert target.read_text() == "old"
    outputs.write_page(target, "new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "debug.log"],
        ["-o", "users.csv", "--group-file", "users.csv"],
        ["-o", "link.html"],
        ["-o", "pipe"],
        ["-o", "new.html", "--tables", "old.xlsx"],
        ["-o", "new.html", "--tables", "debug.log"],
        ["-o", "new.xlsx", "--tables", "new.xlsx"],
        ["*.log", "-o", "new.html", "--tables", "."],
    ],
    ids=" ".join,
)
def test_nothing_but_an_older_page_or_workbook_is_written_over(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebooks, "paths", list)
    texts = {"debug.log": LOG, "users.csv": "ada,Structures\n", "old.xlsx": "no workbook"}
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8")
    os.mkfifo("pipe")
    Path("link.html").symlink_to("debug.log")
    before = sorted(tmp_path.iterdir())
    assert command_line.main(["debug.log", *options]) == 1
    assert "[report-not-written]" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
    assert {name: Path(name).read_text(encoding="utf-8") for name in texts} == texts
    assert Path("link.html").is_symlink()


def test_tables_that_cannot_be_written_are_told_before_anything_is_read_or_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.xlsx").mkdir()
    for target in ("missing/t.xlsx", "missing/tables", "folder.xlsx", "debug.log/t.xlsx"):
        # No log of this name is there: it is not looked for.
        assert command_line.main(["debug.log", "-o", "page.html", "--tables", target]) == 1
        assert f'"{target}" cannot be written [report-not-written]' in capsys.readouterr().err
    Path("debug.log").write_text(LOG, encoding="utf-8")
    # Between the check and the writing the folder may go, or the disk be full.
    monkeypatch.setattr(outputs, "check", lambda *_: None)
    for target in ("missing/t.xlsx", "missing/tables", "folder.xlsx"):
        assert command_line.main(["debug.log", "-o", "page.html", "--tables", target]) == 1
        assert f'"{target}" cannot be written: ' in capsys.readouterr().err
    assert not Path("page.html").exists()


def test_older_pages_and_tables_are_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebooks, "paths", list)
    Path("debug.log").write_text(LOG, encoding="utf-8")
    Path("page.html").touch()
    for tables in ("tables.xlsx", "tables") * 2:
        assert command_line.main(["debug.log", "-o", "page.html", "--tables", tables]) == 0


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


def test_a_picture_that_is_none_and_html_of_an_output_stay_out() -> None:
    field = {"schema": {"fields": [{"name": MARKUP, "type": "string"}]}, "data": [{MARKUP: SCRIPT}], "rows": 3, "first": 20}
    outputs = [
        notebooks.Shown({display.SVG: '"><script>alert(1)</script>'}),
        notebooks.Shown({"text/html": SCRIPT, "text/plain": "plain <i>"}),
        notebooks.Shown({display.TABLE: field}),
    ]
    cells = (notebooks.Cell("markdown", "# X"), notebooks.Cell("code", "1", outputs=outputs))
    page = parsed(rendered([notebooks.Run("01-x", cells, None)], nothing_said(), timezone="UTC", made_at="now"))
    assert page.tags.isdisjoint({"script", "i"})
    assert not [name for _, name, _ in page.attributes if name == "onerror"]
    assert "plain <i>" in page.text
    assert "1 of 3 rows" in page.text
    assert SCRIPT in page.text


def test_rows_that_are_not_shown_at_once_are_behind_a_click_and_long_names_have_a_title() -> None:
    long = "A" * 60
    shown: list[notebooks.Shown] = []
    with display.collected(shown, for_page=True):
        display.table(pd.DataFrame({"name": [long, *map(str, range(399))], "of": 1}))
    cells = (notebooks.Cell("markdown", "# X"), notebooks.Cell("code", "1", outputs=shown))
    html = rendered([notebooks.Run("01-x", cells, None)], nothing_said(), timezone="UTC", made_at="now")
    page = parsed(html)
    assert "280 more rows of 400 in all" in page.text
    assert ("td", "title", long) in page.attributes
    assert html.count("<tr><td") == 300
    # On paper, where nobody can click, it is said what is missing.
    assert "380 more rows are not printed here." in page.text
    on_paper = page.style.split("@media print", 1)[1]
    assert "details:not([open])" in on_paper
    assert "details[open] + .unprinted { display: none; }" in on_paper


def test_a_page_on_which_nothing_is_to_be_done_says_so() -> None:
    page = parsed(rendered([], nothing_said(), timezone="UTC", made_at="now"))
    assert "The logs show nothing that looks stuck" in page.text


def nothing_said() -> Summary:
    empty = pd.DataFrame()
    return Summary("Nothing.", (), empty, "Nothing was in use.", empty, empty)


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
