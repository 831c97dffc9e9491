"""What `doctor` says about status lists of the future, and about the Python that it runs on."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable

import pytest

from authority.domain.members import CONSOLE
from authority.services import overview, status_lists
from authority.services.unit import Unit
from tests.support.authorities import Bench

AS_CONFIGURED = "'--prefix=/usr' '--enable-shared'"


@pytest.mark.parametrize(
    ("flags", "arguments", "optimized"),
    [
        ("-Wsign-compare -DNDEBUG -g -fwrapv -O3 -Wall", AS_CONFIGURED, True),
        ("-DNDEBUG -g -fwrapv -O2 -Wall -g -fwrapv -O2", AS_CONFIGURED, True),
        ("-Wsign-compare -g -Og -Wall", AS_CONFIGURED, False),
        ("-g -O0 -Wall", AS_CONFIGURED, False),
        ("-g -O1 -Wall", AS_CONFIGURED, False),
        ("-g -O3 -Wall -O0", AS_CONFIGURED, False),
        ("-g -O0 -Wall -O3", AS_CONFIGURED, True),
        ("-g -Wall", AS_CONFIGURED, False),
        ("-g -Wall", None, False),
        ("-g -Wall", "'--enable-optimizations' '--with-lto'", True),
        ("-g -Wall -fprofile-use", AS_CONFIGURED, True),
        (None, None, True),
    ],
)
def test_an_optimized_python_is_told_by_how_it_was_built(flags: str | None, arguments: str | None, *, optimized: bool) -> None:
    assert overview.is_optimized(flags, arguments) is optimized


def status_list_finding(bench: Bench) -> overview.Finding:
    (finding,) = [item for item in overview.examine(Unit(bench.authority, CONSOLE)) if item.subject == "status list"]
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


@pytest.mark.parametrize(("flags", "said"), [("-O3", "built with optimization"), ("-O0", "about a third more processor time")])
def test_a_slow_python_is_told_and_is_no_fault(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch, flags: str, said: str
) -> None:
    values: Callable[[str], str | None] = {"PY_CFLAGS": flags, "CONFIG_ARGS": AS_CONFIGURED}.get
    monkeypatch.setattr(sysconfig, "get_config_var", values)
    finding = overview.examine(Unit(sqlite_bench.authority, CONSOLE))[-1]
    assert (finding.subject, finding.ok) == ("python", True)
    assert said in finding.message
