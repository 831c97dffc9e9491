"""The window on a real screen: everything of seed S3 is shown, and everything is done with the keyboard alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tkinter import Misc, Tk

import pytest

from tests.connected.conftest import PASSWORD, RunningServer, serve
from tests.support.chains import DAY, HOUR, START
from tests.support.clock_resets import reset_file, use_a_year_ahead
from tests.support.machine_clock import MachineClock
from tests.support.real_workstation import RealWorkstation, make_workstation
from tests.support.screens import display
from tools import screen
from verifier import online
from verifier.cli.main import main
from verifier.connected import choosing
from verifier.core import files
from verifier.errors import every_error
from verifier.window import actions, words
from verifier.window.dialog import Dialog
from verifier.window.main_window import BUTTONS, EDIT, SIGN_IN, MainWindow
from verifier.workstation import intake, licensing, sign_ins
from verifier.workstation.places import WrongPlace
from verifier.workstation.store import Store

__all__ = ["display"]


@dataclass
class Choosing:
    """Somebody who chooses files as they were told before; `asked` are the names that were suggested."""

    folder_: Path
    open: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    save: str | None = ""

    def files(self, parent: Misc) -> list[str]:
        return self.open

    def folder(self, parent: Misc) -> str:
        return self.open[0] if self.open else ""

    def save_as(self, parent: Misc, suggestion: str) -> str:
        self.asked.append(suggestion)
        return str(self.folder_ / suggestion) if self.save == "" else self.save or ""


@dataclass
class Desk:
    """The window of a workstation, and the keys of its keyboard."""

    here: RealWorkstation
    window: MainWindow
    choosing: Choosing
    display: str

    def press(self, *keys: str) -> None:
        screen.press(self.display, *keys)
        self.wait()

    def write(self, text: str) -> None:
        screen.write(self.display, text)
        self.wait()

    def wait(self) -> None:
        """Until everything that came is done; a key comes by way of the X server."""
        for _ in range(3):
            self.window.update()
            time.sleep(0.01)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Lets the window work until something is so; a busy machine takes its time."""
        end = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < end, f"this did not become so; the window says: {self.window.text()}"
            self.wait()

    def dialog(self) -> Dialog | None:
        """The dialog that is open."""
        return next((child for child in self.window.winfo_children() if isinstance(child, Dialog)), None)

    def rows(self) -> dict[str, str]:
        table = self.window.table
        return {
            str(table.item(row, "text")): str(table.item(row, "values")[0])
            for parent in table.get_children()
            for row in table.get_children(parent)
        }


@pytest.fixture(scope="module")
def root(display: str) -> Iterator[Tk]:
    """One Tk for the file: making another takes as long as a test."""
    root = Tk(screenName=display)
    yield root
    root.destroy()


