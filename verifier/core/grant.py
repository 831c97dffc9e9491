"""Who asks for what, and what comes back: the values at the door of the verifier."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from verifier.core.times import rfc3339

# In place of a thumbprint where there is no machine key; none is that short.
NO_MACHINE_KEY = "none"


class Workstation(NamedTuple):
    """Who asks, and where: machine id, OS user id, machine key thumbprint. None means: not compared, and the grant says so."""

    machine_id: str | None
    user_id: str | None
    machine_key: str | None


class Demand(NamedTuple):
    """What an application asks for: a product, at least this level of it (None: any), and all of these extensions."""

    product: str
    level: str | None = None
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grant:
    """What a good license gives. Only the verifier makes one; `warnings` say what could not be known without a network.

    `organization` gave it, and `root` is the thumbprint of the vendor's root key that allowed the organization to. `days_left` are begun
    days, `seconds_left` what is left exactly, both by the time that it was judged by.
    """

    product: str
    level: str
    levels: tuple[str, ...]
    extensions: tuple[str, ...]
    member: str
    borrow_id: str
    expires_at: datetime
    days_left: int
    seconds_left: int
    alias: str | None
    organization: str
    root: str
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The `grant` object that `--json` prints."""
        return {
            "product": self.product,
            "level": self.level,
            "levels": list(self.levels),
            "extensions": list(self.extensions),
            "member": self.member,
            "borrow_id": self.borrow_id,
            "expires_at": rfc3339(self.expires_at),
            "days_left": self.days_left,
            "seconds_left": self.seconds_left,
            "alias": self.alias,
            "organization": self.organization,
            "root": self.root,
            "warnings": list(self.warnings),
        }
