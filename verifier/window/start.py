"""Opens the window and waits until it is closed."""

from __future__ import annotations

from tkinter import TclError, Tk

from verifier.window.main_window import MainWindow
from verifier.window.pickers import TkPicker
from verifier.workstation.store import Store


class NoScreen(Exception):
    """There is no screen to show a window on; the sentence is the system's."""


def show(store: Store) -> None:
    """Shows the window until it is closed. Raises NoScreen."""
    try:
        root = Tk(className="Carnet")
    except TclError as error:
        raise NoScreen(str(error)) from error
    MainWindow(root, store, TkPicker())
    root.mainloop()
