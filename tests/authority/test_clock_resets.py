"""A clock reset made by the command, for the machine of a borrow and the code that it shows."""

from __future__ import annotations

import json

import pytest

from authority.domain.refusals import InvalidInput, NotAllowed, NotFound
from authority.services import borrow, clock_resets, log
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.workstations import SimulatedWorkstation
from verifier.core.clock_reset import code_of, open_reset
from verifier.core.times import timestamp
from verifier.core.trust import TrustStore
from verifier.workstation.carry import Wish


def test_a_reset_is_for_the_machine_of_the_borrow_and_the_code_that_was_told(sqlite_bench: Bench) -> None:
    bench, laptop = sqlite_bench, SimulatedWorkstation()
    ada, chief = bench.member("ada"), bench.administrator()
    unit = Unit(bench.authority, ada)
    borrow_id = borrow.issue(unit, laptop.request(Wish("arcgis-pro", days=3), bench.clock())).borrow.id
    key = laptop.key.public.kid
    code = code_of(key, 2)
    data = clock_resets.make(Unit(bench.authority, chief), borrow_id, code.lower().replace("-", " "), "battery replaced")
    reset = open_reset(data, TrustStore.read(bench.trust_file))
    assert (reset.machine_key, reset.code, reset.iat) == (key, code, timestamp(bench.clock()))
    assert json.loads(data)["carnet"] == "clock-reset"
    with pytest.raises(InvalidInput, match="is not one of the machine"):
        clock_resets.make(Unit(bench.authority, chief), borrow_id, code_of("A" * 43, 0), "typed wrongly")
    with pytest.raises(InvalidInput):
        clock_resets.make(Unit(bench.authority, chief), borrow_id, code, " ")
    with pytest.raises(NotFound):
        clock_resets.make(Unit(bench.authority, chief), "B" * 22, code, "no such borrow")
    with pytest.raises(NotAllowed):
        clock_resets.make(Unit(bench.authority, ada), borrow_id, code, "by the member")
    rows = log.page(Unit(bench.authority, chief), 0, ["clock-reset"], 10)
    assert [(row["handle"], row["reason"], row["quantity"]) for row in rows] == [(borrow_id, "battery replaced", 0)]
