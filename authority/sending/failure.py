"""Why a message did not go out."""

from __future__ import annotations


class NotSent(Exception):
    """The try failed; the words say why to administrators, and have nothing of an address in them. Another try may succeed."""
