"""A part of a log: some days, some features, the members of some groups. And the tables beside the page."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from checkout_log import denials, read, seats, usage
from checkout_log.errors import NothingLeft
from checkout_log.log import Log
from checkout_log.report import command_line, notebooks, tables

DENIED = "(Licensed number of users already reached. (-4,342))"
# Four days; ann takes two features on each, bob one over two days, and eve is denied on the first and on the third.
LINES = """\
 0:00:00 (lmgrd) TIMESTAMP 3/2/2026
 8:00:00 (v) OUT: "F" ann@pc1  {more}
 8:00:00 (v) OUT: "=G" ann@pc1  {more}
 9:00:00 (v) DENIED: "F" eve@pc3  {denied}
10:00:00 (v) IN: "F" ann@pc1  {more}
10:00:00 (v) IN: "=G" ann@pc1  {more}
"""
OVER_NIGHT = ' 9:00:00 (v) OUT: "F" Bob@pc2  \n'
BACK = ' 7:00:00 (v) IN: "F" Bob@pc2  \n'


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    days = [LINES.replace("3/2/", f"3/{day}/").format(more="", denied=DENIED) for day in (2, 3, 4, 5)]
    days[1] = days[1].replace("10:00:00 (v) IN", OVER_NIGHT + "10:00:00 (v) IN", 1)
    days[2] = days[2].replace(" 8:00:00 (v) OUT", BACK + " 8:00:00 (v) OUT", 1)
    for day in (1, 3):
        days[day] = "".join(line for line in days[day].splitlines(keepends=True) if "DENIED" not in line)
    target = tmp_path_factory.mktemp("parts") / "debug.log"
    target.write_text("".join(days) + "23:00:00 (lmgrd) TIMESTAMP 3/5/2026\n")
    return target


@pytest.fixture(scope="module")
def log(path: Path) -> Log:
    return read(path)


def micros(day: int, hour: int = 0) -> int:
    return int(pd.Timestamp(2026, 3, day, hour, tz="UTC").value) // 1_000


def figures(log: Log) -> tuple[float, int, int, int]:
    """Days that are observed, the highest peak, sessions, denials."""
    peaks = usage.peaks(log)
    days = round(float(peaks["observed_days"].max()), 2) if len(peaks) else 0.0
    return days, int(peaks["peak"].max()) if len(peaks) else 0, len(log.sessions()), int(denials.counts(log)["raw"].sum())


def test_days_features_and_groups_leave_out_the_rest(log: Log) -> None:
    departments = {"ANN": "Structures", "bob": "Pipes"}
    assert figures(log) == (3.96, 2, 9, 2)
    # Bob's session began before and is in use when the part begins.
    assert figures(log.only(since=micros(4))) == (1.96, 1, 5, 1)
    assert figures(log.only(since=micros(4, 8))) == (1.62, 1, 4, 1)
    assert figures(log.only(until=micros(3) - 1)) == (1.0, 1, 2, 1)
    assert figures(log.only(since=micros(3), until=micros(4) - 1)) == (1.0, 2, 3, 0)
    assert figures(log.only(features=["=G"])) == (3.96, 1, 4, 0)
    assert figures(log.only(departments=departments, groups=["Pipes"])) == (3.96, 1, 1, 0)
    by_group = usage.requests(log.only(departments=departments), "group").set_index("group")["requests"]
    assert by_group.to_dict() == {"Structures": 8, "Pipes": 1, pd.NA: 2}
    with pytest.raises(NothingLeft):
        log.only(since=micros(20))


def test_groups_are_known_of_users_whose_names_are_spelled_in_several_ways(tmp_path: Path) -> None:
    (tmp_path / "debug.log").write_text(
        LINES.format(more="", denied=DENIED) + LINES.format(more="", denied=DENIED).replace("ann", "Ann")
    )
    log = read(tmp_path / "debug.log").only(departments={"ann": "Structures"}, groups=["Structures"])
    (spelling,) = set(log.sessions()["member"])
    assert spelling.lower() == "ann"
    assert read(tmp_path / "debug.log").only(departments={"nobody": "Nowhere"}, groups=["Nowhere"]).is_empty


@pytest.fixture
def no_notebooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(notebooks, "paths", list)
    (tmp_path / "groups.csv").write_text("user,group\nann,Structures\n\nbob , Pipes\n")
    (tmp_path / "wrong.csv").write_text("user,group\nann\n")
    (tmp_path / "undated.log").write_text(f' 8:10:00 (v) OUT: "F" ann@pc-1  \n 8:20:00 (v) DENIED: "F" bob@pc-2  {DENIED}\n')
    return tmp_path


# What is asked for, the exit status, and what is said.
ASKED = {
    ("--since", "2026-03-03", "--until", "2026-03-04", "--feature", "F"): (0, ""),
    ("--group-file", "groups.csv", "--group", "Pipes"): (0, ""),
    ("--group", "Structures"): (1, "[nothing-left]"),
    ("--since", "2026-04-01"): (1, "[nothing-left]"),
    ("--feature", "f"): (1, "[nothing-left]"),
    ("--since", "3/2/2026"): (2, "is no day: write it as 2026-03-31"),
    ("--group-file", "wrong.csv"): (1, "[group-file-wrong]"),
    ("--group-file", "none.csv"): (1, "[disk-failed]"),
}


def test_the_command_says_what_is_left_and_what_cannot_be_dated(
    no_notebooks: Path, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(no_notebooks)
    asked = [(str(path), options, *expected) for options, expected in ASKED.items()]
    for name, options, status, said in [*asked, ("undated.log", (), 1, "[nothing-dated]")]:
        try:
            ended: object = command_line.main([name, "-o", "page.html", *options])
        except SystemExit as exit_:
            ended = exit_.code
        assert ended == status, options
        assert said in capsys.readouterr().err, options
        assert Path("page.html").exists() == (status == 0)
        Path("page.html").unlink(missing_ok=True)


def test_tables_are_written_as_a_workbook_or_as_parquet_and_texts_stay_texts(log: Log, tmp_path: Path) -> None:
    tables.write(log, tmp_path / "tables.xlsx")
    with zipfile.ZipFile(tmp_path / "tables.xlsx") as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        texts = book.read("xl/sharedStrings.xml").decode()
        assert len(sheets) == len([*tables.tables(log)])
        assert ">=G<" in texts
        # A cell has no zone, so that its column says it.
        assert ">start (UTC)<" in texts
        assert all(b"<autoFilter" in book.read(name) for name in sheets)
        assert not [name for name in sheets if b"<f>" in book.read(name)]
    tables.write(log, tmp_path / "tables")
    assert len(pd.read_parquet(tmp_path / "tables" / "sessions.parquet")) == len(log.sessions())
    spoken_of = {"seats", "utilization", "options", "day_by_day", "forecast", "shorter_borrows", "backtest"}
    assert spoken_of <= {path.stem for path in (tmp_path / "tables").iterdir()}
    cells = "".join(notebook.read_text(encoding="utf-8") for notebook in notebooks.paths())
    assert f"DAYS_AHEAD = {tables.DAYS_AHEAD}\\n" in cells
    assert f"LONGEST_DAYS = {[*tables.LONGEST_DAYS]}\\n" in cells


SERVER = """\
 0:00:00 (lmgrd) TIMESTAMP 3/2/2026
 8:00:00 (v) OUT: "F" ann@pc1  {more}
 8:30:00 (v) OUT: "F" {second}@pc2  {more}
