"""What `doctor` says about status lists of the future, and about the Python that it runs on."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable

import pytest

from authority.domain.members import CONSOLE
from authority.services import examination, python_build, status_lists
from authority.services.unit import Unit
from tests.support.authorities import Bench

AS_CONFIGURED = "'--prefix=/usr' '--enable-shared'"


@pytest.mark.parametrize(
    ("flags", "arguments", "words"),
    [
        (
            "-Wsign-compare -DNDEBUG -g -fwrapv -O3 -Wall",
            AS_CONFIGURED,
            "built with -O3, and does not say whether by a profile",
        ),
        (
            "-DNDEBUG -g -fwrapv -O2 -Wall -g -fwrapv -O2",
            AS_CONFIGURED,
            "built with -O2, and does not say whether by a profile",
        ),
        ("-g -Ofast", AS_CONFIGURED, "built with -Ofast, and does not say whether by a profile"),
        ("-Wsign-compare -g -Og -Wall", AS_CONFIGURED, "without optimization (-Og)"),
        ("-g -O0 -Wall", AS_CONFIGURED, "without optimization (-O0)"),
        ("-g -O -Wall", AS_CONFIGURED, "without optimization (-O)"),
        ("-g -O3 -Wall -O0", AS_CONFIGURED, "without optimization (-O0)"),
        ("-g -O3 -Wall -O0", "'--enable-optimizations'", "without optimization (-O0)"),
        ("-g -O0 -Wall -O3", AS_CONFIGURED, "built with -O3, and"),
        ("-g -Wall", AS_CONFIGURED, "without optimization (no -O)"),
        ("-g -Wall", None, "without optimization (no -O)"),
        ("-g -O3", "'--enable-optimizations' '--with-lto'", "Python was built with optimization"),
        ("-g -O3", "'--enable-optimizations=yes'", "Python was built with optimization"),
        ("-g -O3", "'--enable-optimizations' '--disable-optimizations'", "built with -O3, and does not say"),
        ("-g -O3", "'--enable-optimizations=no'", "built with -O3, and does not say"),
        ("-g -O3", "'--prefix=/opt/--enable-optimizations'", "built with -O3, and does not say"),
        ("-g -O3", "'--prefix=/o", "built with -O3, and does not say"),
        ("-g -O3 -Wall -fprofile-use", AS_CONFIGURED, "Python was built with optimization"),
        (None, None, "Python was built with optimization"),
    ],
)
def test_how_python_was_built_is_told_as_far_as_it_says(flags: str | None, arguments: str | None, words: str) -> None:
    assert words in python_build.sentence_of(flags, arguments)


def test_a_debug_build_is_told_whatever_its_flags() -> None:
    assert "a debug build" in python_build.sentence_of("-O3", "'--enable-optimizations'", is_debug=True)


def status_list_finding(bench: Bench) -> examination.Finding:
    (finding,) = [item for item in examination.examine(Unit(bench.authority, CONSOLE)) if item.subject == "status list"]
    return finding


def test_a_status_list_of_the_future_is_wrong_until_a_new_one_is_published(bench: Bench) -> None:
    assert status_list_finding(bench).ok
    bench.clock.turn(days=40)
    status_lists.export(Unit(bench.authority, CONSOLE))
    bench.clock.turn(days=-40)
    finding = status_list_finding(bench)
    assert not finding.ok
    assert "number 1 is of 2026-04-11 09:00 UTC, when this machine's clock was ahead" in finding.message
    assert "carnet-authority status-list export" in finding.message
    status_lists.export(Unit(bench.authority, CONSOLE))
    finding = status_list_finding(bench)
    assert finding.ok
    assert "number 1 is of 2026-04-11 09:00 UTC" in finding.message
    assert "with number 2 or a later one" in finding.message
    bench.clock.turn(days=41)
    assert "ahead" not in status_list_finding(bench).message


@pytest.mark.parametrize(("flags", "said"), [("-O3", "built with -O3"), ("-O0", "about a third more processor time")])
def test_a_slow_python_is_told_and_is_no_fault(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch, flags: str, said: str
) -> None:
    values: Callable[[str], str | None] = {"PY_CFLAGS": flags, "CONFIG_ARGS": AS_CONFIGURED}.get
    monkeypatch.setattr(sysconfig, "get_config_var", values)
    finding = examination.examine(Unit(sqlite_bench.authority, CONSOLE))[-1]
    assert (finding.subject, finding.ok) == ("python", True)
    assert said in finding.message
