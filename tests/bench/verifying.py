"""The verifier: against one raw signature check, and its start against importing the library that it stands on."""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.timing import per_call_microseconds, process_milliseconds
from tools.walk import PRODUCT, install_borrow
from verifier import TrustStore, Workstation, verify
from verifier.core import opening, steps
from verifier.core.keys import decode
from verifier.core.times import timestamp


def bench_verify() -> None:
    """One check of a borrow, the authorization checked before, against one raw Ed25519 verification."""
    folder = Path(__file__).parents[2] / "keys.example"
    file, trust = (folder / "sample.borrow").read_bytes(), TrustStore.read((folder / "sample.trust").read_bytes())
    now, nobody = datetime(2026, 1, 15, tzinfo=UTC), Workstation(None, None, None)
    members = json.loads(file)
    authorization = trust.authorize(members["authorization"])
    token = members["borrow"]
    signed, _, signature = token.rpartition(".")
    kid = json.loads(decode(token.split(".")[0]))["kid"]
    handle, data, proof = authorization.key(kid, "borrow").handle, signed.encode(), decode(signature)

    def token_alone() -> None:
        claims = opening.open_token(token, authorization)
        opening.check_content(claims, authorization)
        steps.check_time(claims, timestamp(now))
        steps.check_workstation(claims, nobody)

    raw, alone, whole = per_call_microseconds(
        [
            lambda: handle.verify(proof, data),
            token_alone,
            lambda: verify(file, trust=trust, workstation=nobody, now=now),
        ]
    )
    print(f"one raw Ed25519 verification                {raw:8.1f} us")
    print(f"a borrow token, authorization checked       {alone:8.1f} us   {alone / raw:5.2f} x raw (aim: at most 2.5)")
    print(
        f"a borrow file with its status list          {whole:8.1f} us   {whole / raw:5.2f} x raw (two signatures: 2.00 is the floor)"
    )


def bench_start() -> None:
    """Processor time of `carnet check` as a whole process, against importing PyJWT and against an empty program."""
    with tempfile.TemporaryDirectory() as folder:
        home = install_borrow(Path(folder))
        commands = Path(sys.executable).parent
        check = [str(commands / "carnet"), "check", PRODUCT, "--home", str(home)]
        version = [str(commands / "carnet-authority"), "--version"]
        nothing, library, ours, versions = process_milliseconds(
            [[sys.executable, "-c", "pass"], [sys.executable, "-c", "import jwt"], check, version]
        )
    print(f"python -c pass                              {nothing:8.1f} ms")
    print(f'python -c "import jwt"                      {library:8.1f} ms')
    print(
        f"carnet check                                {ours:8.1f} ms   {ours / library:5.2f} x import jwt (aim: at most 1.25)"
    )
    print(f"carnet-authority --version                  {versions:8.1f} ms   {versions / library:5.2f} x import jwt")