10:00:00 (v) IN: "F" ann@pc1  {more}
12:00:00 (lmgrd) TIMESTAMP 3/2/2026
"""


def test_servers_that_are_named_do_not_count_together(tmp_path: Path) -> None:
    """Of one vendor daemon at two servers, each has its own peak, its own runs and its own seats; a user is one user at both."""
    berlin, madrid, options = (tmp_path / name for name in ("berlin.log", "madrid.log", "other.opt"))
    berlin.write_text(SERVER.format(second="bob", more=""))
    madrid.write_text(SERVER.format(second="eve", more=""))
    options.write_text("MAX 1 F USER eve\n")
    log = read(servers={"berlin": [berlin], "madrid": [madrid, options]}, cache=tmp_path / "kept")

    assert usage.peaks(log)[["product", "peak"]].to_numpy().tolist() == [["berlin/v", 2], ["madrid/v", 2]]
    assert usage.peaks(read(berlin, madrid))["peak"].tolist() == [3]
    assert sorted(log.sessions()["member"]) == ["ann", "ann", "bob", "eve"]
    assert seats.options(log)[["product", "feature"]].to_numpy().tolist() == [["madrid/v", "F"]]
    logs = log.quality()[log.quality()["events"] > 0]
    assert logs[["server", "products"]].to_numpy().tolist() == [["berlin", "berlin/v"], ["madrid", "madrid/v"]]
    again = read(berlin, servers={"madrid": [madrid]}, cache=tmp_path / "kept")
    assert again.sessions().equals(read(berlin, servers={"madrid": [madrid]}).sessions())
    assert sorted(again.sessions()["product"].unique()) == ["madrid/v", "v"]


@pytest.mark.parametrize(
    "arguments", [["-o", "r.html"], ["--server", "berlin", "-o", "r.html"], ["--server", "=a", "-o", "r.html"]]
)
def test_a_report_of_no_log_is_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(arguments)
    assert stopped.value.code == 2
