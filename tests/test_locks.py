"""Each lock is whole: whatever an installed distribution asks for stands in it, and nothing stands in it that nobody asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What each lock is made from: extras of the project, and groups of development.
LOCKS = {"run": (("authority",), ("build",)), "dev": (("authority", "postgres", "notebooks"), ("dev",))}


def pins(text: str) -> dict[NormalizedName, Version]:
    """The version of each distribution in a lock."""
    return {
        canonicalize_name(name): Version(version)
        for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    }


def lock(name: str) -> str:
    return (ROOT / ".ci" / f"{name}.lock").read_text(encoding="utf-8")


def of_group(name: str) -> Iterator[str]:
    for item in PROJECT["dependency-groups"][name]:
        if isinstance(item, str):
            yield item
        else:
            yield from of_group(item["include-group"])


def roots(name: str) -> list[Requirement]:
    """What a lock is asked to bring."""
    extras, groups = LOCKS[name]
    texts = list(PROJECT["project"]["dependencies"])
    for extra in extras:
        texts += PROJECT["project"]["optional-dependencies"][extra]
    for group in groups:
        texts += of_group(group)
    return [Requirement(text) for text in texts]


def problems(wanted: Iterable[Requirement], pinned: dict[NormalizedName, Version]) -> list[str]:
    """What is missing, of a wrong version, or never asked for, following the metadata of what is installed here."""
    missing: list[str] = []
    reached: set[NormalizedName] = set()
    seen: set[tuple[NormalizedName, frozenset[str]]] = set()
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = frozenset(requirement.extras)
        if name not in pinned or not requirement.specifier.contains(pinned[name], prereleases=True):
            missing.append(str(requirement))
            continue
        reached.add(name)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        waiting += asked_by(name, extras)
    return missing + [f"nobody asks for {name}" for name in elsewhere_never(pinned.keys() - reached)]


def asked_by(name: NormalizedName, extras: frozenset[str]) -> Iterator[Requirement]:
    """What an installed distribution asks for here, with these extras of its own."""
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        environments = [{"extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(requirement.marker.evaluate(environment) for environment in environments):
            yield requirement


def elsewhere_never(names: Iterable[NormalizedName]) -> list[NormalizedName]:
    """Those of the names that are installed here: the others are for other systems and Pythons, which cannot be asked."""
    installed = {canonicalize_name(found.metadata["Name"]) for found in metadata.distributions()}
    return sorted(name for name in names if name in installed)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_complete_and_closed(name: str) -> None:
    assert problems(roots(name), pins(lock(name))) == []


def test_a_line_that_is_missing_is_seen() -> None:
    pinned = pins(lock("run"))
    del pinned[canonicalize_name("werkzeug")]
    assert any("werkzeug" in problem.lower() for problem in problems(roots("run"), pinned))


def test_a_line_that_nobody_asks_for_is_seen() -> None:
    pinned = pins(lock("run")) | {canonicalize_name("pytest"): Version("9.0.0")}
    assert problems(roots("run"), pinned) == ["nobody asks for pytest"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_has_its_digests(name: str) -> None:
    """Nothing is installed whose digest is not known: each distribution is followed by at least one."""
    blocks = re.split(r"^(?=[\w.-]+==)", lock(name), flags=re.MULTILINE)
    assert [block.splitlines()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


def test_both_locks_agree() -> None:
    run, dev = pins(lock("run")), pins(lock("dev"))
    assert {name: version for name, version in run.items() if dev.get(name) != version} == {}
