"""An organization of many members with a laptop each, set up through the commands and the REST interface alone.

Only what is published is used, so that the build of an older commit is set up in the same way.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from authority.domain.catalogue import KeyUse
from authority.signing import keyring
from authority.signing.vendor import authorizing
from tests.bench import load
from tests.bench.load import Answer, Load
from tests.support.workstations import SimulatedWorkstation
from verifier import TrustStore, verify
from verifier.core import files
from verifier.workstation.carry import Wish

PRODUCT, LEVEL, USER_TYPE = "arcgis-pro", "Advanced", "GIS Professional"
# That no extension is wanted is said: a build of before does not read a request that leaves it open.
WISH = Wish(PRODUCT, extensions=())
SETTING_UP_SECONDS = 300.0
SETTING_UP_CLIENTS = 16


def write_vendor(folder: Path, members: int) -> list[str]:
    """The arguments of `init` for an authorization of so many members with a named license each, whose files are written here."""
    keys = [(use, keyring.create(folder / "keys", use, None)) for use in KeyUse]
    root = keyring.create(folder / "root", "root", None)
    specification = authorizing.sample_specification("field-survey", "Field Survey", "maker")
    # Beside the holders there is the administrator.
    specification["members"] = {"total": members + 1, "types": {}}
    for product in specification["products"]:
        product["seats"] = dict.fromkeys(product["levels"], members + 1)
        product["extensions"] = dict.fromkeys(product["extensions"], members + 1)
    now = datetime.now(UTC)
    begins_at, ends_at = now - timedelta(days=1), now + timedelta(days=1000)
    records = authorizing.key_records({use: [signer.public] for use, signer in keys}, begins_at, ends_at)
    compact = authorizing.authorize(root, specification, records, seq=1, now=now, begins_at=begins_at, ends_at=ends_at)
    (folder / "bench.authorization").write_bytes(files.render("authorization", {"authorization": compact}))
    (folder / "bench.trust").write_text(authorizing.trust_file("field-survey", [root.public]), encoding="utf-8")
    arguments = {"--authorization": "bench.authorization", "--trust": "bench.trust", "--keys": "keys"}
    return [word for option, name in arguments.items() for word in (option, str(folder / name))]


def laptop_of(name: str) -> SimulatedWorkstation:
    """A laptop of a new identity, whose requests and receipts a build of before reads too: it counts neither."""
    return SimulatedWorkstation(f"laptop-{name}-{secrets.token_hex(4)}", is_counting=False)


@dataclass(slots=True)
class Holder:
    """A member with a laptop, and the receipt that ends the borrow that is out, if one is."""

    username: str
    secret: str
    laptop: SimulatedWorkstation
    receipt: str | None = None


@dataclass
class Holders:
    """The members of one organization, and every borrow that was answered."""

    members: Sequence[Holder]
    trust: TrustStore
    borrow_ids: set[str]

    @classmethod
    def added(cls, ports: Sequence[int], administrator: str, count: int, trust: Path) -> Holders:
        """Adds so many members over HTTP, each with an API key. Raises AssertionError unless all are there."""
        names = [f"holder{number}" for number in range(count)]
        # All are made on one node: how adding members scales is not asked here.
        _posted(ports[:1], "/api/v1/members", [{"username": name, "user_type": USER_TYPE} for name in names], administrator)
        keys = _posted(ports[:1], "/api/v1/api-keys", [{"username": name, "name": "bench"} for name in names], administrator)
        members = [Holder(name, key["api_key"], laptop_of(name)) for name, key in zip(names, keys, strict=True)]
        return cls(members, TrustStore.read(trust.read_bytes()), set())

    def borrow(self, ports: Sequence[int], clients: int, seconds: float) -> Load:
        """One borrow of each member who gets a turn, every request signed before the clock starts, every answer checked after it.

        Raises AssertionError for an answer that is not 201 with a borrow of its own that is good on the laptop.
        """
        now = datetime.now(UTC)
        requests = [self._request(holder, now) for holder in self.members]
        answers = load.drive(ports, requests, clients, seconds)
        for answer in answers.answers:
            self._check_borrow(self.members[answer.request], answer)
        return answers

    def check_in(self, ports: Sequence[int], clients: int, _seconds: float) -> Load:
        """A check-in of each borrow that is out, in the same way, until all are done: what is timed is what is counted.

        Raises AssertionError for an answer that is not 200 with the borrow checked in.
        """
        holders = [holder for holder in self.members if holder.receipt is not None]
        requests = [load.post("/api/v1/check-ins", {"receipt": holder.receipt}, holder.secret) for holder in holders]
        answers = load.drive(ports, requests, clients, SETTING_UP_SECONDS)
        assert len(answers.answers) == len(requests)
        for answer in answers.answers:
            _check_ended(answer)
        for holder in holders:
            holder.receipt = None
        return answers

    def _request(self, holder: Holder, now: datetime) -> bytes:
        return load.post("/api/v1/borrows", {"request": holder.laptop.request(WISH, now)}, holder.secret)

    def _check_borrow(self, holder: Holder, answer: Answer) -> None:
        assert answer.status == 201, answer.body
        body = answer.json()
        now, file = datetime.now(UTC), json.dumps(body["file"]).encode()
        grant = verify(file, trust=self.trust, workstation=holder.laptop.identity, now=now)
        assert (body["borrow"]["member"], grant.level, grant.borrow_id) == (holder.username, LEVEL, body["borrow"]["id"])
        assert grant.borrow_id not in self.borrow_ids, "two answers have one borrow"
        self.borrow_ids.add(grant.borrow_id)
        holder.receipt = holder.laptop.receipt_for(file, now)


def _check_ended(answer: Answer) -> None:
    assert answer.status == 200, answer.body
    assert answer.json()["borrow"]["state"] == "checked-in", answer.body


def _posted(ports: Sequence[int], path: str, bodies: Sequence[Any], secret: str) -> list[Any]:
    """The answers to these bodies, in their order. Raises AssertionError unless each is 201."""
    requests = [load.post(path, body, secret) for body in bodies]
    answers = load.drive(ports, requests, SETTING_UP_CLIENTS, SETTING_UP_SECONDS).answers
    for answer in answers:
        assert answer.status == 201, answer.body
    assert len(answers) == len(bodies)
    return [answer.json() for answer in sorted(answers, key=lambda answer: answer.request)]
