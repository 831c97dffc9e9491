"""What no program of the authority wrote into a table is told by `doctor`, and keeps it from nothing else that it looks at."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from authority.domain.refusals import StorageUnavailable
from authority.services import examination, watching
from authority.storage import preferences
from authority.storage.db import tables
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.sealed_logs import changed, unit

# By what is written, the lines of `doctor` that tell it.
BREAKS = {
    "UPDATE preferences SET value = 'x'": ["backup"],
    "UPDATE preferences SET value = '7'": ["backup"],
    "DELETE FROM notice_runs": ["notices"],
    "UPDATE notice_runs SET watches = 'x'": ["notices"],
    """UPDATE notice_runs SET watches = '{"arcgis-pro":7}'""": ["notices"],
    "UPDATE notice_runs SET run_at = 'x'": ["notices"],
    "UPDATE notice_runs SET run_at = 9223372036854775807": ["notices"],
}


@ON_SQLITE
def test_doctor_tells_what_is_broken_and_looks_at_all_else(bench: Bench) -> None:
    with bench.authority.database.write() as connection:
        preferences.put(connection, "last-backup", {"made_at": 1})
    subjects = [item.subject for item in examination.examine(unit(bench))]
    for statement, broken in BREAKS.items():

        def break_it(connection: Connection, statement: str = statement) -> None:
            connection.exec_driver_sql(statement)

        with changed(bench, break_it, (tables.preferences, tables.notice_runs)):
            findings = examination.examine(unit(bench))
            assert [item.subject for item in findings] == subjects
            assert [item.subject for item in findings if not item.ok] == broken, statement
            # So does who watches it: as a database that says nothing.
            with pytest.raises(StorageUnavailable):
                watching.read(unit(bench))


def test_a_check_that_breaks_is_a_finding() -> None:
    broken = examination.finding("disk", lambda: str(1 // 0))
    assert (broken.subject, broken.ok) == ("disk", False)
    assert "ZeroDivisionError" in broken.message
