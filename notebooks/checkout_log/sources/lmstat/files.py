"""Outputs of `lmstat -a`, one or many, as events.

A snapshot lists who holds what since when; what changed from one to the next are the events (`snapshots.changes`). Of a vendor daemon that
was down or did not answer a snapshot says nothing: nobody is gone because of it.

`linger` marks a borrow, and counts from the start. When the license server starts again the start is set anew and the count
no longer tells when the borrow is due: a borrow that was seen before keeps the due time it had, another has none.

A start that is later than its snapshot says that there are two clocks: the event is flagged, and counted as disagreeing.

The server also says how many licenses of a feature are issued and in use. Where more are in use than it lists and reserves, the
rest is a use of nobody, of uncertain time; where the total is another than what is listed, this is counted as disagreeing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from checkout_log.errors import SourceNotRecognized
from checkout_log.sources.lmstat.snapshots import looks, snapshots
from checkout_log.sources.part import LMSTAT, Contents
from checkout_log.sources.snapshots import events
from checkout_log.sources.snapshots.order import Form
from checkout_log.sources.text import lines

# How a line begins in which lmstat says that it was not answered.
FAILED = re.compile(r"\s*(?:Error|Cannot)\b")
FORM = Form(LMSTAT, snapshots, looks)


def read(paths: Sequence[Path], folder: Path, where: ZoneInfo, first_segment: int, advance: Callable[[int], None]) -> Contents:
    """What these snapshots say, with their events in one file in the folder. Raises SourceUnreadable."""
    return events.read(FORM, paths, folder, where, first_segment, advance)


def nothing_listed(path: Path) -> SourceNotRecognized:
    """What to say of an output that lists no feature: the server's words, where it said why. Raises SourceUnreadable."""
    words = next((line.strip() for _, line in lines(path) if FAILED.match(line) is not None), None)
    return SourceNotRecognized(
        f'"{path}" is an output of lmstat that lists no features' + (f": {words.rstrip('.')}" if words else ""),
        hint="Give one of lmstat -a that was made while the license server answered.",
    )
