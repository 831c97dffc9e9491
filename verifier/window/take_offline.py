"""Take offline: which product, for how many days; at the authority at once, or by a request file that somebody carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from tkinter import Misc, Widget, ttk

from verifier.core.reading import MOST_DAYS
from verifier.window.actions import Choice
from verifier.window.dialog import Dialog, add_row
from verifier.window.line import Line
from verifier.window.ways import Ways
from verifier.workstation.carry import Wish

ASSIGNED = "as assigned to you"


class TakeOffline(Dialog):
    """The fields of a request. `save` writes it where the person says and returns what is wrong, empty when it is written.

    Where there is a line, `borrow` asks the authority, and tells what went wrong.
    """

    def __init__(
        self,
        parent: Misc,
        choices: Sequence[Choice],
        product: str,
        line: Line,
        borrow: Callable[[Wish, Callable[[str], None]], None],
        save: Callable[[Wish], str],
    ) -> None:
        self.line, self.borrow, self.save = line, borrow, save
        self.choices = {choice.product: choice for choice in choices}
        self.usual = product or next(iter(self.choices), "")
        super().__init__(parent, "Take offline")

    def body(self, frame: ttk.Frame) -> Widget:
        """Product, level, days and member; what is left as it is, the administrator's rules decide."""
        longest = max((choice.longest_days for choice in self.choices.values()), default=MOST_DAYS)
        self.product = ttk.Combobox(frame, values=list(self.choices), width=32)
        self.product.set(self.usual)
        add_row(frame, 0, "Product", self.product)
        self.level = ttk.Combobox(frame, state="readonly", postcommand=self.show_levels)
        self.level.set(ASSIGNED)
        add_row(frame, 1, "Level", self.level)
        self.days = ttk.Spinbox(frame, from_=1, to=longest, width=8)
        add_row(frame, 2, "Days (empty: the usual)", self.days)
        self.member = ttk.Entry(frame)
        self.ways = Ways(frame, self.line, "by a request file, to be carried to the administrator")
        if self.line.is_open:
            add_row(frame, 3, "How", self.ways)
        else:
            add_row(frame, 3, "User name (where the administrator asks)", self.member)
            text = "Next you choose where to save the request. Carry it to the administrator."
            ttk.Label(frame, text=text).grid(row=4, columnspan=2, sticky="w", pady=(8, 0))
        for event in ("<<ComboboxSelected>>", "<FocusOut>"):
            self.product.bind(event, lambda _: self.show_levels())
        return self.product

    def show_levels(self) -> None:
        """Offers the levels of the product that is chosen now."""
        choice = self.choices.get(self.product.get().strip())
        levels = (ASSIGNED, *(choice.levels if choice else ()))
        self.level.configure(values=levels)
        if self.level.get() not in levels:
            self.level.set(ASSIGNED)

    def accept(self) -> str | None:
        """Asks for the license, or saves the request, when the days are a number."""
        self.show_levels()
        days = self.days.get().strip()
        if days and not (days.isascii() and days.isdigit() and 1 <= len(days) <= len(str(MOST_DAYS))):
            return "Days: write a whole number, or leave it empty."
        wish = Wish(
            product=self.product.get().strip(),
            level=None if self.level.get() == ASSIGNED else self.level.get(),
            days=int(days) if days else None,
            member=self.member.get().strip() or (None if self.ways.by_line else self.line.username),
        )
        if not self.ways.by_line:
            return self.save(wish)
        self.borrow(wish, self.finish)
        return None
