"""Versions: what somebody saw of a thing, as one short word, so that a change is refused when another changed it meanwhile.

A version has a part for each field. By the parts that differ it is said what changed.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

# Characters of base64url for each field: 36 bits, by which no two values of one field are alike but by a great chance.
PART = 6
# The version of what is not there.
NONE = "none"
Values = Mapping[str, object]


def of(values: Values | None) -> str:
    """The version of a thing with these fields; of what is not there (None) `none`."""
    return NONE if values is None else "".join(map(_part, values.values()))


def changed(version: str, values: Values) -> list[str]:
    """The names of the fields that are not as in the version any more; all of them when it is no version of such a thing."""
    parts = [version[start : start + PART] for start in range(0, len(version), PART)]
    if len(parts) != len(values):
        return list(values)
    return [name for part, (name, value) in zip(parts, values.items(), strict=True) if _part(value) != part]


def _part(value: object) -> str:
    text = json.dumps(value, default=str, sort_keys=True)
    return urlsafe_b64encode(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()).decode()[:PART]
