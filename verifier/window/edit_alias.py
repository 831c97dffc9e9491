"""Edit Alias: a name that helps to identify the computer (seed S3)."""

from __future__ import annotations

from collections.abc import Callable
from tkinter import Misc, Widget, ttk

from verifier.window.dialog import Dialog, add_row


class EditAlias(Dialog):
    """One field with the alias. `save` keeps it and returns what is wrong with it, empty when it is kept."""

    def __init__(self, parent: Misc, alias: str, save: Callable[[str], str]) -> None:
        self.alias, self.save = alias, save
        super().__init__(parent, "Edit alias")

    def body(self, frame: ttk.Frame) -> Widget:
        """The field, with its text selected so that typing replaces it."""
        self.field = ttk.Entry(frame, width=40)
        self.field.insert(0, self.alias)
        self.field.select_range(0, "end")
        add_row(frame, 0, "Workstation alias", self.field)
        return self.field

    def accept(self) -> str:
        """Keeps the alias."""
        return self.save(self.field.get())
