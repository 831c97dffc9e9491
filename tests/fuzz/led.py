"""python -m tests.fuzz.led PARSER SECONDS FOLDER: one parser, led by the coverage of its code. libFuzzer ends the process itself."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["verifier"]):
    from tests.support.mutations import mutated
    from tests.support.parsers import PARSERS, refusal

# A status list may be larger; its text is unpacked by zlib, which libFuzzer does not see into.
LONGEST = 16 * 1024
OWN_CHANGES = 64
HALF = 0.5


def main(name: str, seconds: str, folder: str) -> None:
    """Does not return."""
    parser = PARSERS[name]
    random = Random(name)
    for data in (*parser.good, *(mutated(random, parser.good) for _ in range(OWN_CHANGES))):
        (Path(folder) / hashlib.sha256(data).hexdigest()).write_bytes(data)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={folder}/",
        "-timeout=10",
        "-rss_limit_mb=1024",
    ]
    atheris.Setup([sys.argv[0], *options, folder], lambda data: _try(name, data), custom_mutator=_change)
    atheris.Fuzz()


def _try(name: str, data: bytes) -> None:
    refusal(PARSERS[name], data)


def _change(data: bytes, most: int, seed: int) -> bytes:
    """Every other time what a token says is changed, which nobody finds who changes the letters of its base64url."""
    random = Random(seed)
    return mutated(random, [data])[:most] if random.random() < HALF else bytes(atheris.Mutate(data, most))


if __name__ == "__main__":
    main(*sys.argv[1:])
