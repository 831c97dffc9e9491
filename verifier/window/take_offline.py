"""Take offline: which product, for how many days; a request file is saved to be carried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from tkinter import Misc, StringVar, Widget, ttk

from verifier.core.reading import MOST_DAYS
from verifier.window.actions import Choice
from verifier.window.dialog import Dialog, add_row
from verifier.workstation.carry import Wish

ASSIGNED = "as assigned to you"


class TakeOffline(Dialog):
    """The fields of a request. `save` writes it where the person says and returns what is wrong, empty when it is written."""

    def __init__(self, parent: Misc, choices: Sequence[Choice], product: str, save: Callable[[Wish], str]) -> None:
        self.save = save
        self.choices = {choice.product: choice for choice in choices}
        usual = product or next(iter(self.choices), "")
        self.product = StringVar(parent, usual)
        self.level = StringVar(parent, ASSIGNED)
        self.days = StringVar(parent, "")
        self.member = StringVar(parent, "")
        super().__init__(parent, "Take offline")

    def body(self, frame: ttk.Frame) -> Widget:
        """Product, level, days and member; what is left as it is, the administrator's rules decide."""
        longest = max((choice.longest_days for choice in self.choices.values()), default=MOST_DAYS)
        products = ttk.Combobox(frame, textvariable=self.product, values=list(self.choices), width=32)
        add_row(frame, 0, "Product", products)
        self.levels = ttk.Combobox(frame, textvariable=self.level, state="readonly", postcommand=self.show_levels)
        add_row(frame, 1, "Level", self.levels)
        days = ttk.Spinbox(frame, textvariable=self.days, from_=1, to=longest, width=8)
        add_row(frame, 2, "Days (empty: the usual)", days)
        add_row(frame, 3, "User name (where the administrator asks)", ttk.Entry(frame, textvariable=self.member))
        ttk.Label(frame, text="Next you choose where to save the request. Carry it to the administrator.").grid(
            row=4, columnspan=2, sticky="w", pady=(8, 0)
        )
        self.product.trace_add("write", lambda *_: self.show_levels())
        self.show_levels()
        return products

    def show_levels(self) -> None:
        """Offers the levels of the product that is chosen now."""
        choice = self.choices.get(self.product.get().strip())
        levels = (ASSIGNED, *(choice.levels if choice else ()))
        self.levels.configure(values=levels)
        if self.level.get() not in levels:
            self.level.set(ASSIGNED)

    def accept(self) -> str:
        """Saves the request, when the days are a number."""
        days = self.days.get().strip()
        if days and not (days.isascii() and days.isdigit() and 1 <= len(days) <= len(str(MOST_DAYS))):
            return "Days: write a whole number, or leave it empty."
        wish = Wish(
            product=self.product.get().strip(),
            level=None if self.level.get() == ASSIGNED else self.level.get(),
            days=int(days) if days else None,
            member=self.member.get().strip() or None,
        )
        return self.save(wish)
