"""The name by which people know this workstation; it goes into the next request (seed S3)."""

from __future__ import annotations

from verifier.core.names import hidden_character, spelled
from verifier.errors import Malformed
from verifier.workstation.store import Store

LONGEST_ALIAS = 64
HINT = "Choose a name that people can read, such as: Field laptop 7."


def save_alias(store: Store, text: str) -> str:
    """Keeps the alias in its one spelling, and returns it. Raises Malformed for one that nobody could read, and NotChecked."""
    name = spelled(text)
    hidden = hidden_character(name)
    if hidden is not None:
        raise Malformed(f"an alias cannot have the character {hidden}", hint=HINT)
    if not 0 < len(name) <= LONGEST_ALIAS:
        raise Malformed(f"an alias is printable text of 1 to {LONGEST_ALIAS} characters", hint=HINT)
    with store.locked():
        state = store.state()
        state.alias = name
        store.save_state(state)
    return name
