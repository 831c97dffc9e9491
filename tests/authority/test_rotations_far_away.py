"""T28: keys of the authority are rotated twice while machines are away; CARNET_MACHINES says how many, 200 without it."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from authority.domain.borrows import License, Machine, OsUser
from authority.domain.catalogue import KeyUse, needed_until
from authority.signing import issuing
from authority.signing.issuing import Issuer
from authority.signing.keyring import FileSigner, KeyRing, Retired
from authority.signing.vendor import root_folder
from tests.support.authorities import START
from tests.support.vendors import RealVendor, sample_toml
from verifier.core import jose
from verifier.core.claims import BORROW_TYP
from verifier.core.files import parse, render
from verifier.core.grant import Workstation
from verifier.core.keys import decode
from verifier.core.opening import StatusFile, open_borrow, open_status
from verifier.core.steps import judge
from verifier.core.times import timestamp
from verifier.core.trust import Authorization, TrustStore
from verifier.errors import CarnetError, KeyNotValid, UnknownKey
from verifier.workstation.carry import fresh_id

MACHINES = int(os.environ.get("CARNET_MACHINES", "200"))
LONGEST, LASTS = 180, 600
ROTATIONS = (120, 260)
URI = "urn:carnet:field-survey:status:1"
KEY = FileSigner.fresh().public.kid


def day(number: float) -> datetime:
    return (START + timedelta(days=number)).replace(microsecond=0)


@dataclass
class Site:
    """The vendor's folder and the authority's keys: what the commands do, without a database."""

    vendor: RealVendor
    ring: KeyRing
    now: datetime
    last_expiry: dict[str, datetime] = field(default_factory=dict)
    lists: int = 0

    def authorize(self) -> None:
        """The vendor's next authorization, of the keys that are to be named now."""
        entries = []
        for use in KeyUse:
            for kid in self.ring.every_kid(use):
                entry: dict[str, Any] = {"use": use, "kid": kid, **self.ring.signer(use, kid).public.as_jwk()}
                retired = self.ring.retired.get(kid)
                if retired is None:
                    entries.append(entry)
                elif needed_until(use, retired.at, self.last_expiry.get(kid), LONGEST, self.now):
                    entries.append(entry | {"retired_at": timestamp(retired.at)})
        keys = json.dumps({"organization": "field-survey", "keys": entries}).encode()
        made = root_folder.authorize(self.vendor.root, self.vendor.folder, sample_toml(max_borrow_days=LONGEST), keys, self.now)
        self.trust_file = made.trust_file.decode()
        self.issuer = Issuer(self.ring, made.authorization, self.trust_file)

    def rotate(self) -> None:
        """New keys are authorized beside the old ones, which then are retired."""
        old = [kid for use in KeyUse for kid in self.ring.kids(use)]
        for use in KeyUse:
            self.ring.add(use)
        self.authorize()
        for kid in old:
            self.ring.retire(kid, Retired(self.now, is_stolen=False))
        self.authorize()

    def status_list(self) -> str:
        self.lists += 1
        packed = issuing.pack([], 64)
        return issuing.status_list(self.issuer, packed, uri=URI, seq=self.lists, prev=None, now=self.now)

    def borrow_file(self, machine: str, days: int) -> bytes:
        ends_at = self.now + timedelta(days=days)
        granted = License(
            id=fresh_id(),
            member="ada",
            product="arcgis-pro",
            level="Basic",
            extensions=(),
            machine=Machine(machine, "simulated", None, None, KEY),
            user=OsUser("uid:1", "ada"),
            ends_at=ends_at,
        )
        payload = issuing.payload(
            granted, self.issuer.authorization, jti=fresh_id(), now=self.now, status_index=7, status_uri=URI
        )
        kid = self.issuer.current_kid(KeyUse.BORROW, self.now)
        self.last_expiry[kid] = max(ends_at, self.last_expiry.get(kid, ends_at))
        return issuing.borrow_file(self.issuer, payload, kid, self.status_list())

    def authorization_file(self) -> bytes:
        return render("authorization", {"authorization": self.issuer.authorization.compact})

    def status_file(self) -> bytes:
        return issuing.status_file(self.issuer.authorization.compact, self.status_list())


