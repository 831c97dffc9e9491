"""What counts as one license, as the DUP_GROUP of a FlexNet license file says it.

`NONE`: each checkout. `SITE`: all of them. Else letters: U for the user, H for the host, D for the display and V for what the vendor
tells of a checkout; checkouts that agree in all of them share one license. A debug log shows neither display nor, of most vendors,
what is told; there, checkouts of one user on one host count as one with either of them too.
"""

from __future__ import annotations

import pandas as pd

SITE = "site"
DUP_GROUP = "dup-group"


def counted(dup_group: str) -> str | None:
    """What `license=` is for this DUP_GROUP: machine, member, member-machine or site; None where each checkout counts."""
    text = dup_group.upper()
    if text == "SITE":
        return SITE
    letters = set(text) if set(text) <= set("UHDV") else set()
    if {"U", "H"} <= letters:
        return "member-machine"
    return "member" if "U" in letters else "machine" if "H" in letters else None


def counted_by(options: pd.DataFrame) -> pd.DataFrame:
    """What counts as one license of each feature whose license file says it: `product`, `feature`, `counted`, `dup_group`.

    options: of `Stored`. Where the lines of a feature say different things, each checkout counts.
    """
    own = options.loc[options["option"] == DUP_GROUP, ["product", "feature", "name"]].rename(columns={"name": "dup_group"})
    own = own.assign(counted=[counted(str(text)) for text in own["dup_group"]]).drop_duplicates(
        ["product", "feature", "counted"]
    )
    return own[~own.duplicated(["product", "feature"], keep=False)].dropna(subset=["counted"]).reset_index(drop=True)
