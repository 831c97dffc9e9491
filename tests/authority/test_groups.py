"""Groups: one group has one name wherever it is named, and a rule for nobody is noted."""

from __future__ import annotations

from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.offline_rules import RuleLevel
from authority.domain.pools import PoolRule
from authority.domain.refusals import InvalidInput, NotFound, OfflineNotAllowed, PoolExhausted
from authority.services import borrow, defaults, member_changes, members, policies, pools
from authority.services.defaults import Defaults
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.storage import groups
from authority.storage.borrows import Filter
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console
from tests.support.web import API, make_web

LOOK_ALIKES = {
    "decomposed": ("Vermessung München", "Vermessung Mu\u0308nchen"),
    "a blank at the end": ("field-crew", "field-crew "),
    "another case": ("field-crew", "Field-Crew"),
    "two blanks": ("field crew", "field  crew"),
    "a wide blank": ("field crew", "field\u3000crew"),
    "wide letters": ("field crew", "ｆｉｅｌｄ crew"),
    "an invisible joiner": ("field-crew", "field-\u200dcrew"),
    "another hyphen": ("field-crew", "field\u2011crew"),
}
looking_alike = pytest.mark.parametrize(("one", "other"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)


def unit(bench: Bench) -> Unit:
    return Unit(bench.authority, CONSOLE)


def deny(bench: Bench, group: str) -> Unit:
    use_case = unit(bench)
    policies.change(use_case, RuleLevel.GROUP, group, "", allowed=False, longest_days=None, default_days=None)
    return use_case


@ON_SQLITE
@looking_alike
def test_a_rule_that_forbids_holds_for_every_spelling_of_its_group(bench: Bench, one: str, other: str) -> None:
    bench.member("nina", groups=(one,))
    noel = bench.member("noel", groups=(other,))
    deny(bench, one)
    with pytest.raises(OfflineNotAllowed):
        issued_to(bench, noel, workstation("laptop"))
    assert "not allowed" in policies.explain(unit(bench), "noel", "arcgis-pro").text


@ON_SQLITE
@looking_alike
def test_a_rule_set_in_another_spelling_is_the_same_rule(bench: Bench, one: str, other: str) -> None:
    bench.member("noel", groups=(one,))
    deny(bench, other)
    deny(bench, one)
    rules = [rule for rule in policies.listed(unit(bench))[0] if rule.level is RuleLevel.GROUP]
    assert [rule.subject for rule in rules] == [one]
    policies.remove(unit(bench), RuleLevel.GROUP, other, "")
    assert len(policies.listed(unit(bench))[0]) == 1


@looking_alike
def test_reserved_seats_are_for_every_spelling_of_the_group(bench: Bench, one: str, other: str) -> None:
    """Nine of ten seats are reserved: one is free for others, and the group has all."""
    pools.change(unit(bench), PoolRule("arcgis-desktop", "Advanced", one, reserved=9))
    pia, guest = bench.member("pia", groups=(other,)), bench.member("guest")
    for number in range(2):
        issued_to(
            bench,
            bench.member(f"crew-{number}", groups=(other,)),
            workstation(f"crew-{number}"),
            "arcgis-desktop",
            level="Advanced",
        )
    state = next(state for state in pools.states(unit(bench), "arcgis-desktop") if state.rule.feature == "Advanced")
    assert [(share.group, share.in_use) for share in state.groups] == [(one, 2)]
    issued_to(bench, guest, workstation("guest"), "arcgis-desktop", level="Advanced")
    with pytest.raises(PoolExhausted):
        issued_to(bench, bench.member("second"), workstation("second"), "arcgis-desktop", level="Advanced")
    issued_to(bench, pia, workstation("pia"), "arcgis-desktop", level="Advanced")
    assert pools.remove(unit(bench), "arcgis-desktop", "Advanced", other).group_name == one


@looking_alike
def test_lists_find_a_group_in_every_spelling(bench: Bench, one: str, other: str) -> None:
    nina = bench.member("nina", groups=(one,))
    issued_to(bench, nina, workstation("laptop"))
    assert [member.username for member in members.every(unit(bench), group=other)] == ["nina"]
    assert [item.member for item in borrow.listed(unit(bench), Filter(group=other))[0]] == ["nina"]


@ON_SQLITE
@looking_alike
def test_members_defaults_and_changes_take_the_spelling_that_is_there(bench: Bench, one: str, other: str) -> None:
    bench.member("nina", groups=(one,))
    stored = defaults.put(unit(bench), Defaults("Creator", groups=(other, one)))
    assert stored.groups == (one,)
    assert members.add(unit(bench), NewMember("noel")).groups == (one,)
    changed = member_changes.change(unit(bench), "noel", Change(groups=(other, "night")))
    assert changed.after.groups == tuple(sorted((one, "night")))


def test_a_group_that_nobody_is_in_takes_the_spelling_of_whoever_names_it_next(bench: Bench) -> None:
    bench.member("nina", groups=("Feld-crew",))
    member_changes.change(unit(bench), "nina", Change(groups=("FELD-CREW",)))
    assert members.show(unit(bench), "nina")[0].groups == ("Feld-crew",)
    member_changes.change(unit(bench), "nina", Change(groups=()))
    member_changes.change(unit(bench), "nina", Change(groups=("FELD-CREW",)))
    assert members.show(unit(bench), "nina")[0].groups == ("FELD-CREW",)


def test_a_spelling_that_a_rule_or_the_defaults_name_stays_theirs(bench: Bench) -> None:
    deny(bench, "Night")
    defaults.put(unit(bench), Defaults("Creator", groups=("Day",)))
    bench.member("noel", groups=("night", "day"))
    assert members.show(unit(bench), "noel")[0].groups == ("Night", "day")
    assert defaults.show(unit(bench)).groups == ("day",)


def test_a_rule_for_a_group_that_nobody_is_in_is_noted_with_what_may_be_meant(bench: Bench) -> None:
    bench.member("nina", groups=("field-crew",))
    assert deny(bench, "feild-crew").note == 'nobody is in the group "feild-crew" yet: is "field-crew" meant?'
    assert deny(bench, "night").note == 'nobody is in the group "night" yet'
    assert deny(bench, "Field-Crew").note is None
    reserving = unit(bench)
    pools.change(reserving, PoolRule("arcgis-desktop", "Advanced", "feild-crew", reserved=3))
    assert reserving.note == 'nobody is in the group "feild-crew" yet: is "field-crew" meant?'


def test_the_note_is_told_by_commands_and_over_http(console: Console, bench: Bench) -> None:
    for arguments in (
        ("policy", "set", "--group", "survye", "--deny"),
        ("pool", "set", "arcgis-desktop", "Advanced", "--group", "survye", "--reserved", "3"),
    ):
        ended = console.run("--json", *arguments)
        assert ended.json["note"] == 'nobody is in the group "survye" yet: is "survey" meant?'
        assert 'note: nobody is in the group "survye"' in ended.err
        assert 'note: nobody is in the group "survye"' in console.run(*arguments).err
    web = make_web(bench)
    bodies: dict[str, dict[str, Any]] = {
        "policies": {"level": "group", "subject": "crew ", "allowed": False},
        "pools": {"product": "arcgis-desktop", "feature": "Advanced", "group": "Crew", "reserved": 3},
    }
    for route, body in bodies.items():
        answer = web.send("PUT", f"{API}/{route}", Role.ADMINISTRATOR, json=body)
        assert answer.get_json()["note"] == 'nobody is in the group "crew" yet'


@pytest.mark.parametrize("name", ["", " ", "\u3164", "a\u202eb", "a\nb", "x" * 129])
def test_what_is_no_name_of_a_group_is_refused_wherever_one_is_named(sqlite_bench: Bench, name: str) -> None:
    sqlite_bench.member("nina")
    with pytest.raises(InvalidInput):
        member_changes.change(unit(sqlite_bench), "nina", Change(groups=(name,)))
    with pytest.raises(InvalidInput):
        defaults.put(unit(sqlite_bench), Defaults("Creator", groups=(name,)))
    with pytest.raises(InvalidInput):
        deny(sqlite_bench, name)
    if name:
        with pytest.raises(InvalidInput):
            pools.change(unit(sqlite_bench), PoolRule("arcgis-desktop", "Advanced", name, reserved=1))
        with pytest.raises((InvalidInput, NotFound)):
            pools.remove(unit(sqlite_bench), "arcgis-desktop", "Advanced", name)


MIXED = {
    "a Cyrillic i": "f\u0456eld-crew",
    "a Greek o in the second word": "field-crew w\u03bfrks",
    "an accent after the strange letter": "\u0456\u0317eld crew",
    "an invisible mark after the strange letter": "\u0456\u034feld crew",
    "wide letters beside it": "\uff46\u0456\uff45ld crew",
    "an Armenian o": "l\u0585st",
}
GOOD = (
    "Гру\u043f\u043fа A",
    "\u0391\u03b8\u03ae\u03bd\u03b1 team",
    "測量 crew",
    "Vermessung München",
    "日本 チーム",
    "İzmir",
    "crew-2",
)


@ON_SQLITE
def test_a_new_group_with_letters_that_look_like_those_of_another_script_is_refused(bench: Bench) -> None:
    bench.member("noel")
    for name in MIXED.values():
        for change in (
            lambda name=name: deny(bench, name),
            lambda name=name: member_changes.change(unit(bench), "noel", Change(added_groups=(name,))),
            lambda name=name: members.add(unit(bench), NewMember("nina", groups=(name,))),
            lambda name=name: pools.change(unit(bench), PoolRule("arcgis-desktop", "Advanced", name, reserved=1)),
            lambda name=name: defaults.change(unit(bench), {"groups": (name,)}),
        ):
            with pytest.raises(InvalidInput, match=r"cannot be a new group: .* several scripts"):
                change()
    for name in GOOD:
        deny(bench, name)


@ON_SQLITE
def test_a_group_that_is_there_already_may_be_named_whatever_its_letters(bench: Bench) -> None:
    mixed = MIXED["a Cyrillic i"]
    with bench.authority.database.write() as connection:
        groups.add(connection, [mixed])
    noel = bench.member("noel", groups=(mixed,))
    deny(bench, mixed)
    with pytest.raises(OfflineNotAllowed):
        issued_to(bench, noel, workstation("laptop"))


def test_a_row_with_such_a_group_is_refused_by_itself(console: Console) -> None:
    sheet = console.home / "in.csv"
    sheet.write_text(f"username,groups\nada,{MIXED['a Cyrillic i']}\neve,field-crew\n", encoding="utf-8")
    ended = console.run("--json", "member", "import", str(sheet), "--go-on")
    rows = ended.json["rows"]
    assert (ended.status, [row["action"] for row in rows]) == (1, ["refused", "add"]), rows
    assert "several scripts" in str(rows[0])
