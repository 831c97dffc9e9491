"""Sign in: user name and password at the licensing authority (seed S3)."""

from __future__ import annotations

from collections.abc import Callable
from tkinter import Misc, Widget, ttk

from verifier.window.dialog import Dialog, add_row

# What is shown in the place of each letter of a password.
DOT = "\u2022"


class SignIn(Dialog):
    """Two fields. `sign_in` is given both and where to tell what went wrong, empty when nothing did."""

    def __init__(self, parent: Misc, url: str, sign_in: Callable[[str, str, Callable[[str], None]], None]) -> None:
        self.url, self.sign_in = url, sign_in
        super().__init__(parent, "Sign in")

    def body(self, frame: ttk.Frame) -> Widget:
        """The fields, and whom the password goes to."""
        ttk.Label(frame, text=f"at {self.url}", wraplength=420).grid(row=0, columnspan=2, sticky="w", pady=3)
        self.username = ttk.Entry(frame, width=32)
        add_row(frame, 1, "User name", self.username)
        self.password = ttk.Entry(frame, show=DOT, width=32)
        add_row(frame, 2, "Password", self.password)
        return self.username

    def accept(self) -> str | None:
        """Signs in, when both fields have something."""
        username, password = self.username.get().strip(), self.password.get()
        if not username or not password:
            return "Write your user name and your password."
        self.sign_in(username, password, self.finish)
        return None

    def finish(self, problem: str) -> None:
        """Leaves the password in no field, whatever came of it."""
        if self.winfo_exists():
            self.password.delete(0, "end")
            self.password.focus_set()
        super().finish(problem)
