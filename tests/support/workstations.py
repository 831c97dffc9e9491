"""A workstation that is not this machine: a real machine key, real files, an identity of our choosing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.core import claims, files, keys
from verifier.core.grant import Workstation
from verifier.core.times import timestamp
from verifier.workstation import carry
from verifier.workstation.carry import Sender, Wish
from verifier.workstation.identity import MachineMark, OsUser
from verifier.workstation.machine_key import MachineKey


@dataclass
class SimulatedWorkstation:
    """Makes requests and receipts as a workstation does; `is_counting` is false for one of the first versions, which counted neither."""

    name: str = "laptop"
    user: OsUser = field(default_factory=lambda: OsUser("uid:1000", "ada"))
    key: MachineKey = field(default_factory=lambda: MachineKey(Ed25519PrivateKey.generate()))
    organization: str | None = None
    receipts: int = 0
    requests: int = 0
    secondary: str | None = None
    last_receipt: str | None = None
    alias: str | None = None
    is_counting: bool = True

    @property
    def machine(self) -> MachineMark:
        return MachineMark(f"machine-{self.name}", "simulated", self.secondary)

    @property
    def identity(self) -> Workstation:
        return Workstation(self.machine.id, self.user.id, self.key.public.kid)

    def request(self, wish: Wish, now: datetime, jti: str | None = None, typ: str = claims.REQUEST_TYP) -> str:
        """The compact request."""
        is_counted = self.is_counting and typ == claims.REQUEST_TYP
        self.requests += is_counted
        sender = Sender(self.machine, self.user, self.alias or self.name or None, self.organization, self.last_receipt)
        asked = carry.request_claims(
            wish,
            sender,
            jti=jti or carry.fresh_id(),
            now=timestamp(now),
            counts=(self.requests, self.receipts) if is_counted else None,
        )
        return self.key.sign(typ, asked)

    def request_file(self, wish: Wish, now: datetime) -> bytes:
        """The request as a file."""
        return files.render("request", {"request": self.request(wish, now)})

    def receipt(self, borrow_id: str, borrow_jti: str, now: datetime) -> str:
        """The compact receipt for a borrow."""
        self.receipts += 1
        members = {
            "jti": carry.fresh_id(),
            "iat": timestamp(now),
            "ver": 1,
            "bid": borrow_id,
            "borrow": borrow_jti,
            "machine": {"id": self.machine.id},
            "user": {"id": self.user.id},
            "count": self.receipts,
        }
        compact = self.key.sign(claims.RECEIPT_TYP, members | ({"requests": self.requests} if self.is_counting else {}))
        self.last_receipt = keys.encode(hashlib.sha256(compact.encode()).digest())
        return compact

    def receipt_for(self, borrow_file: bytes, now: datetime) -> str:
        """The compact receipt for the borrow in a file."""
        token = json.loads(borrow_file)["borrow"]
        from verifier.core.jose import strict_object
        from verifier.core.keys import decode

        payload = strict_object(decode(token.split(".")[1]))
        return self.receipt(payload["bid"], payload["jti"], now)
