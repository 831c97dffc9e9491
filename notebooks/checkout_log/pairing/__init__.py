"""Events become sessions: each start finds its end, and what has none says why.

Where the source gives every use a handle of its own, the handle pairs (`handles`). Elsewhere the first out is the first in, per
feature, user and host, within one run of the license server: an IN closes the oldest OUT, unit by unit, so that an IN of 2 may
end part of an OUT of 3 (`queues`). What ends or is renewed without having been seen to start was open since its run of the server,
or the log, began: it makes no session, but the upper bounds of the measures count it (`ends`). What was
known of uses at an earlier time is told from the same (`earlier`).
"""

from checkout_log.pairing.earlier import going_on
from checkout_log.pairing.ends import PAIRS, Paired, paired, sessions
from checkout_log.pairing.facts import CLOSING, EXACT_SOURCES, OPENING

__all__ = ["CLOSING", "EXACT_SOURCES", "OPENING", "PAIRS", "Paired", "going_on", "paired", "sessions"]
