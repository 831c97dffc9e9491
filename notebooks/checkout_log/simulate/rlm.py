"""Logs of an RLM server, one file for each ISV server: the report log, or the debug log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clocks import Clock, wall_of
from checkout_log.simulate.parts import RLM
from checkout_log.simulate.rlm_debug import debug_lines
from checkout_log.simulate.rlm_isv import Isv
from checkout_log.simulate.rlm_report import report_lines
from checkout_log.simulate.rows import events_of, runs_of, uses_of
from checkout_log.simulate.truth import Truth

STANDARD, DETAILED, DEBUG = "std", "detailed", "debug"
FORMS = (STANDARD, DETAILED, DEBUG)


def write_rlm(
    truth: Truth,
    folder: Path | str,
    form: str = DETAILED,
    products: Sequence[str] | None = None,
    timezone: str | None = None,
) -> list[Path]:
    """The files written, one for each product of an RLM server (or for these products), named after it.

    form: "std" or "detailed" for the report log, "debug" for the debug log. Only the detailed report log tells for how many days a
    license roams; the debug log has minutes, and neither year nor handle. A space in a user name becomes "_". What a clean stop
    takes back has no line of its own. The files are as old as the last look. Raises QuestionInvalid for another form.
    """
    if form not in FORMS:
        raise QuestionInvalid(f'there is no form "{form}" of an RLM log', hint=f"Use one of {', '.join(FORMS)}.")
    clock = Clock(timezone or truth.organization.timezone)
    begin = Clock(truth.organization.timezone).utc_of(wall_of(truth.organization.begins_on))
    found = []
    for name in products or truth.organization.served_by(RLM):
        product = truth.organization.product(name)
        isv = Isv(product, clock, runs_of(truth, product.server, begin), uses_of(truth, [name]), is_detailed=form == DETAILED)
        lines = (debug_lines if form == DEBUG else report_lines)(isv, events_of(truth, [name]))
        path = Path(folder) / f"{name}.{'dlog' if form == DEBUG else 'rlog'}"
        text = "".join(f"{line}\n" for _, line in sorted(lines, key=lambda one: one[0]))
        path.write_text(text, encoding="utf-8", newline="\n")
        # The debug log has no year: who reads it goes by the time at which the file was last written.
        os.utime(path, (truth.now.timestamp(), truth.now.timestamp()))
        found.append(path)
    return found
