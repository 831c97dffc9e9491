"""An ISV server of RLM, as its logs tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from checkout_log.columns import CHECKIN, CHECKOUT, END, RELEASE
from checkout_log.simulate.clocks import Clock
from checkout_log.simulate.grants import Stop
from checkout_log.simulate.parts import Product
from checkout_log.simulate.rows import Event, Use

HOST, RELEASE_NUMBER = "rlm-01", "14.2"
GIVES_BACK = (CHECKIN, END, RELEASE)
# A time to sort by, and a line; lines of one time stay in the order in which they come.
Line = tuple[int, str]
# Handles of a server grow from use to use.
_FIRST_HANDLE, _NEXT_HANDLE = 0x41, 0x40


@dataclass(frozen=True)
class Isv:
    """One ISV server: its product, the clock on its wall, its runs (up, down, and how it stopped), and what was used."""

    product: Product
    clock: Clock
    runs: list[tuple[int, int, Stop | None]]
    uses: list[Use]
    is_detailed: bool

    @cached_property
    def handles(self) -> dict[str | None, int]:
        """The number by which the server knows each handle."""
        return {use.handle: _FIRST_HANDLE + _NEXT_HANDLE * number for number, use in enumerate(self.uses)}

    def moment(self, at: int, form: str) -> str:
        """A time of the wall as text."""
        return self.clock.moment(at).strftime(form)

    def pool(self, feature: str) -> int:
        """The number of a pool of licenses; 0 for what is not served."""
        names = [one.name for one in self.product.features]
        return names.index(feature) + 1 if feature in names else 0


def word(name: str) -> str:
    """A name where spaces part the columns."""
    return name.replace(" ", "_") or '""'


def change(event: Event) -> int:
    """By how many licenses an event changes what is in use."""
    if event.event == CHECKOUT:
        return event.quantity
    return -event.quantity if event.event in GIVES_BACK else 0
