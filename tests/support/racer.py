"""A process of its own that opens an authority and sends many requests at once: `python -m tests.support.racer HOME FILE`.

FILE has a JSON array of `{"member", "request"}`, or of `{"member", "user_type"}` for a member to be added. It prints "ready", waits for a line, and prints the outcomes as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from authority.domain.members import CONSOLE
from authority.domain.refusals import Refusal
from authority.services import borrow, members
from authority.services.context import Authority
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.wiring.app import open_authority
from authority.wiring.settings import from_process


def outcome_of(authority: Authority, wish: dict[str, str]) -> str:
    """The id of a new borrow, or "done" when a member was added."""
    if "request" in wish:
        return borrow.issue(Unit(authority, CONSOLE), wish["request"], wish["member"]).borrow.id
    members.add(Unit(authority, CONSOLE), NewMember(wish["member"], user_type=wish["user_type"]))
    return "done"


def main(home: str, file: str) -> None:
    authority = open_authority(from_process(home))
    wishes: list[dict[str, str]] = json.loads(Path(file).read_text(encoding="utf-8"))
    outcomes: list[str] = []
    start = threading.Event()

    def sending(wish: dict[str, str]) -> Callable[[], None]:
        def send() -> None:
            start.wait()
            try:
                outcomes.append(outcome_of(authority, wish))
            except Refusal as error:
                outcomes.append(error.code)

        return send

    threads = [threading.Thread(target=sending(wish)) for wish in wishes]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    start.set()
    for thread in threads:
        thread.join()
    authority.database.close()
    print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
