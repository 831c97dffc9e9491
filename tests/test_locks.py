"""The locks are closed: nothing is asked for that they lack, and nothing is in them that nobody asks for."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.dependency_groups import DependencyGroupResolver
from packaging.requirements import Requirement

from tools.locks import LOCKS, ROOT, Walk, asked_for, elsewhere, faults, here, installed, lines_of

LINES = {name: lines_of((ROOT / name).read_text(encoding="utf-8")) for name in LOCKS}
REQUIREMENTS = {name: asked_for(*parts) for name, parts in LOCKS.items()}
MAKING = {"--extra": 0, "--group": 1}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_closed(name: str) -> None:
    assert len(LINES[name]) > 30
    assert faults(LINES[name], REQUIREMENTS[name]) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_for_what_make_lock_says(name: str) -> None:
    """The extras and groups are those of the command in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = re.findall(rf"uv pip compile (.*) -o {re.escape(name)}$", makefile, re.MULTILINE)
    for option, place in MAKING.items():
        assert tuple(re.findall(rf"{option} (\S+)", command)) == LOCKS[name][place]


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_that_is_taken_out_is_missed(name: str) -> None:
    """Each line that is for this Python, one at a time; the sentence names what is missing."""
    lines = [line for line in LINES[name] if line.is_for(here())]
    for line in lines:
        walk = Walk([other for other in lines if other is not line], here()).run(REQUIREMENTS[name])
        assert any(fault.endswith(f"the lock has 0 releases of {line.name}") for fault in walk.faults)


@pytest.mark.parametrize(
    ("release", "sentence"),
    [
        ("colorama", "Python 3.13.0 on win32: pytest asks for colorama"),
        ("soupsieve==2", "Python 3.11.0 on linux: beautifulsoup4 asks for soupsieve"),
    ],
    ids=["another system", "another Python"],
)
def test_a_line_for_another_environment_is_missed_too(release: str, sentence: str) -> None:
    name = ".ci/dev.lock"
    rest = [line for line in LINES[name] if not str(line.requirement).startswith(release)]
    assert len(rest) == len(LINES[name]) - 1
    assert any(fault.startswith(sentence) for fault in faults(rest, REQUIREMENTS[name]))


def test_a_line_that_nothing_asks_for_is_seen() -> None:
    more = lines_of("left-over==1.0 --hash=sha256:00")
    assert faults([*LINES[".ci/run.lock"], *more], REQUIREMENTS[".ci/run.lock"]) == ["nothing asks for left-over==1.0"]


def test_the_requirements_of_an_extra_are_asked_for() -> None:
    """What `coverage[toml]` asked for on an older release: the extra has a requirement, and the lock lacks it."""

    def metadata(name: str, version: str) -> list[Requirement] | None:
        more = [Requirement('tomli; extra == "toml"')] if name == "coverage" else []
        return [*(installed(name, version) or []), *more]

    sentences = faults(LINES[".ci/dev.lock"], REQUIREMENTS[".ci/dev.lock"], metadata)
    assert 'coverage asks for tomli; extra == "toml", and the lock has 0 releases of tomli' in sentences


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace("click==8", "click==7"), "and the lock has 7"),
        (lambda text: re.sub(r"(?m)^(click==\S+) \\\n(?:    --hash.*\n)+", r"\1\n", text), "has no digest"),
        (
            lambda text: text + re.findall(r"(?m)^click==\S+", text)[0] + " --hash=sha256:00\n",
            "the lock has 2 releases of click",
        ),
    ],
    ids=["too old", "no digest", "twice"],
)
def test_a_line_that_is_wrong_is_seen(change: object, sentence: str) -> None:
    assert callable(change)
    text = change((ROOT / ".ci/run.lock").read_text(encoding="utf-8"))
    assert any(sentence in fault for fault in faults(lines_of(text), REQUIREMENTS[".ci/run.lock"]))


@pytest.mark.parametrize("text", ["click>=8", "click", "click==8.*", "click==8,<9"])
def test_a_line_names_one_release(text: str) -> None:
    with pytest.raises(ValueError, match="does not name one release"):
        lines_of(text)


def test_both_locks_agree() -> None:
    # By their releases: where a package is installed at all, the lock of fewer packages may say more narrowly.
    run, dev = ({f"{line.requirement.name}{line.requirement.specifier}" for line in LINES[name]} for name in LOCKS)
    assert run - dev == set()


def test_the_lock_of_the_fuzzing_is_what_its_group_asks_for_and_nothing_beside() -> None:
    """It is for Linux on x86-64 alone, and for each supported Python there has one release."""
    lines = lines_of((ROOT / ".ci/fuzz.lock").read_text(encoding="utf-8"))
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    asked = DependencyGroupResolver(groups).resolve("fuzz")
    assert all(line.name == "atheris" and line.has_digests for line in lines)
    for environment in elsewhere():
        machine = {**environment, "platform_machine": "x86_64"}
        releases = [line.version for line in lines if line.is_for(machine)]
        wanted = [item.specifier for item in asked if item.marker is None or item.marker.evaluate(machine)]
        assert len(releases) == len(wanted) == (environment["sys_platform"] == "linux")
        assert all(one.contains(release) for one, release in zip(wanted, releases, strict=True))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    assert re.search(r"uv pip compile --group pyproject.toml:fuzz .* -o .ci/fuzz.lock$", makefile, re.MULTILINE)
