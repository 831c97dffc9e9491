"""Outputs of LM-X's `lmxendutil`, one or many, as events.

An output lists who holds what since when; what changed from one to the next are the events (`snapshots.changes`). Of a server that did
not answer an output says nothing: nobody is gone because of it. A borrow says when it expires, and not when it began: it begins with
the output that shows it first, in doubt.

The server also says how many licenses of a feature there are and how many are in use. Where more are in use than it lists, the rest
is a use of nobody, of uncertain time. Where uses share a license, the list may be longer than what is in use; which of them share one
is said as a license file of FlexNet would say it, so that they count so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from checkout_log.errors import SourceNotRecognized
from checkout_log.sources.lmx import rows as grammar
from checkout_log.sources.lmx.outputs import looks, snapshots
from checkout_log.sources.part import LMX, Contents
from checkout_log.sources.snapshots import events
from checkout_log.sources.snapshots.order import Form
from checkout_log.sources.text import lines

# How a line begins in which lmxendutil says that nobody answered.
FAILED = re.compile(r"\s*(?:There are no license server|Error|Cannot|Unable|Failed)", re.IGNORECASE)
FORM = Form(LMX, snapshots, looks)


def read(paths: Sequence[Path], folder: Path, where: ZoneInfo, first_segment: int, advance: Callable[[int], None]) -> Contents:
    """What these outputs say, with their events in one file in the folder. Raises SourceUnreadable."""
    return events.read(FORM, paths, folder, where, first_segment, advance)


def nothing_listed(path: Path) -> SourceNotRecognized:
    """What to say of an output from which nothing follows, and why. Raises SourceUnreadable."""
    words = None
    for _, line in lines(path):
        if any(isinstance(mark, grammar.Feature) for mark in grammar.marks(line)):
            return SourceNotRecognized(
                f'"{path}" is an output of lmxendutil that shows no use and not when it was made',
                hint="Have a line with date and time written above each output, as `date` or `date -Iseconds` prints it.",
            )
        words = words or (line.strip().rstrip(".") if FAILED.match(line) is not None else None)
    return SourceNotRecognized(
        f'"{path}" is an output of lmxendutil that lists no features' + (f": {words}" if words else ""),
        hint="Give one of lmxendutil -licstat that was made while the license server answered.",
    )
