"""A workstation that needs a reset of its clock, and the reset that an authority makes for it."""

from __future__ import annotations

from typing import Any

import verifier
from tests.support.chains import DAY, HOUR, ORGANIZATION, START, refused
from tests.support.machine_clock import MachineClock
from tests.support.real_workstation import RealWorkstation
from verifier.core import files
from verifier.core.clock_reset import CLOCK_RESET_TYP
from verifier.workstation import install

AHEAD = 365 * DAY


def use_a_year_ahead(here: RealWorkstation, clock: MachineClock) -> None:
    """Nine days with a clock that is a year ahead, then it is set right: nothing short of a reset helps within a year.

    Nothing but trust is installed before; the borrow is, and is refused afterwards.
    """
    here.chain.borrow["exp"] = START + 28 * DAY
    for key in here.chain.authorization["keys"]:
        key["nbf"] = START - 20 * DAY
    install.install(here.store, here.chain.borrow_file())
    clock.restart(0)
    clock.set(START + AHEAD)
    for _ in range(18):
        with refused("expired"):
            verifier.check("arcgis-pro", home=here.home)
        clock.run(12 * HOUR)
    clock.set(START + 9 * DAY)
    with refused("clock-turned-back"):
        verifier.check("arcgis-pro", home=here.home)


def reset_file(here: RealWorkstation, code: str, signer: str = "borrow_key", **changes: Any) -> bytes:
    """The reset for this machine and code, signed when the clock was set right; with other claims where some are named."""
    claims = {
        "iss": ORGANIZATION,
        "jti": "K" * 22,
        "iat": START + 9 * DAY,
        "ver": 1,
        "cnf": {"jkt": here.chain.workstation.machine_key},
        "code": code,
    }
    compact = getattr(here.chain, signer).token(CLOCK_RESET_TYP, claims | changes)
    return files.render("clock-reset", {"authorization": here.chain.authorization_token(), "reset": compact})
