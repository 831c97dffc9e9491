"""No page of the console grows with the organization: every list is a page of a list, whatever there is."""

from __future__ import annotations

from pathlib import Path

from authority.domain.members import CONSOLE, CredentialKind, Role
from authority.domain.notices import ChannelType
from authority.domain.offline_rules import Rule, RuleLevel
from authority.services import access, channels
from authority.services.channels import NewChannel
from authority.services.unit import Unit
from authority.storage import credentials, events, members, offline_rules
from authority.storage.credentials import Credential
from authority.web.console.site import FOR_STRANGERS
from tests.support.authorities import START, make_bench
from tests.support.browsing import Browser
from tests.support.filling import CONCURRENT, NAMED, Filling, long_past, now_out, room_for
from tests.support.web import Web, make_web

# More than what stands on any page, and twice that.
FEW, MANY = 121, 243
MOST_KILOBYTES = 150
FILES = (".csv", ".checkpoint", ".<any(csv,jsonl,parquet):ending>", "/file")


def _web(folder: Path, count: int) -> Web:
    """An organization with so many of everything: members, borrows out, borrows and sign-ins of one member, rules, keys, events."""
    folder.mkdir()
    web = make_web(make_bench(f"sqlite:///{folder}/authority.db", folder / "home", change=room_for(count)))
    authority = web.bench.authority
    with authority.database.write() as connection:
        filling = Filling(authority, connection, count + 1)
        filling.add_members()
        filling.add_borrows(range(2 * count), now_out)
        filling.add_borrows(range(2 * count + 7, (count + 2) * count + 7, count), long_past)
        for number in range(count):
            offline_rules.put(connection, Rule(RuleLevel.GROUP, f"crew{number:06}", "", None, 9, None))
        member7 = members.by_username(connection, "member7")
        administrator = members.by_username(connection, "administrator")
        assert member7 is not None
        assert administrator is not None
        for owner in (member7.id, administrator.id):
            for kind in CredentialKind:
                for number in range(count):
                    name = f"of {owner:06} {number:06} {kind}"
                    ends_at = START.replace(year=2027)
                    credentials.add(
                        connection,
                        Credential(authority.fresh_id(), kind, name, name, owner, START, ends_at, None),
                    )
    return web


def _addresses(web: Web) -> list[str]:
    """Every page, and those lists that show a kind of use only where it is asked for."""
    with web.bench.authority.database.read() as connection:
        (event, *_) = events.listed(connection, events.Filter(members=["member7"], handle=None, limit=1), 10**9)
    of_member7 = access.sign_ins_of(Unit(web.bench.authority, CONSOLE), "member7")
    channel = channels.add(
        Unit(web.bench.authority, CONSOLE), NewChannel("hook", ChannelType.WEBHOOK, "https://hooks.example.org")
    )
    arguments = {
        "channel_id": channel.id,
        "username": "member7",
        "borrow_id": event["handle"],
        "event_id": event["id"],
        "product": NAMED,
    }
    assert of_member7
    addresses = [f"/console/activity?product={CONCURRENT}", "/console/log?member=member7", "/console/offline?sort=newest"]
    for rule in web.client.application.url_map.iter_rules():
        module = rule.endpoint.removeprefix("console.").partition(".")[0]
        is_page = rule.endpoint.startswith("console.") and "GET" in (rule.methods or ()) and not rule.rule.endswith(FILES)
        if is_page and module not in (*FOR_STRANGERS, "static"):
            built = rule.build(arguments, append_unknown=False)
            assert built is not None, rule
            addresses.append(built[1])
    return addresses


def _weights(web: Web) -> dict[str, int]:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    weights = {}
    for address in _addresses(web):
        answer = browser.get(address)
        assert answer.status_code in (200, 303), address
        # Ids differ from one organization to the other.
        weights["/".join(part for part in address.split("/") if len(part) != 22 and not part.isdigit())] = len(answer.data)
    return weights


def test_no_page_is_heavier_in_an_organization_of_twice_as_many_of_everything(tmp_path: Path) -> None:
    few, many = _weights(_web(tmp_path / "few", FEW)), _weights(_web(tmp_path / "many", MANY))
    assert few.keys() == many.keys()
    assert {"/console/members", "/console/offline", "/console/log", "/console/rules", "/console/api-keys"} <= few.keys()
    # A list that is not paged would have 120 rows more. Numbers of one figure more are none, nor are bars for days that had none.
    grown = {name: (few[name], weight) for name, weight in many.items() if weight > few[name] * 1.03 + 2_000}
    assert grown == {}
    assert {name: weight for name, weight in many.items() if weight > MOST_KILOBYTES * 1000} == {}
