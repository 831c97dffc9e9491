"""The pictures of the window in the documentation: a borrow of a sample organization, photographed on a screen of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from tkinter import Tk, Toplevel

from tools.apt import NotHere
from tools.documentation import DOCS
from tools.screen import photograph, screen
from verifier.window import actions
from verifier.window.line import Line
from verifier.window.main_window import MainWindow
from verifier.window.pickers import TkPicker
from verifier.window.sign_in import SignIn
from verifier.window.take_offline import TakeOffline
from verifier.workstation.store import Store

PICTURES = DOCS / "pictures"
BIN = Path(sys.executable).parent


def main() -> int:
    """Writes them; where there is no screen the old ones stay, and that is said."""
    try:
        with screen() as display, tempfile.TemporaryDirectory() as folder:
            _draw(display, Path(folder))
    except NotHere as reason:
        print(f"the pictures of the window were not drawn anew: {reason}")
    return 0


def _draw(display: str, folder: Path) -> None:
    store = _workstation(folder)
    root = Tk(screenName=display)
    window = MainWindow(root, store, TkPicker())
    _photograph(display, root, "window.png")
    line = Line("https://licenses.example.org", "ada")
    dialog = TakeOffline(window, actions.choices(store), "arcgis-pro", line, lambda *_: None, lambda _: "")
    dialog.days.set("14")
    _photograph(display, dialog, "window-take-offline.png")
    dialog.destroy()
    _photograph(display, SignIn(window, str(line.url), lambda *_: None), "window-sign-in.png")
    root.destroy()


def _photograph(display: str, shown: Tk | Toplevel, name: str) -> None:
    shown.update()
    left, top = shown.winfo_rootx(), shown.winfo_rooty()
    photograph(display, PICTURES / name, (left, top, left + shown.winfo_width(), top + shown.winfo_height()))


def _workstation(folder: Path) -> Store:
    """A workstation with the borrow of a sample organization, which ends soon."""
    server, home = str(folder / "server"), str(folder / "home")
    authority = [str(BIN / "carnet-authority"), "--home", server, "--json"]
    carnet = [str(BIN / "carnet"), "--home", home, "--json"]
    request, borrow = str(folder / "trip.request"), str(folder / "trip.borrow")
    made = _run(*authority, "init", "--org", "Field Survey")
    _run(*authority, "member", "add", "ada", "--type", "GIS Professional")
    _run(*carnet, "alias", "Field laptop 7")
    _run(*carnet, "install", made["trust_file"])
    _run(*carnet, "request", "arcgis-pro", "--days", "2", "--member", "ada", "-o", request)
    _run(*authority, "borrow", "issue", request, "-o", borrow)
    _run(*carnet, "install", borrow)
    return Store(Path(home))


def _run(*command: str) -> dict[str, str]:
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, str] = json.loads(process.stdout)
    return answer


if __name__ == "__main__":
    raise SystemExit(main())
