"""What the operating system refuses has a code of its own, changes nothing, and is neither damage nor a mistake of the program."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.full_disk import DISK_REFUSALS, too_little_room
from tests.support.outputs import closed, full_output, reader_gone
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.cli.main import COMMANDS, main

RUN = "import sys; from verifier.cli.main import main; sys.exit(main())"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealWorkstation:
    """A workstation with an installed borrow; the commands run beside its home, where files of each kind lie."""
    medium = tmp_path / "medium"
    medium.mkdir()
    here = make_workstation(tmp_path / "home", begins=int(os.stat(tmp_path).st_mtime))
    for kind, data in (
        ("trust", here.chain.trust_file()),
        ("borrow", here.chain.borrow_file()),
        ("status", here.chain.status_file()),
    ):
        (medium / f"good.{kind}").write_bytes(data)
    monkeypatch.chdir(medium)
    monkeypatch.setenv("CARNET_HOME", str(here.home))
    return here


# A call of each command that ends well.
CALLS: dict[str, list[str]] = {
    "identity": ["identity"],
    "alias": ["alias", "Field laptop"],
    "trust": ["trust", "good.trust"],
    "request": ["request", "arcgis-pro", "-o", "out.request"],
    "install": ["install", "good.borrow"],
    "check": ["check", "arcgis-pro"],
    "status": ["status"],
    "return": ["return", "arcgis-pro", "-o", "out.return"],
    "clock": ["clock"],
    "authority": ["authority"],
    "verify": ["verify", "good.borrow", "--trust", "good.trust"],
    "inspect": ["inspect", "good.borrow"],
}
WRITES = ("alias", "return", "install")
# They are called where there is an authority to talk to: tests/connected.
WITH_A_LINE = {"sign-in", "sign-out", "start", "borrow", "check-in"}
# Where there is a screen: tests/test_window.py.
WITH_A_SCREEN = {"window"}


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_every_command_is_called_here() -> None:
    assert CALLS.keys() | WITH_A_LINE | WITH_A_SCREEN == COMMANDS.keys()


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["people", "json"])
@pytest.mark.parametrize("name", CALLS)
def test_a_reader_that_has_gone_ends_a_command_quietly(
    here: RealWorkstation, name: str, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with reader_gone("stdout"):
        assert main([*flags, *CALLS[name]]) == 141
    assert "[" not in capsys.readouterr().err


def test_a_reader_of_what_is_wrong_may_go_too(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    with reader_gone("stderr"):
        assert main(["check", "arcgis-allsource"]) == 141
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["people", "json"])
@pytest.mark.parametrize("name", CALLS)
def test_an_output_without_room_is_told_as_such(
    here: RealWorkstation, name: str, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with full_output():
        assert main([*flags, *CALLS[name]]) == 3
    assert "[output-not-written]" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["check", "--help"]], ids=" ".join)
def test_help_is_an_output_like_any_other(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Written at once, as PYTHONUNBUFFERED has it, so that argparse itself meets the disk without room."""
    with closed("stdout"), pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    with full_output():
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
        assert main(words) == 3
    assert capsys.readouterr().err.count("[output-not-written]") == 1


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["check", "--help"], ["status"], ["nothing"]], ids=lambda words: words[0]
)
@pytest.mark.parametrize("unbuffered", [True, False], ids=["unbuffered", "buffered"])
def test_a_closed_pipe_leaves_no_word_of_python(here: RealWorkstation, arguments: list[str], *, unbuffered: bool) -> None:
    """The whole process, its end included, where Python writes what is left in its buffers."""
    read, write = os.pipe()
    os.close(read)
    environment = os.environ | ({"PYTHONUNBUFFERED": "1"} if unbuffered else {})
    process = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, env=environment, check=False
    )
    os.close(write)
    assert process.returncode == (2 if arguments == ["nothing"] else 141), process
    assert "Error" not in process.stderr
    assert "Traceback" not in process.stderr


def test_a_closed_output_is_no_reason_to_stop(here: RealWorkstation) -> None:
    command = ["bash", "-c", '"$@" >&- 2>&-', "-", sys.executable, "-c", RUN, "check", "arcgis-pro"]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("name", [*WRITES, "request"])
def test_a_full_disk_is_told_as_such_and_changes_nothing(here: RealWorkstation, name: str) -> None:
    before = here.snapshot(), sorted(os.listdir())
    command = [sys.executable, "-c", RUN, "--json", *CALLS[name]]
    process = subprocess.run(command, capture_output=True, text=True, preexec_fn=too_little_room, check=False)
    answer = json.loads(process.stdout)
    assert (process.returncode, answer["code"]) == (3, "disk-full"), process
    assert "nothing was changed" in answer["message"]
    assert (here.snapshot(), sorted(os.listdir())) == before
    assert main(["check", "arcgis-pro"]) == 0


def test_a_full_disk_at_the_very_first_command_leaves_no_half_made_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, "--json", "--home", str(tmp_path / "new"), "alias", "x"]
    process = subprocess.run(command, capture_output=True, text=True, preexec_fn=too_little_room, check=False)
    assert json.loads(process.stdout)["code"] == "disk-full"
    assert [path.name for path in (tmp_path / "new").rglob("*") if path.is_file()] == [".lock"]


