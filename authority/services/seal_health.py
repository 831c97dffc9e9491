"""Whether the log is sealed in time, and its end intact: what `doctor` says of it."""

from __future__ import annotations

from datetime import timedelta

from authority.domain.plurals import are, counted
from authority.domain.refusals import LogNotIntact, Refusal
from authority.services import log_verification, seals
from authority.services.unit import Unit

# A timer runs every minute; a day without it is one that nobody looked after.
SEALED_WITHIN = timedelta(days=1)
# The whole log takes its time, which `log verify` takes.
LOOKED_AT = 2000


def sentence(unit: Unit) -> str:
    """How far the log is sealed, when that is well. Raises LogNotIntact, and Refusal when nobody seals it."""
    state = seals.state(unit)
    check_intact(unit)
    waiting = f"{counted(state.waiting, 'row')} {are(state.waiting)} not sealed yet"
    if state.lag > SEALED_WITHIN and state.oldest_waiting_at is not None:
        since = "was never sealed" if state.newest is None else f"is sealed up to row {state.newest.last}"
        raise Refusal(
            f"the log {since}; {waiting}, the oldest of {state.oldest_waiting_at:%Y-%m-%d %H:%M} UTC",
            hint="Seal it by a timer: carnet-authority log seal. See docs/operations.md, The seal of the log.",
        )
    if state.newest is None:
        return f"the log was never sealed; {waiting}"
    return f"the log is sealed up to row {state.newest.last}, at {state.newest.issued_at:%Y-%m-%d %H:%M} UTC; {waiting}"


def check_intact(unit: Unit) -> None:
    """Raises LogNotIntact when one of the newest rows of the log, or its seal, is not what was sealed."""
    verification = log_verification.verify_part(unit, LOOKED_AT)
    if not verification.is_intact:
        others = len(verification.faults) + verification.more_faults - 1
        more = f", and {counted(others, 'fault')} more" if others else ""
        raise LogNotIntact(
            f"of the newest {LOOKED_AT} rows of the log something is not what was sealed: {verification.faults[0].sentence}{more}"
        )
