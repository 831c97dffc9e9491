"""Where files are chosen: the dialogs of Tk, behind a protocol, so that somebody else can choose in their place."""

from __future__ import annotations

from tkinter import Misc, filedialog
from typing import Protocol

KINDS = [("Carnet files", "*.trust *.authorization *.borrow *.status *.clock"), ("All files", "*")]


class Picker(Protocol):
    """Asks a person for files and folders."""

    def files(self, parent: Misc) -> list[str]:
        """The files to install; none when the person thinks better of it."""

    def folder(self, parent: Misc) -> str:
        """The folder to install; empty when the person thinks better of it."""

    def save_as(self, parent: Misc, suggestion: str) -> str:
        """Where to write a file; empty when the person thinks better of it."""


class TkPicker:
    """The dialogs of Tk: those of the system on Windows and macOS."""

    def files(self, parent: Misc) -> list[str]:
        """The files to install."""
        return list(filedialog.askopenfilenames(parent=parent, title="Install files", filetypes=KINDS))

    def folder(self, parent: Misc) -> str:
        """The folder to install."""
        return filedialog.askdirectory(parent=parent, title="Install a folder", mustexist=True)

    def save_as(self, parent: Misc, suggestion: str) -> str:
        """Where to write a file."""
        return filedialog.asksaveasfilename(parent=parent, title="Save", initialfile=suggestion)