@pytest.mark.parametrize("name", [*WRITES, "request"])
@pytest.mark.parametrize(("number", "code"), DISK_REFUSALS.values(), ids=DISK_REFUSALS)
def test_what_the_disk_refuses_has_its_code_and_changes_nothing(
    here: RealWorkstation,
    name: str,
    number: int,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = here.snapshot(), sorted(os.listdir())
    real = os.open

    def refusing(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        if flags & os.O_CREAT and str(path).endswith(".new"):
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, mode, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refusing)
        assert main(["--json", *CALLS[name]]) == 3
    answer = printed(capsys)
    assert (answer["code"], answer["ok"]) == (code, False)
    assert os.strerror(number) in answer["message"]
    assert "nothing was changed" in answer["message"]
    assert "install" not in answer["hint"].lower()
    assert (here.snapshot(), sorted(os.listdir())) == before


@pytest.mark.parametrize("name", ["check", "status", "return", "identity", "install", "alias"])
@pytest.mark.parametrize("file", ["organization.trust", "state.json", "machine-key.pem", "borrows/arcgis-pro.borrow"])
@pytest.mark.parametrize(
    ("number", "code"), [(errno.EACCES, "not-permitted"), (errno.EIO, "disk-failed")], ids=["EACCES", "EIO"]
)
def test_a_state_that_cannot_be_read_is_no_damage(
    here: RealWorkstation,
    name: str,
    file: str,
    number: int,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file that is not asked for hinders nobody; one that is, is told by what the operating system says."""
    before, real = here.snapshot(), os.open

    def refusing(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path) == str(here.home / file):
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refusing)
        status = main(["--json", *CALLS[name]])
    answer = printed(capsys)
    licenses = answer.get("licenses", [])
    codes = [item["error"]["code"] for item in licenses if item["error"]] + ([answer["code"]] if "code" in answer else [])
    assert set(codes) <= {code}
    assert status == (3 if codes else 0)
    if codes:
        assert here.snapshot() == before


def test_a_home_that_is_a_file_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    for command in (["identity"], ["check", "arcgis-pro"], ["status"], ["alias", "x"]):
        assert main(["--json", "--home", str(tmp_path / "file"), *command]) == 3
        assert printed(capsys)["code"] == "disk-failed"


def test_a_folder_that_cannot_be_flushed_loses_nothing(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Network shares and some FUSE file systems answer so; the file itself was flushed and renamed before."""
    real = os.fsync
    for number in (errno.EINVAL, errno.ENOTSUP):

        def fsync(descriptor: int, number: int = number) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))
            real(descriptor)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            for name in ("install", "alias", "request", "status"):
                assert main(CALLS[name]) == 0, capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        assert main(CALLS["return"]) == 0
    assert Path("out.return").stat().st_size > 100
    assert main(["--json", "inspect", "out.return"]) == 0


def test_a_folder_that_is_really_broken_is_told(here: RealWorkstation, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    assert main(["alias", "x"]) == 3


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
@pytest.mark.parametrize("name", WRITES)
def test_a_share_without_locks_is_told_as_such(
    here: RealWorkstation, name: str, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    before = here.snapshot()
    monkeypatch.setattr(fcntl, "flock", flock)
    assert main(["--json", *CALLS[name]]) == 3
    answer = printed(capsys)
    assert answer["code"] == "no-locks"
    assert "share without locks" in answer["message"]
    assert here.snapshot() == before
    assert main(["check", "arcgis-pro"]) == 0


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"verify", "inspect"}))
def test_without_a_home_a_folder_has_to_be_named(
    here: RealWorkstation, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CARNET_HOME")
    assert main(["--json", *CALLS[name]]) == 3
    answer = printed(capsys)
    assert answer["code"] == "no-home"
    assert "--home" in answer["hint"]
    assert main([*CALLS[name], "--home", str(here.home)]) == 0


def test_a_receipt_that_cannot_be_written_is_not_lost(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stick is pulled out between the trial and the receipt: the license is given up, and the receipt comes again."""
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        if str(target) == "out.return":
            raise OSError(errno.EIO, os.strerror(errno.EIO), target)
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        assert main(["--json", *CALLS["return"]]) == 3
    answer = printed(capsys)
    assert answer["code"] == "disk-failed"
    assert "given up here already" in answer["message"]
    assert not Path("out.return").exists()
    assert main(CALLS["return"]) == 0
    assert Path("out.return").exists()


@pytest.mark.parametrize("command", ["request", "return"])
def test_an_output_that_is_no_file_is_refused_before_anything_is_done(
    here: RealWorkstation, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file renamed over a device would take its place."""
    Path("link").symlink_to("elsewhere")
    Path("file").write_text("mine")
    Path("link to a file").symlink_to("file")
    os.mkfifo("pipe")
    before = here.snapshot()
    for name in ("link", "link to a file", "pipe", "/dev/null", "/dev/full", ".", "missing/out", "file/out", "x" * 300):
        assert main([command, "arcgis-pro", "-o", name]) == 2, name
    assert here.snapshot() == before
    assert Path("file").read_text() == "mine"
    assert Path("link").is_symlink()
