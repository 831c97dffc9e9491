"""clock: what this machine's clock shows, what is certain, and what to tell for a reset."""

from __future__ import annotations

import argparse

from verifier.cli.output import result
from verifier.core.clock import SMALL_SECONDS
from verifier.core.times import in_days, rfc3339_of
from verifier.workstation.clock import reading
from verifier.workstation.clock_reset import code_here
from verifier.workstation.store import Store


def add_clock(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet clock`."""
    parser = commands.add_parser(
        "clock", parents=[common], help="show what is known of this machine's clock, and the code for a reset"
    )
    parser.set_defaults(run=clock)


def clock(arguments: argparse.Namespace) -> int:
    """`carnet clock`: changes nothing."""
    store, now = Store.open(arguments.home), reading()
    machine_key = store.machine_key_thumbprint()
    state = store.state_of(machine_key)
    state.follow(now, state.floor)
    certain = max(state.floor, state.sure)
    # Where nothing is certain yet there is no step to doubt: the first signed time says where counting begins. What remains of a
    # step that was taken back is no step either.
    steps = () if state.clock is None or not certain else state.clock.doubts
    doubts = [step for step in steps if step.ahead > SMALL_SECONDS]
    code = code_here(store)
    value = {
        "clock": rfc3339_of(now.wall),
        "certain": rfc3339_of(certain) if certain else None,
        "signed": rfc3339_of(state.floor) if state.floor else None,
        "in_doubt": [doubt._asdict() for doubt in doubts],
        "code": code,
    }
    lines = [
        f"the clock says    {rfc3339_of(now.wall)}",
        f"it is at least    {rfc3339_of(certain) if certain else 'nothing is known yet'}",
        f"newest signature  {rfc3339_of(state.floor) if state.floor else 'none'}",
    ]
    lines += [f"in doubt          a step ahead of {_words(doubt.ahead)}, for {_words(doubt.left)} more" for doubt in doubts]
    if code is not None:
        lines.append(f"code for a reset  {code}")
    return result(arguments, value, lines)


def _words(seconds: int) -> str:
    """Days and hours, or minutes of what is shorter."""
    days, hours = divmod(seconds // 3600, 24)
    if days:
        return f"{in_days(days)} {hours} h"
    return f"{hours} h {seconds // 60 % 60} min"
