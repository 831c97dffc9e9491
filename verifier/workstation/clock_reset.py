"""Taking in a clock reset: the last way out when what is remembered of the clock is wrong and cannot wait."""

from __future__ import annotations

from verifier import errors
from verifier.core import clock
from verifier.core.clock import Reading
from verifier.core.clock_reset import code_of, open_reset
from verifier.core.times import SECONDS_PER_DAY, rfc3339_of
from verifier.workstation.installed import ClockResetInstalled
from verifier.workstation.store import Store

# A reset is carried like a borrow; one that lies about for long says little about the time.
LASTS_SECONDS = 14 * SECONDS_PER_DAY


def code_here(store: Store) -> str | None:
    """The code that a reset of this machine's clock is made for; None before there is a machine key. Raises NotChecked."""
    machine_key = store.machine_key_thumbprint()
    return None if machine_key is None else code_of(machine_key, store.state_of(machine_key).epoch)


def install_reset(store: Store, data: bytes, time: Reading) -> ClockResetInstalled:
    """Sets back what is remembered of the clock to the time at which the reset was signed, once.

    The store is locked. What was signed stays what it is: no reset makes a signed time later than the clock undone. Raises NotGood,
    ClockInDoubt.
    """
    trust, machine_key = store.trust(), store.machine_key_thumbprint()
    reset, state = open_reset(data, trust, store.newest_authorization(trust)), store.state_of(machine_key)
    if reset.machine_key != machine_key:
        raise errors.WrongMachineKey(
            f"the clock reset is for the machine key {reset.machine_key}, this is {machine_key}",
            hint="Install it on the machine, and as the user, whose code was told: carnet clock shows it.",
            wanted=reset.machine_key,
            found=machine_key,
        )
    code = code_of(reset.machine_key, state.epoch)
    if reset.code != code:
        raise errors.ClockResetUsed(f"the clock reset is for the code {reset.code}, the code here is {code}", code_here=code)
    clock.check_not_ahead(reset.iat, time.wall)
    if time.wall > reset.iat + LASTS_SECONDS:
        made_at, wall_at = rfc3339_of(reset.iat), rfc3339_of(time.wall)
        raise errors.ClockInDoubt(
            f"the clock reset was made at {made_at}, and this machine says it is {wall_at}",
            hint="Set this machine's clock right, then try again. If it is right, have a new reset made.",
            signed_at=made_at,
            clock_at=wall_at,
        )
    state.set_back(reset.iat)
    state.follow(time, reset.iat)
    store.save_state(state)
    return ClockResetInstalled(reset.iat)
