"""The one way to count days: begun ones, as `carnet check` does."""

from __future__ import annotations

import math
from datetime import datetime, timedelta


def left(end: datetime, now: datetime) -> int:
    """The begun days until an end, which is still to come in the first of them; 0 from the end on.

    A borrow of ten days has ten days left when it is made, and one day left in its last hour.
    """
    return max(0, math.ceil((end - now) / timedelta(days=1)))
