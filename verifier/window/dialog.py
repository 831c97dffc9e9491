"""A dialog over the window: its fields, OK and Cancel; Enter and Escape do the same, Tab walks through it."""

from __future__ import annotations

from tkinter import Misc, Toplevel, Widget, ttk

PAD = 12


class Dialog(Toplevel):
    """What a dialog has beside its fields. A subclass makes these in `body`, and says in `accept` whether they are good."""

    def __init__(self, parent: Misc, title: str) -> None:
        super().__init__(parent)
        self.title(title)
        self.transient(parent.winfo_toplevel())
        self.resizable(width=False, height=False)
        frame = ttk.Frame(self, padding=PAD)
        frame.grid(sticky="nsew")
        first = self.body(frame)
        self.problem = ttk.Label(frame, wraplength=420, foreground="#a40000")
        self.problem.grid(columnspan=2, sticky="w", pady=(PAD, 0))
        self.bar = ttk.Progressbar(frame, mode="indeterminate")
        self.bar.grid(columnspan=2, sticky="ew")
        self.bar.grid_remove()
        buttons = ttk.Frame(frame)
        buttons.grid(columnspan=2, sticky="e", pady=(PAD, 0))
        self.ok = ttk.Button(buttons, text="OK", command=self.on_ok, default="active")
        self.ok.grid(row=0, column=0, padx=(0, PAD))
        ttk.Button(buttons, text="Cancel", command=self.destroy).grid(row=0, column=1)
        self.bind("<Return>", lambda _: self.on_ok())
        self.bind("<Escape>", lambda _: self.destroy())
        # A window that is not on the screen yet can have neither the keyboard nor the only say.
        self.wait_visibility()
        self.grab_set()
        first.focus_force()

    def body(self, frame: ttk.Frame) -> Widget:
        """Makes the fields in a grid of two columns; returns the one to begin with."""
        raise NotImplementedError

    def accept(self) -> str | None:
        """Does what the dialog is for; returns what is wrong with the fields, empty when it is done.

        None while the authority is asked: then `finish` is called with the answer.
        """
        raise NotImplementedError

    def on_ok(self) -> None:
        """Closes the dialog when all is well, else says what is not; while the authority is asked it stays, and does nothing twice."""
        if self.ok.instate(["disabled"]):
            return
        self.problem.configure(text="")
        problem = self.accept()
        if problem is not None:
            self.finish(problem)
            return
        self.ok.state(["disabled"])
        self.bar.grid()
        self.bar.start()

    def finish(self, problem: str) -> None:
        """Closes the dialog when nothing went wrong, else says what did; nothing when it was closed meanwhile."""
        if not self.winfo_exists():
            return
        self.bar.stop()
        self.bar.grid_remove()
        self.ok.state(["!disabled"])
        self.problem.configure(text=problem)
        if not problem:
            self.destroy()


def add_row(frame: ttk.Frame, row: int, label: str, field: Widget) -> None:
    """Puts a field with its label into a row."""
    ttk.Label(frame, text=label).grid(row=row, column=0, sticky="w", pady=3)
    field.grid(row=row, column=1, sticky="ew", padx=(PAD, 0), pady=3)
