"""python -m tests.fuzz.by_chance PARSER SECONDS FOLDER: one parser, given changed copies of good input, where atheris cannot be had."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from random import Random

from tests.support.mutations import mutated
from tests.support.parsers import PARSERS, refusal

AT_ONCE = 200


def main(name: str, seconds: str, folder: str) -> int:
    """Returns 0; an error that is not ours is raised, and the input that brought it is written into the folder."""
    parser, random = PARSERS[name], Random()
    end, count = time.monotonic() + int(seconds), 0
    while time.monotonic() < end:
        for _ in range(AT_ONCE):
            data = mutated(random, parser.good)
            try:
                refusal(parser, data)
            except Exception:
                path = Path(folder) / f"crash-{hashlib.sha256(data).hexdigest()[:16]}"
                path.write_bytes(data)
                print(f"this input breaks it: {path}")
                raise
        count += AT_ONCE
    print(f"Done {count} runs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
