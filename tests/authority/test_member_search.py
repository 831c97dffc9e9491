"""Members found by what they are called, what they are and what they use; in each order, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from authority.domain.activity import Dot
from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import InvalidInput, NotAllowed, NotFound
from authority.services import member_search, members, removal
from authority.services.members import Change
from authority.services.unit import Unit
from authority.storage.member_search import Order, Search
from tests.conftest import DATABASES, new_postgres_database
from tests.support.authorities import Bench, make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import started


@pytest.fixture(scope="module", params=DATABASES)
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench with some people who differ in everything that can be asked for."""
    folder: Path = tmp_path_factory.mktemp("crowd")
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{folder / 'authority.db'}" if is_sqlite else new_postgres_database(request.getfixturevalue("postgres"))
    bench = make_bench(url, folder / "home")
    bench.member("ada", full_name="Ada Lovelace", groups=("Survey North",))
    bench.member("bob", full_name="Bob Berg", user_type="Creator", role=Role.ANALYST, groups=("100%",))
    bench.member("cem", full_name="ÇELİK Cem", groups=("night_shift",))
    bench.member("dana", full_name="dana novák")
    members.change(Unit(bench.authority, CONSOLE), "dana", Change(disabled=True))
    bench.clock.turn(days=40)
    issued_to(bench, actor_of(bench, "ada"), workstation("laptop"))
    bench.clock.turn(days=1)
    started(bench, actor_of(bench, "cem"), workstation("tower"))
    yield bench
    bench.authority.database.close()


def actor_of(bench: Bench, username: str) -> Actor:
    member = members.show(Unit(bench.authority, CONSOLE), username)[0]
    return Actor(member.id, member.username, member.role)


def names(bench: Bench, wanted: Search, unused_for: timedelta | None = None) -> list[str]:
    """The user names on the page, and that all on it are all that are counted."""
    page = member_search.page(Unit(bench.authority, CONSOLE), wanted, unused_for=unused_for)
    assert page.matching == len(page.rows)
    return [row.member.username for row in page.rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AD", ["ada", "admin"]),
        ("lovel", ["ada"]),
        ("çelik", ["cem"]),
        ("celik", ["cem"]),
        ("NOVÁK", ["dana"]),
        ("survey  north", ["ada"]),
        ("100%", ["bob"]),
        ("0_", []),
        ("night_", ["cem"]),
        ("%", ["bob"]),
        ("nobody", []),
        ("'; DROP TABLE members; --", []),
    ],
)
def test_a_part_of_a_name_or_group_is_enough_whatever_its_case(crowd: Bench, text: str, expected: list[str]) -> None:
    assert names(crowd, Search(text=text)) == expected


def test_each_filter_leaves_those_it_names(crowd: Bench) -> None:
    everybody = ["ada", "admin", "bob", "cem", "dana"]
    assert names(crowd, Search()) == everybody
    assert names(crowd, Search(user_type="Creator")) == ["bob"]
    assert names(crowd, Search(role="analyst", text="berg")) == ["bob"]
    assert names(crowd, Search(group="survey north")) == ["ada"]
    assert names(crowd, Search(disabled=True)) == ["dana"]
    assert names(crowd, Search(disabled=False)) == ["ada", "admin", "bob", "cem"]
    assert names(crowd, Search(offline=True)) == ["ada"]
    assert names(crowd, Search(offline=False)) == everybody[1:]
    assert names(crowd, Search(), unused_for=timedelta(days=30)) == ["admin", "bob", "dana"]
    assert names(crowd, Search(), unused_for=timedelta(days=90)) == []
    with pytest.raises(NotFound):
        names(crowd, Search(group="no such group"))


def test_a_row_says_what_is_held_and_whether_it_is_at_work_or_offline(crowd: Bench) -> None:
    rows = {row.member.username: row for row in member_search.every(Unit(crowd.authority, CONSOLE), Search())}
    assert {name: row.state for name, row in rows.items() if row.state is not Dot.NONE} == {"ada": Dot.RED, "cem": Dot.GREEN}
    assert rows["ada"].offline_until is not None
    assert rows["ada"].offline_until > crowd.clock()
    assert {item.product for item in rows["ada"].licenses} >= {"arcgis-pro"}
    assert rows["admin"].licenses == ()


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("descending", [False, True])
def test_pages_in_any_order_have_everybody_once(crowd: Bench, order: Order, descending: bool) -> None:
    wanted, unit = Search(order=order, descending=descending), Unit(crowd.authority, CONSOLE)
    whole = [row.member.username for row in member_search.every(unit, wanted)]
    paged: list[str] = []
    cursor: str | None = None
    while True:
        page = member_search.page(unit, wanted, cursor=cursor, limit=2)
        paged += [row.member.username for row in page.rows]
        if (cursor := page.cursor) is None:
            break
    assert paged == whole
    assert len(set(whole)) == 5
    opposite = [row.member.username for row in member_search.every(unit, Search(order=order, descending=not descending))]
    assert whole == opposite[::-1]


def test_the_latest_use_comes_last_and_never_first(crowd: Bench) -> None:
    rows = member_search.every(Unit(crowd.authority, CONSOLE), Search(order=Order.LAST_USED))
    assert [row.member.username for row in rows][-2:] == ["ada", "cem"]


def test_a_page_after_somebody_who_is_gone_begins_anew_unless_names_alone_tell_where(crowd: Bench) -> None:
    unit = Unit(crowd.authority, CONSOLE)
    crowd.member("aaron", full_name="Aaron")
    by_name = member_search.page(unit, Search(), limit=1).cursor
    by_full_name = member_search.page(unit, Search(text="aaron", order=Order.FULL_NAME), limit=1)
    assert by_full_name.cursor is None
    removal.remove(unit, ["aaron"], release=False)
    assert member_search.page(unit, Search(), cursor=by_name, limit=1).rows[0].member.username == "ada"
    with pytest.raises(InvalidInput):
        member_search.page(unit, Search(order=Order.FULL_NAME), cursor=by_name)


def test_it_is_for_those_who_manage_members_or_licenses(crowd: Bench) -> None:
    for search in (member_search.page, member_search.every):
        with pytest.raises(NotAllowed):
            search(Unit(crowd.authority, actor_of(crowd, "bob")), Search())