@dataclass
class FarAway:
    """A machine that keeps what was carried to it: the newest of each kind, as a workstation does."""

    name: str
    borrow: bytes = b""
    ends_at: datetime = START
    known: Authorization | None = None
    beside: StatusFile | None = None

    def bring(self, trust: TrustStore, data: bytes) -> None:
        kind, members = parse(data)
        authorization = trust.authorize(members["authorization"])
        if self.known is None or authorization.seq > self.known.seq:
            self.known = authorization
        if kind == "borrow":
            self.borrow = data
        if kind in ("borrow", "status"):
            own = {name: members[name] for name in ("authorization", "status_list")}
            file = open_status(render("status", own), trust)
            if self.beside is None or file.status_list.seq > self.beside.status_list.seq:
                self.beside = file

    def check(self, trust: TrustStore, now: datetime, borrow: bytes | None = None) -> None:
        """Raises CarnetError when the borrow is not good here and now."""
        beside = [] if self.beside is None else [self.beside]
        evidence = open_borrow(borrow or self.borrow, trust, beside, known=self.known)
        judge(evidence, Workstation(self.name, "uid:1", KEY), timestamp(now))


def forged(site: Site, machine: FarAway, kid: str, now: datetime) -> bytes:
    """The machine's borrow once more, signed now by a key that is retired."""
    members = parse(machine.borrow)[1]
    claims = jose.strict_object(decode(members["borrow"].split(".")[1]))
    claims |= {"iat": timestamp(now), "nbf": timestamp(now), "exp": timestamp(now) + 86_400, "jti": fresh_id()}
    header = {"alg": "EdDSA", "typ": BORROW_TYP, "kid": kid}
    token = jose.compact(header, jose.payload(claims), site.ring.signer(KeyUse.BORROW, kid).sign)
    return render("borrow", members | {"borrow": token})


def try_retired(site: Site, machine: FarAway, trust: TrustStore, now: datetime) -> Counter[str]:
    """What becomes of tokens of retired keys on a machine that has heard of their retirement, and on one that has not."""
    outcomes: Counter[str] = Counter()
    for kid in site.ring.every_kid(KeyUse.BORROW):
        retired = site.ring.retired.get(kid)
        if retired is None or machine.known is None:
            continue
        record = machine.known.keys.get(kid)
        has_heard = record is None or record.exp <= timestamp(retired.at) + 1
        try:
            machine.check(trust, now, forged(site, machine, kid, now))
        except (KeyNotValid, UnknownKey):
            outcomes["refused"] += 1
        except CarnetError as error:
            outcomes[error.code] += 1
        else:
            outcomes["accepted after hearing" if has_heard else "accepted before hearing"] += 1
    return outcomes


def calendar(chance: random.Random) -> list[tuple[float, str, int]]:
    """What happens, in order of time: rotations and other authorizations, and each machine's contacts and checks."""
    happens: list[tuple[float, str, int]] = [(float(at), "rotate", -1) for at in ROTATIONS]
    happens += [(float(at), "authorize", -1) for at in range(30, LASTS, 45)]
    for number in range(MACHINES):
        at = chance.uniform(0, 60)
        while at < LASTS:
            happens.append((at, chance.choice(["borrow", "borrow", "status", "authorization"]), number))
            at += chance.expovariate(1 / 70)
        happens += [(chance.uniform(0, LASTS), "check", number) for _ in range(6)]
    return sorted(happens)


def test_t28_no_valid_token_is_refused_and_no_retired_key_accepted_through_two_rotations(tmp_path: Path) -> None:
    chance = random.Random(28)
    signers = [(use, FileSigner.fresh()) for use in KeyUse]
    site = Site(RealVendor.make(tmp_path / "vendor"), KeyRing({(use, item.public.kid): item for use, item in signers}), START)
    site.authorize()
    trust = TrustStore.read(site.trust_file)
    machines = [FarAway(f"machine-{number}") for number in range(MACHINES)]
    outcomes: Counter[str] = Counter()
    for at, what, number in calendar(chance):
        site.now = day(at)
        if what in ("rotate", "authorize"):
            getattr(site, what)()
            continue
        machine = machines[number]
        if what == "borrow":
            days = chance.randint(1, LONGEST)
            machine.bring(trust, site.borrow_file(machine.name, days))
            machine.ends_at = site.now + timedelta(days=days)
        elif what != "check":
            machine.bring(trust, site.status_file() if what == "status" else site.authorization_file())
        if machine.borrow and site.now < machine.ends_at:
            machine.check(trust, site.now)
            outcomes["good"] += 1
            outcomes += try_retired(site, machine, trust, site.now)
    print(dict(outcomes))
    assert outcomes["good"] >= 5 * MACHINES
    assert outcomes["refused"] >= 2 * MACHINES
    assert outcomes["accepted after hearing"] == 0
    assert outcomes.keys() <= {"good", "refused", "accepted before hearing"}
    # Both pairs of keys that were retired are forgotten in the end, and so the authorization does not grow.
    assert len(site.issuer.authorization.keys) == len(KeyUse)
