"""Users and machines whose names differ in case alone are one, unless it is asked for otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkout_log import read, usage
from checkout_log.spellings import usual

LOG = """\
 6:00:01 (lmgrd) FlexNet Licensing (v11.18.0.0 build 271021 x64_lsb) started on lic-a (linux) (3/2/2026)
 6:00:02 (geod) Server started on lic-a for:\tterrain
 9:00:00 (geod) OUT: "terrain" MIRA@WS-11{blank}
 9:05:00 (geod) OUT: "terrain" mira@ws-11{blank}
10:00:00 (geod) IN: "terrain" MIRA@WS-11{blank}
10:05:00 (geod) IN: "terrain" mira@ws-11{blank}
11:00:00 (geod) OUT: "terrain" mira@ws-11{blank}
11:01:00 (geod) IN: "terrain" mira@ws-11{blank}
11:02:00 (geod) OUT: "terrain" Bob@ws-12{blank}
12:00:03 (lmgrd) TIMESTAMP 3/2/2026
""".format(blank="  ")


@pytest.mark.parametrize(("license", "folded", "apart"), [("member", 1, 2), ("machine", 1, 2), ("handle", 2, 2)])
def test_peaks_count_one_user_once(tmp_path: Path, license: str, folded: int, apart: int) -> None:  # noqa: A002
    (tmp_path / "x").write_text(LOG)
    assert usage.peaks(read(tmp_path / "x"), license=license)["peak"].tolist() == [folded]
    assert usage.peaks(read(tmp_path / "x", fold_case=False), license=license)["peak"].tolist() == [apart]


def test_a_user_has_one_row_under_the_spelling_that_comes_most_often(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(LOG)
    rows = usage.last_used(read(tmp_path / "x"))
    assert sorted(zip(rows["member"], rows["uses"], strict=True)) == [("Bob", 1), ("mira", 3)]
    apart = usage.last_used(read(tmp_path / "x", fold_case=False))
    assert sorted(zip(apart["member"], apart["uses"], strict=True)) == [("Bob", 1), ("MIRA", 1), ("mira", 2)]


def test_events_have_all_columns_and_rows_and_one_spelling(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(LOG)
    folded, apart = (read(tmp_path / "x", fold_case=fold).events() for fold in (True, False))
    assert folded.columns.tolist() == apart.columns.tolist()
    assert folded.drop(columns=["member", "machine"]).equals(apart.drop(columns=["member", "machine"]))
    assert (set(folded["member"]), set(folded["machine"])) == ({"mira", "Bob"}, {"ws-11", "ws-12"})


def test_spellings_by_hand() -> None:
    assert usual([]) == {}
    assert usual([("ann", 3), ("bob", 1)]) == {}
    assert usual([("ANN", 3), ("ann", 2), ("Ann", 1)]) == {"ann": "ANN", "Ann": "ANN"}
    assert usual([("ANN", 2), ("ann", 2)]) == {"ANN": "ann"}
    assert usual([("M\u00dcLLER", 1), ("mu\u0308ller", 5)]) == {"M\u00dcLLER": "mu\u0308ller"}
    assert usual([("STRASSE", 1), ("stra\u00dfe", 5)]) == {"STRASSE": "stra\u00dfe"}
