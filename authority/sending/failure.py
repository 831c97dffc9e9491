"""Why a message did not go out."""

from __future__ import annotations


class NotSent(Exception):
    """The try failed; the words say why to administrators, and have nothing of an address in them. Another try may succeed.

    `is_of_recipient` when it is this recipient alone who cannot be reached: other messages of the channel go on.
    """

    def __init__(self, words: str, *, is_of_recipient: bool = False) -> None:
        super().__init__(words)
        self.is_of_recipient = is_of_recipient
