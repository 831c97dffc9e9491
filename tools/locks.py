"""Whether a lock is closed: every requirement is met by one of its lines, and every line is asked for by something.

A lock is installed without resolving, so that a newer release on an index changes nothing. What a resolver would have noticed is
asked here, of the metadata of the distributions that are installed.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path

from packaging.dependency_groups import DependencyGroupResolver
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# What each lock is made for, as `make lock` names it: the extras and the dependency groups of pyproject.toml.
LOCKS = {
    ".ci/run.lock": (("authority", "qr", "keyring", "oidc", "notices"), ("build",)),
    ".ci/dev.lock": (("authority", "postgres", "notebooks", "qr", "keyring", "oidc", "notices"), ("dev",)),
}
PYTHONS = ("3.11.0", "3.11.14", "3.12.0", "3.13.0", "3.14.0")
SYSTEMS = {
    "linux": {"os_name": "posix", "platform_system": "Linux"},
    "darwin": {"os_name": "posix", "platform_system": "Darwin"},
    "win32": {"os_name": "nt", "platform_system": "Windows"},
}

Environment = Mapping[str, str]
# The requirements of the release of a distribution (name, version), or None where that release is not installed.
Metadata = Callable[[str, str], list[Requirement] | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One release in a lock, the environments that it is for, and whether its files are known by their digests."""

    requirement: Requirement
    version: str
    has_digests: bool

    @property
    def name(self) -> str:
        """The name as every index spells it."""
        return canonicalize_name(self.requirement.name)

    def is_for(self, environment: Environment) -> bool:
        """Whether it is installed there."""
        return _holds(self.requirement, environment)


def lines_of(text: str) -> list[Line]:
    """The lines of a lock. Raises ValueError for one that does not name exactly one release."""
    lines = []
    for entry in text.replace("\\\n", " ").splitlines():
        words, *digests = entry.partition("#")[0].split(" --hash=")
        if not words.strip():
            continue
        requirement = Requirement(words.strip())
        version = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
        if version is None:
            raise ValueError(f"{words.strip()} does not name one release")
        lines.append(Line(requirement, version[1], bool(digests)))
    return lines


def asked_for(extras: Iterable[str], groups: Iterable[str], pyproject: Path = ROOT / "pyproject.toml") -> list[Requirement]:
    """What the project asks for itself: its dependencies, and those of the extras and dependency groups."""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project, resolver = content["project"], DependencyGroupResolver(content["dependency-groups"])
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return [*map(Requirement, texts), *(requirement for group in groups for requirement in resolver.resolve(group))]


@functools.cache
def installed(name: str, version: str) -> list[Requirement] | None:
    """What a release requires, by the metadata of this Python's environment; None where it is not installed."""
    try:
        release = distribution(name)
    except PackageNotFoundError:
        return None
    return [Requirement(text) for text in release.requires or []] if release.version == version else None


def here() -> Environment:
    """The environment of this Python, as markers ask for it."""
    return {name: str(value) for name, value in default_environment().items()}


def elsewhere() -> list[Environment]:
    """An environment for each supported Python on each system."""
    return [
        {
            **here(),
            **SYSTEMS[system],
            "sys_platform": system,
            "python_full_version": python,
            "python_version": python.rpartition(".")[0],
        }
        for python, system in product(PYTHONS, SYSTEMS)
    ]


class Walk:
    """A walk from what the project asks for through the metadata, in one environment; `faults` has what is wrong."""

    def __init__(self, lines: list[Line], environment: Environment, metadata: Metadata = installed) -> None:
        self.environment = environment
        self.metadata = metadata
        self.lines = [line for line in lines if line.is_for(environment)]
        self.faults: list[str] = []
        # Distribution and extra; "" for the distribution without one.
        self.reached: set[tuple[str, str]] = set()
        self.unknown: set[str] = set()

    def run(self, requirements: Iterable[Requirement]) -> Walk:
        """Follows every requirement that holds in the environment, with its extras."""
        for requirement in requirements:
            self._follow("the project", requirement, "")
        return self

    def idle(self) -> list[str]:
        """The releases for this environment that nothing asks for. Complete only where nothing is unknown."""
        names = {name for name, _ in self.reached}
        return [str(line.requirement) for line in self.lines if line.name not in names]

    def _follow(self, asking: str, requirement: Requirement, extra: str) -> None:
        if not _holds(requirement, self.environment, extra):
            return
        name = canonicalize_name(requirement.name)
        lines = [line for line in self.lines if line.name == name]
        if len(lines) != 1:
            self.faults.append(f"{asking} asks for {requirement}, and the lock has {len(lines)} releases of {name}")
            return
        (line,) = lines
        if not requirement.specifier.contains(line.version, prereleases=True):
            self.faults.append(f"{asking} asks for {requirement}, and the lock has {line.version}")
        for more in ("", *sorted(requirement.extras)):
            self._enter(line, more)

    def _enter(self, line: Line, extra: str) -> None:
        if (line.name, extra) in self.reached:
            return
        self.reached.add((line.name, extra))
        requirements = self.metadata(line.name, line.version)
        if requirements is None:
            self.unknown.add(f"{line.name}=={line.version}")
        for requirement in requirements or []:
            self._follow(line.name, requirement, extra)


def faults(lines: list[Line], requirements: list[Requirement], metadata: Metadata = installed) -> list[str]:
    """What is wrong with a lock, a sentence each; empty when it is closed.

    Here every line must be installed as it stands, and reached. In the other environments every requirement that is known must
    be met; what a release asks for that is installed in none of them but there is not known.
    """
    walk = Walk(lines, here(), metadata).run(requirements)
    sentences = [f"{line.requirement} has no digest" for line in lines if not line.has_digests]
    sentences += [f"{name} is not installed here" for name in sorted(walk.unknown)]
    sentences += walk.faults + [f"nothing asks for {release}" for release in walk.idle()]
    for environment in elsewhere():
        place = f"Python {environment['python_full_version']} on {environment['sys_platform']}"
        sentences += [f"{place}: {fault}" for fault in Walk(lines, environment, metadata).run(requirements).faults]
    return sentences


def _holds(requirement: Requirement, environment: Environment, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})
