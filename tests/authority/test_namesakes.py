"""A namesake: a new member with the user name of one who was removed gets nothing of the earlier one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Actor
from authority.domain.refusals import NotAllowed, NotAuthenticated, NotFound, Refusal, RequestReplayed
from authority.services import access, activity, borrow, endings, me, members, removal, sessions
from authority.services.borrow import Issued
from authority.services.sessions import Started
from authority.services.unit import Unit
from authority.storage import borrows as stored_borrows
from authority.storage import sessions as stored_sessions
from authority.web.application import create_app
from tests.support.authorities import Bench, actor_of
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import asked, started
from tests.support.web import API
from verifier.workstation.carry import Wish

PASSWORD = "first-holder-pass-1"


@dataclass
class Earlier:
    """What the earlier member left, and the namesake."""

    borrow: Issued
    request: str
    receipt: str
    session: Started
    api_key: str
    sign_in: str
    namesake: Actor


@pytest.fixture
def earlier(bench: Bench) -> Earlier:
    jane, laptop, console = bench.member("J.Smith", groups=("crew",), password=PASSWORD), workstation("laptop"), CONSOLE
    request = laptop.request(Wish("arcgis-pro", days=5), bench.clock())
    issued = borrow.issue(Unit(bench.authority, jane), request)
    receipt = laptop.receipt_for(issued.file, bench.clock())
    session = started(bench, jane, workstation("tower"), "arcgis-desktop")
    key = access.create_api_key(Unit(bench.authority, console), "j.smith", "backup")[0]
    sign_in = access.sign_in(Unit(bench.authority, console), "j.smith", PASSWORD)[0]
    removal.remove(Unit(bench.authority, console), ["j.smith"], release=True)
    namesake = bench.member("j.smith", password="second-holder-pass-2")
    return Earlier(issued, request, receipt, session, key, sign_in, namesake)


def test_a_namesake_sees_no_borrow_and_no_session_of_the_earlier_member(bench: Bench, earlier: Earlier) -> None:
    mine = Unit(bench.authority, earlier.namesake)
    assert borrow.listed(mine, stored_borrows.Filter())[0] == []
    assert sessions.listed(mine, stored_sessions.Filter(ended=True))[0] == []
    for show in (borrow.show, borrow.newest_file):
        with pytest.raises(NotFound):
            show(mine, earlier.borrow.borrow.id)
    request = asked(workstation("tower"), at=bench.clock())
    uses: list[Callable[[Unit, str], object]] = [lambda unit, number: sessions.renew(unit, number, request)]
    for use in (*uses, sessions.show, sessions.check_in):
        with pytest.raises(NotFound):
            use(mine, earlier.session.session.id)
    own = me.show(mine)
    assert own.member.groups == ()
    assert [item for item in own.licenses if item.borrow or item.sessions] == []


def test_a_namesake_gets_the_files_of_the_earlier_member_by_no_request_and_no_receipt(bench: Bench, earlier: Earlier) -> None:
    mine = Unit(bench.authority, earlier.namesake)
    with pytest.raises(RequestReplayed):
        borrow.issue(mine, earlier.request)
    with pytest.raises(RequestReplayed):
        borrow.issue(Unit(bench.authority, CONSOLE), earlier.request, "j.smith")
    with pytest.raises(NotAllowed):
        endings.check_in(mine, earlier.receipt)
    assert endings.check_in(Unit(bench.authority, CONSOLE), earlier.receipt).id == earlier.borrow.borrow.id


def test_no_secret_of_the_earlier_member_is_the_namesakes(bench: Bench, earlier: Earlier) -> None:
    for secret in (earlier.api_key, earlier.sign_in):
        with pytest.raises(NotAuthenticated):
            actor_of(bench, secret)
    with pytest.raises(NotAuthenticated):
        access.sign_in(Unit(bench.authority, CONSOLE), "j.smith", PASSWORD)
    assert [key.name for key in access.api_keys(Unit(bench.authority, CONSOLE))[0]] == ["first key"]


def test_administrators_see_no_use_of_the_earlier_member_as_the_namesakes(bench: Bench, earlier: Earlier) -> None:
    everything = Unit(bench.authority, CONSOLE)
    assert members.show(everything, "j.smith")[0].last_used_at is None
    assert sessions.listed(everything, stored_sessions.Filter(member="J.SMITH", ended=True))[0] == []
    for product in ("arcgis-pro", "arcgis-desktop"):
        rows = [row for row in activity.listed(everything, product)[0] if row.member == "j.smith"]
        assert [(row.last_used_at, row.borrows, row.sessions) for row in rows] in ([], [(None, (), ())])


def test_a_namesake_borrows_as_anybody_does(bench: Bench, earlier: Earlier) -> None:
    issued = issued_to(bench, earlier.namesake, workstation("second"))
    assert issued.borrow.member_id == earlier.namesake.member_id != earlier.borrow.borrow.member_id
    mine = Unit(bench.authority, earlier.namesake)
    assert [item.id for item in borrow.listed(mine, stored_borrows.Filter(member="somebody"))[0]] == [issued.borrow.id]
    assert borrow.newest_file(mine, issued.borrow.id) == issued.file


def test_over_http_a_namesake_is_told_404(bench: Bench, earlier: Earlier) -> None:
    client = create_app(bench.authority).test_client()
    answer = client.post(f"{API}/sign-in", json={"username": "j.smith", "password": "second-holder-pass-2"})
    headers = {"Authorization": f"Bearer {answer.get_json()['token']}"}

    def get(path: str) -> TestResponse:
        return client.get(API + path, headers=headers)

    assert get("/borrows").get_json()["items"] == []
    borrow_id, session_id = earlier.borrow.borrow.id, earlier.session.session.id
    for path in (f"/borrows/{borrow_id}", f"/borrows/{borrow_id}/file", f"/sessions/{session_id}"):
        assert get(path).status_code == 404, path


def test_who_is_no_member_and_may_not_view_all_sees_nothing(bench: Bench, earlier: Earlier) -> None:
    """An actor without a number has no borrows of their own, whatever name it goes by."""
    nobody = Unit(bench.authority, Actor(None, "j.smith", earlier.namesake.role))
    assert borrow.listed(nobody, stored_borrows.Filter())[0] == []
    assert sessions.listed(nobody, stored_sessions.Filter(ended=True))[0] == []
    with pytest.raises(Refusal):
        borrow.show(nobody, earlier.borrow.borrow.id)
