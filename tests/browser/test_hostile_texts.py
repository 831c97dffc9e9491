"""Texts that people may choose, in a real browser: none of them runs or becomes part of a page."""

from __future__ import annotations

from authority.domain.members import CONSOLE
from authority.services import endings
from authority.services.unit import Unit
from tests.browser.conftest import Visitors
from tests.connected.conftest import RunningServer
from tests.support.borrowing import issued_to
from tests.support.connecting import started
from tests.support.workstations import SimulatedWorkstation

# Out of an attribute, out of an element, and by an event.
SVG, IMAGE, SCRIPT = '"><svg onload=alert(1)>', "<img src=x onerror=alert(2)>", "</td><script>alert(3)</script>"
# What no page of the console has by itself: pictures, scripts in the page, and elements that react.
FOREIGN = "img, script:not([src]), svg:not([role=img]), [onload], [onerror], iframe, base"


def test_no_text_runs_on_the_pages_that_show_it(visitors: Visitors, server: RunningServer) -> None:
    name = "mallory"
    member = server.member(name, full_name=IMAGE, groups=(SCRIPT,))
    issued = issued_to(server.bench, member, SimulatedWorkstation("lost", alias=SVG), days=9)
    started(server.bench, server.member(f"{name}-too"), SimulatedWorkstation("tower", alias=IMAGE))
    lost = issued_to(server.bench, member, SimulatedWorkstation("gone", alias=SCRIPT), "arcgis-desktop", days=9).borrow
    endings.revoke(Unit(server.bench.authority, CONSOLE), lost.id, reason=SCRIPT)
    pages = {
        f"/console/members?search={name}": (IMAGE, SCRIPT),
        f"/console/member/{name}": (IMAGE, SCRIPT, SVG),
        f"/console/offline?member={name}": (SVG,),
        f"/console/offline/{issued.borrow.id}": (SVG, SCRIPT),
        f"/console/offline/{lost.id}": (SCRIPT,),
        f"/console/activity?search={name}": (IMAGE,),
        f"/console/licenses?search={name}": (IMAGE,),
        f"/console/log?member={name}": (SVG, SCRIPT),
    }
    person = visitors.come("administrator")
    for address, texts in pages.items():
        person.open(address)
        shown = person.page.get_by_role("main").inner_text()
        assert [text for text in texts if text not in shown] == [], address
        assert person.page.locator(FOREIGN).count() == 0, address