@pytest.fixture
def open_desk(root: Tk, display: str, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Opens the window of a workstation of an hour ago; with a license, unless told otherwise."""
    windows = []

    def make(*, installed: bool = True) -> Desk:
        here = make_workstation(tmp_path / "home", int(time.time()) - HOUR, installed=installed)
        choosing = Choosing(tmp_path)
        window = MainWindow(root, here.store, choosing)
        windows.append(window)
        desk = Desk(here, window, choosing, display)
        desk.until(lambda: window.focus_get() is window.buttons["edit_alias"])
        return desk

    yield make
    for window in windows:
        window.destroy()


def test_the_window_shows_everything_of_s3(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    window = desk.window
    assert window.authority.cget("text").startswith("◆ Field Survey (field-survey)\nroot key " + desk.here.chain.root.kid)
    assert desk.rows() == {
        "Basic": "No",
        "Standard": "Yes",
        "Advanced": "No",
        "3DAnalyst": "Yes",
        "SpatialAnalyst": "No",
    }
    assert ", 7 days left, borrowed by ada" in window.until.cget("text")
    assert "1 hour old" in window.status.cget("text")
    assert window.text() == "All is well."


def test_a_license_that_is_not_good_has_no_yes(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.here.chain.set_status(1, seq=2)
    desk.here.install(desk.here.chain.status_file(), int(time.time()))
    desk.window.refresh()
    assert set(desk.rows().values()) == {"No"}


def test_tab_comes_to_everything_and_round(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    first = widget = desk.window.buttons["edit_alias"]
    reached: list[Misc] = [first]
    while True:
        desk.press("Tab")
        widget = desk.window.focus_get()  # type: ignore[assignment]
        if widget is first:
            break
        assert widget not in reached
        reached.append(widget)
    below = [desk.window.buttons[method] for _, _, method in BUTTONS]
    wanted = [desk.window.products, desk.window.table, desk.window.notices, *below]
    assert reached == [first, *wanted]
    desk.press("shift+Tab", "shift+Tab")
    assert desk.window.focus_get() is desk.window.buttons["refresh"]


def test_the_alias_is_edited_with_the_keyboard(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.press("alt+e")
    desk.until(lambda: desk.dialog() is not None)
    desk.press("End", "shift+Home", "BackSpace", "Return")
    dialog = desk.dialog()
    assert dialog is not None
    assert dialog.problem.cget("text").startswith("An alias is printable text of 1 to 64 characters.")
    desk.write("Field laptop 7")
    desk.press("Return")
    desk.until(lambda: desk.dialog() is None)
    assert desk.here.store.state().alias == "Field laptop 7"
    assert desk.window.alias.cget("text") == "Field laptop 7"
    desk.press("alt+e")
    desk.until(lambda: desk.dialog() is not None)
    desk.write("not this")
    desk.press("Escape")
    desk.until(lambda: desk.dialog() is None)
    assert desk.here.store.state().alias == "Field laptop 7"


def test_enter_on_cancel_is_not_ok(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.press("alt+e")
    desk.until(lambda: desk.dialog() is not None)
    desk.write("x")
    desk.press("Tab", "Tab", "Return")
    desk.until(lambda: desk.dialog() is None)
    assert desk.here.store.state().alias is None


def test_a_license_is_taken_offline_installed_and_given_back_with_the_keyboard(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(installed=False)
    desk.here.install(desk.here.chain.authorization_file(), int(time.time()))
    desk.press("F5", "alt+t")
    desk.until(lambda: desk.dialog() is not None)
    desk.press("End", "shift+Home", "BackSpace")
    desk.write("arcgis-pro")
    desk.press("Tab", "Tab")
    desk.write("many")
    desk.press("Return")
    dialog = desk.dialog()
    assert dialog is not None
    assert dialog.problem.cget("text").startswith("Days: write a whole number")
    desk.press("End", "shift+Home", "BackSpace")
    desk.write("14")
    desk.press("Tab")
    desk.write("ada")
    desk.press("Return")
    desk.until(lambda: desk.dialog() is None)
    files.parse((desk.choosing.folder_ / "arcgis-pro.request").read_bytes(), "request")
    assert "Carry it to the administrator" in desk.window.text()

    stick = desk.choosing.folder_ / "stick"
    stick.mkdir()
    (stick / "trip.borrow").write_bytes(desk.here.chain.borrow_file())
    (stick / "broken.borrow").write_bytes(b"{")
    desk.choosing.open = [str(stick)]
    desk.press("alt+f")
    desk.until(lambda: desk.rows().get("Standard") == "Yes")
    text = desk.window.text()
    assert 'Installed: "arcgis-pro" Standard with 3DAnalyst until' in text
    assert "Not installed, broken.borrow: " in text

    desk.press("alt+g")
    desk.until((desk.choosing.folder_ / "arcgis-pro.return").exists)
    assert desk.choosing.asked == ["arcgis-pro.request", "arcgis-pro.return"]
    desk.until(lambda: "arcgis-pro no longer works here" in desk.window.text())
    assert "This machine returned the license" in desk.window.text()
    assert desk.window.until.cget("text") == "given back, borrowed by ada"
    assert main(["check", "arcgis-pro", "--root", desk.here.chain.root.kid, "--home", str(desk.here.home)]) == 1


def test_nothing_is_given_back_before_its_receipt_has_a_place(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    for place, words_ in (
        (None, "All is well."),
        (str(desk.choosing.folder_ / "nowhere" / "x"), "name a file in a folder that is there"),
    ):
        desk.choosing.save = place
        desk.press("alt+g")
        desk.until(lambda words_=words_: words_ in desk.window.text())  # type: ignore[misc]
        assert desk.here.store.state().given_up == {}


def test_a_file_is_installed_and_what_is_wrong_is_told_in_plain_words(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    chain = desk.here.chain
    chain.set_status(1, seq=2)
    path = desk.choosing.folder_ / "a.status"
    path.write_bytes(chain.status_file())
    desk.choosing.open = [str(path)]
    desk.press("alt+i")
    desk.until(lambda: "Installed: the status list with seq 2" in desk.window.text())
    assert "says that the license has ended. Ask the administrator why" in desk.window.text()
    assert "carnet " not in desk.window.text()
    desk.choosing.open = [str(path.with_name("missing"))]
    desk.press("alt+i")
    desk.until(lambda: "missing" in desk.window.text())


def test_of_several_files_one_that_cannot_be_read_hinders_no_other(tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home", int(time.time()), installed=False)
    good, link, long = tmp_path / "trip.borrow", tmp_path / "link.borrow", tmp_path / "long.borrow"
    good.write_bytes(here.chain.borrow_file())
    link.symlink_to(good)
    with long.open("wb") as file:
        file.truncate(3 << 20)
    text = actions.take_in(here.store, [str(link), str(long), str(tmp_path / "gone.borrow"), str(good)])
    assert [line.split(":")[0] for line in text] == [
        "Installed",
        *[f"Not installed, {name}.borrow" for name in ("link", "long", "gone")],
    ]
    for unread in (intake.read_named(str(long)), intake.look_into(tmp_path)[0][1]):
        assert unread.error is not None
        assert (unread.data, unread.error.__traceback__) == (b"", None)
    with pytest.raises(WrongPlace):
        actions.take_in(here.store, [str(tmp_path / "gone.borrow")])


def test_without_trust_the_window_says_what_to_do_and_still_works(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.window.store = Store(desk.choosing.folder_ / "new")
    desk.press("F5")
    desk.until(lambda: "Install the trust file of your organization." in desk.window.text())
    assert desk.window.authority.cget("text") == "none yet"
    assert desk.rows() == {}
    assert desk.window.buttons["give_back"].instate(["disabled"])
    desk.press("alt+g")
    assert desk.choosing.asked == []
    assert actions.choices(desk.window.store) == []


def test_the_end_is_warned_of(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(installed=False)
    chain = desk.here.chain
    chain.borrow["exp"] = chain.borrow["iat"] + 100 * 60
    chain.status_list["warn_before"] = 30 * DAY
    desk.here.install(chain.borrow_file(), int(time.time()))
    desk.press("F5")
    desk.until(lambda: "minutes left; to renew it, which needs no return, borrow it again, or" in desk.window.text())
    assert "carnet " not in desk.window.text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    for server in serve(tmp_path_factory.mktemp("authority") / "one"):
        server.member("ada")
        yield server


@pytest.fixture
def connected(open_desk: Callable[..., Desk], server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The window of a workstation whose licensing authority is set, and nobody is signed in."""
    monkeypatch.setattr(online, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sign_ins, "_keyring", lambda: None)
    desk = open_desk(installed=False)
    desk.window.store = Store(desk.choosing.folder_ / "laptop")
    choosing.choose(desk.window.store, choosing.offer(server.url))
    desk.press("F5")
    desk.until(lambda: desk.window.buttons["sign"].instate(["!disabled"]))
    server.requests.clear()
    yield desk
    server.gate.set()


def sign_in(desk: Desk, password: str = PASSWORD) -> None:
    desk.press("alt+s")
    desk.until(lambda: desk.dialog() is not None)
    desk.write("ada")
    desk.press("Tab")
    desk.write(password)
    desk.press("Return")


def problem_of(desk: Desk) -> str:
    """What the dialog that is open says is wrong, when it says so."""
    dialog = desk.dialog()
    assert dialog is not None
    desk.until(lambda: bool(dialog.problem.cget("text")))
    return str(dialog.problem.cget("text"))


def test_with_a_line_a_license_is_taken_offline_and_given_back_with_the_keyboard(
    connected: Desk, server: RunningServer, capfd: pytest.CaptureFixture[str]
) -> None:
    desk, window = connected, connected.window
    assert window.authority.cget("text").endswith(f"{server.url}, nobody is signed in")
    sign_in(desk, "not the password")
    assert "user name or password" in problem_of(desk)
    assert desk.window.root.focus_get() is desk.dialog().password  # type: ignore[union-attr]
    desk.write(PASSWORD)
    desk.press("Return")
    desk.until(lambda: desk.dialog() is None)
    assert "Signed in as ada. It is remembered until you sign out" in window.text()
    assert window.authority.cget("text").endswith(f"{server.url}, signed in as ada")

    desk.press("alt+t")
    desk.until(lambda: desk.dialog() is not None)
    desk.write("arcgis-pro")
    desk.press("Tab", "Tab")
    desk.write("3")
    desk.press("Return")
    desk.until(lambda: desk.dialog() is None)
    assert 'Taken offline: "arcgis-pro" Advanced' in window.text()
    assert ", 3 days left, borrowed by ada" in window.until.cget("text")
    assert main(["check", "arcgis-pro", "--root", server.root, "--home", str(window.store.home)]) == 0

    desk.press("alt+g")
    desk.until(lambda: desk.dialog() is not None)
    desk.press("Return")
    desk.until(lambda: desk.dialog() is None)
    assert "arcgis-pro is given back: it no longer works here, and its seat is free." in window.text()
    assert server.requests[-2:][1] == "POST /api/v1/check-ins"
    assert desk.choosing.asked == []
    desk.press("alt+s")
    desk.until(lambda: "Signed out." in window.text())
    assert licensing.read(window.store).username is None
    for path in window.store.home.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path
    assert PASSWORD not in "".join(capfd.readouterr())


def test_the_window_goes_on_while_the_authority_takes_its_time(connected: Desk, server: RunningServer) -> None:
    desk, window = connected, connected.window
    server.gate.clear()
    sign_in(desk)
    desk.until(lambda: bool(server.requests))
    dialog = desk.dialog()
    assert dialog is not None
    assert dialog.ok.instate(["disabled"])
    assert window.text() == f"Asking {server.url} …"
    assert {method for method, button in window.buttons.items() if button.instate(["!disabled"])} == {"close"}
    # A second Enter asks nothing twice; Escape leaves the dialog, and what comes is told in the window.
    desk.press("Return", "Escape")
    desk.until(lambda: desk.dialog() is None)
    server.gate.set()
    desk.until(lambda: "Signed in as ada" in window.text())
    assert server.requests.count("POST /api/v1/sign-in") == 1
    assert window.buttons["take_offline"].instate(["!disabled"])
    # Whoever closes the window while it asks is told nothing, and nothing breaks.
    server.gate.clear()
    desk.press("alt+s")
    window.destroy()
    server.gate.set()


def test_without_a_line_it_is_said_what_to_do_and_the_same_again_is_the_same_request(
    connected: Desk, server: RunningServer
) -> None:
    desk, window = connected, connected.window
    sign_in(desk)
    desk.until(lambda: desk.dialog() is None)
    server.to_lose = online.TRIES
    desk.press("alt+t")
    desk.until(lambda: desk.dialog() is not None)
    desk.write("arcgis-pro")
    desk.press("Return")
    problem = problem_of(desk)
    assert "Do the same again when there is a line: it is the same request, and takes no second seat." in problem
    assert "carnet " not in problem
    asked = licensing.read(window.store).pending["arcgis-pro"].request
    assert asked
    desk.press("Return")
    desk.until(lambda: desk.dialog() is None)
    assert desk.rows()["Advanced"] == "Yes"
    # The second way is there as well: a receipt that is carried.
    desk.press("alt+g")
    desk.until(lambda: desk.dialog() is not None)
    desk.press("Down", "space", "Return")
    desk.until(lambda: desk.dialog() is None)
    files.parse((desk.choosing.folder_ / "arcgis-pro.return").read_bytes(), "return")
    # And a request that is carried names who is signed in.
    desk.press("alt+t")
    desk.until(lambda: desk.dialog() is not None)
    desk.press("Tab", "Tab", "Tab", "Down", "space", "Return")
    desk.until(lambda: desk.dialog() is None)
    files.parse((desk.choosing.folder_ / "arcgis-pro.request").read_bytes(), "request")


def test_a_refusal_of_the_authority_is_told_in_its_words_and_signing_in_anew_is_named(
    connected: Desk, server: RunningServer
) -> None:
    desk, window = connected, connected.window
    sign_in(desk)
    desk.until(lambda: desk.dialog() is None)
    desk.press("alt+t")
    desk.until(lambda: desk.dialog() is not None)
    desk.write("no-such-product")
    desk.press("Return")
    assert "no-such-product" in problem_of(desk)
    desk.press("Escape")
    licensing.forget_sign_in(window.store, server.url)
    desk.press("alt+t")
    desk.until(lambda: desk.dialog() is not None)
    desk.write("arcgis-pro")
    desk.press("Return")
    assert problem_of(desk).endswith("Choose Sign in, with your user name and password.")
    desk.press("Escape")


def test_a_clock_in_doubt_shows_the_code_for_a_reset_and_takes_its_file(
    open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(installed=False)
    clock = MachineClock(monkeypatch, START)
    here = make_workstation(desk.choosing.folder_ / "laptop", installed=False)
    use_a_year_ahead(here, clock)
    desk.window.store = here.store
    desk.press("F5")
    desk.until(lambda: "this code for a reset of the clock: " in desk.window.text())
    code = desk.window.text().partition("this code for a reset of the clock: ")[2].split()[0]
    reset = desk.choosing.folder_ / "trip.clock"
    reset.write_bytes(reset_file(here, code))
    desk.choosing.open = [str(reset)]
    desk.press("alt+i")
    desk.until(lambda: "Installed: the clock reset of" in desk.window.text())
    assert "code for a reset" not in desk.window.text()
    assert desk.rows()["Standard"] == "Yes"


def test_a_mistake_in_the_program_leaves_the_dialog_to_try_again(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = connected
    reports: list[object] = []
    monkeypatch.setattr(desk.window.root, "report_callback_exception", lambda *error: reports.append(error[1]))
    monkeypatch.setattr(choosing, "sign_in", _breaks)
    sign_in(desk)
    assert problem_of(desk) == words.MISTAKE
    assert [str(report) for report in reports] == ["a mistake"]
    assert desk.dialog().ok.instate(["!disabled"])  # type: ignore[union-attr]


def _breaks(*_: object) -> tuple[str, str]:
    raise AssertionError("a mistake")


def test_no_sentence_of_the_window_has_a_command_in_it() -> None:
    for error in every_error():
        text = words.refusal(error("something is so"))
        assert not any(word in text for word in ("carnet ", "carnet-authority", "--")), text
        assert text.startswith("Something is so. ")
        assert text.endswith(".")


def test_where_the_system_knows_no_local_time_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.local_time(253_402_300_799) in ("9999-12-31 23:59", "9999-12-31T23:59:59Z (UTC)")
    monkeypatch.setattr(words, "timedelta", _fails)
    assert words.local_time(0) == "1970-01-01T00:00:00Z (UTC)"


def _fails(**_: int) -> None:
    raise OverflowError


def test_without_tk_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "verifier.window.start", None)
    assert main(["window"]) == 2
    assert "sudo apt install python3-tk" in capsys.readouterr().err


def test_without_a_screen_the_commands_are_named(tmp_path: Path) -> None:
    """In a process of its own: a Tk that once had a screen keeps it."""
    environment = {"PATH": "/usr/bin:/bin", "CARNET_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "verifier.command", "window"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "no window can be shown here" in done.stderr
    assert "the commands do the same without" in done.stderr


def test_the_command_shows_the_window_until_it_is_closed(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    shown: list[object] = []

    def close(window: Tk, _: int = 0) -> None:
        shown.append(window.title())
        window.destroy()

    monkeypatch.setattr(Tk, "mainloop", close)
    assert main(["window", "--home", str(tmp_path)]) == 0
    assert shown == ["Carnet licenses"]


def test_every_button_has_a_letter_of_its_own() -> None:
    letters = [label[letter].lower() for label, letter, _ in (SIGN_IN, EDIT, *BUTTONS)]
    assert len(set(letters)) == len(letters)
