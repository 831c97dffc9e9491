"""What the server writes by itself, so that nothing is written for who only asks: the status list, and which sessions time ended."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from authority.domain.members import CONSOLE
from authority.domain.refusals import Refusal
from authority.services import sessions, status_lists
from authority.services.context import Authority
from authority.services.unit import Unit

# How long the server waits between two looks: what ended elsewhere, at the console or in another worker, is in the list by then.
LONGEST_SECONDS = 60.0
# How long it waits after a list; twice as long after each that follows, so that a busy day makes no row for every return.
SHORTEST_SECONDS = 1.0


class Publisher:
    """Publishes a new list when one is due, and puts into the log what time ended.

    It does so at the start, soon after something ended here, and at least every minute.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._something_ended = threading.Event()
        self.publish()
        self.log_ended()

    def publish(self) -> bool:
        """Publishes a list if one is due. Returns whether it did; what stands in the way is for `doctor` and `/readyz` to say."""
        try:
            return status_lists.publish_if_due(Unit(self._authority, CONSOLE))
        except Refusal:
            return False

    def log_ended(self) -> None:
        """Writes the ends of sessions that time ended; what stands in the way is for `doctor` and `/readyz` to say."""
        with suppress(Refusal):
            sessions.log_ended_by_time(Unit(self._authority, CONSOLE))

    def hurry(self) -> None:
        """Something ended: looks soon."""
        if not self._something_ended.is_set():
            self._something_ended.set()

    def start(self) -> None:
        """Goes on looking, in a thread of its own."""
        threading.Thread(target=self._go_on, daemon=True).start()

    def _go_on(self) -> None:
        pause = SHORTEST_SECONDS
        while True:
            self._something_ended.wait(LONGEST_SECONDS)
            self._something_ended.clear()
            published = self.publish()
            self.log_ended()
            if published:
                time.sleep(pause)
            pause = min(2 * pause, LONGEST_SECONDS) if published else SHORTEST_SECONDS
