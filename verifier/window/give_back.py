"""Give back: at the authority at once, or by a receipt that somebody carries. Asked where there is a line to choose."""

from __future__ import annotations

from collections.abc import Callable
from tkinter import Misc, Widget, ttk

from verifier.window.dialog import Dialog
from verifier.window.line import Line
from verifier.window.ways import Ways


class GiveBack(Dialog):
    """The way back. `check_in` asks the authority and tells what went wrong; `save` writes the receipt and returns that."""

    def __init__(
        self, parent: Misc, product: str, line: Line, check_in: Callable[[Callable[[str], None]], None], save: Callable[[], str]
    ) -> None:
        self.product, self.line, self.check_in, self.save = product, line, check_in, save
        super().__init__(parent, "Give back")

    def body(self, frame: ttk.Frame) -> Widget:
        """What is given back, and the two ways."""
        text = f"{self.product} will no longer work here."
        ttk.Label(frame, text=text, wraplength=420).grid(row=0, columnspan=2, sticky="w", pady=3)
        self.ways = Ways(frame, self.line, "with a receipt, to be carried to the administrator")
        self.ways.grid(row=1, columnspan=2, sticky="w")
        return self.ways.buttons[0]

    def accept(self) -> str | None:
        """Gives it back in the way that was chosen."""
        if not self.ways.by_line:
            return self.save()
        self.check_in(self.finish)
        return None
