"""The two ways of a license: with a line to the authority at once, or by a file that somebody carries."""

from __future__ import annotations

from tkinter import Misc, ttk

from verifier.window.line import Line


class Ways(ttk.Frame):
    """Two radio buttons, the line first; without a line to choose there is one way, and nothing to be seen."""

    def __init__(self, parent: Misc, line: Line, carried: str) -> None:
        super().__init__(parent)
        self.buttons = []
        if line.is_open:
            for row, text in enumerate((f"now, at {line.url} as {line.username}", carried)):
                button = ttk.Radiobutton(self, text=text, value=row)
                button.grid(row=row, sticky="w")
                self.buttons.append(button)
            self.buttons[0].invoke()

    @property
    def by_line(self) -> bool:
        """Whether the authority is to be asked at once."""
        return any(button.instate(["selected"]) for button in self.buttons[:1])
