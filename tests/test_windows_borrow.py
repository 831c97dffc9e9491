"""One borrow from request to return: the authority on this system, and `carnet` on a real Windows Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.screens import display
from tools.kit.build import build
from tools.kit.targets import Target
from tools.windows.__main__ import RUN_BORROW, WindowsPython, set_up, windows

__all__ = ["display"]

AUTHORITY = Path(sys.executable).with_name("carnet-authority")


@dataclass
class Road:
    """A folder that is carried between an authority here and a workstation there."""

    folder: Path
    python: WindowsPython

    def carnet(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """The object that `carnet` prints on Windows."""
        home = windows(self.folder / "laptop")
        ended, output = self.python.answer("-m", "verifier.cli.main", *arguments, "--home", home, "--json")
        assert ended == status, output
        answer: dict[str, Any] = json.loads(output)
        return answer

    def authority(self, *arguments: str) -> dict[str, Any]:
        """The object that `carnet-authority` prints here."""
        command = [str(AUTHORITY), "--home", str(self.folder / "server"), "--json", *arguments]
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert process.returncode == 0, process
        answer: dict[str, Any] = json.loads(process.stdout)
        return answer

    def carried(self, name: str) -> str:
        """What Windows calls a file in the folder."""
        return windows(self.folder / name)


@pytest.fixture
def road(tmp_path: Path) -> Road:
    if RUN_BORROW not in os.environ:
        pytest.skip("asks a real Windows Python: make test-windows")
    return Road(tmp_path, set_up())


def test_a_borrow_goes_from_request_to_return(road: Road) -> None:
    road.authority("init", "--org", "Field Survey")
    road.authority("member", "add", "ada", "--type", "GIS Professional")
    identity = road.carnet("identity")
    assert identity["machine"]["source"] == "windows-machine-guid"
    assert identity["user"]["id"].startswith("sid:S-1-")
    road.carnet("alias", "Vermessung Süd")
    road.carnet("install", windows(road.folder / "server" / "organization.trust"))
    road.carnet("request", "arcgis-pro", "--days", "14", "--member", "ada", "-o", road.carried("trip.request"))
    issued = road.authority("borrow", "issue", str(road.folder / "trip.request"), "-o", str(road.folder / "trip.borrow"))
    borrow = issued["borrow"]
    assert (borrow["member"], borrow["machine"]["alias"], borrow["user"]) == ("ada", "Vermessung Süd", identity["user"])
    road.carnet("install", road.carried("trip.borrow"))
    grant = road.carnet("check", "arcgis-pro", "--level", "Advanced")["grant"]
    assert (grant["member"], grant["borrow_id"], grant["days_left"]) == ("ada", borrow["id"], 14)
    assert road.carnet("status")["licenses"][0]["ok"] is True
    road.carnet("return", "arcgis-pro", "-o", road.carried("trip.return"))
    assert road.carnet("check", "arcgis-pro", status=1)["code"] == "given-up"
    assert road.carnet("install", road.carried("trip.borrow"), status=1)["code"] == "given-up"
    road.authority("borrow", "check-in", str(road.folder / "trip.return"))
    assert road.authority("borrow", "show", borrow["id"])["state"] == "checked-in"


def test_a_borrow_of_this_system_is_not_good_on_windows(road: Road) -> None:
    """One disk and one key, but another machine and another user: the borrow is refused."""
    road.authority("init", "--org", "Field Survey")
    road.authority("member", "add", "ada", "--type", "GIS Professional")
    here = [str(Path(sys.executable).with_name("carnet")), "--home", str(road.folder / "here")]
    trip, answer = str(road.folder / "trip.request"), road.folder / "trip.borrow"
    subprocess.run([*here, "install", str(road.folder / "server" / "organization.trust")], check=True, timeout=60)
    subprocess.run([*here, "request", "arcgis-pro", "--member", "ada", "-o", trip], check=True, timeout=60)
    road.authority("borrow", "issue", trip, "-o", str(answer))
    road.carnet("install", windows(road.folder / "server" / "organization.trust"))
    assert road.carnet("install", windows(answer), status=1)["code"] == "wrong-machine"


def test_the_one_file_of_the_kit_runs_where_no_package_is_installed(road: Road) -> None:
    kit = build(road.folder / "kit", [Target("windows-x86_64", "3.11")])
    home = windows(road.folder / "laptop")
    status, output = road.python.answer("-I", "-S", windows(kit / "carnet.pyz"), "identity", "--json", "--home", home)
    assert status == 0, output
    assert json.loads(output)["machine"]["source"] == "windows-machine-guid"


WINDOW = """
import sys
from tkinter import Tk
from verifier.window.main_window import MainWindow
from verifier.window.pickers import TkPicker
from verifier.workstation.store import Store

root = Tk()
window = MainWindow(root, Store.open(sys.argv[1]), TkPicker())
root.update()
window.edit_alias()
dialog = next(child for child in window.winfo_children() if type(child).__name__ == "EditAlias")
dialog.field.delete(0, "end")
dialog.field.insert(0, "Vermessung 7")
dialog.on_ok()
print(root.tk.call("tk", "windowingsystem"), window.alias.cget("text"), window.text(), sep="|")
"""


def test_the_window_opens_on_windows(road: Road, display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    (road.folder / "window.py").write_text(WINDOW, encoding="utf-8")
    status, output = road.python.answer(windows(road.folder / "window.py"), windows(road.folder / "laptop"))
    assert status == 0, output
    system, alias, message = output.strip().splitlines()[0].split("|")
    assert (system, alias) == ("win32", "Vermessung 7")
    assert message.startswith("This workstation is now known as Vermessung 7.")
