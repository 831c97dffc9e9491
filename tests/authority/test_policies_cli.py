"""`carnet-authority policy` under bad input: wrong usage, wrong values, and texts that no script meant."""

from __future__ import annotations

import pytest

from tests.support.console import Console, contents_of

LONG = "x" * 129
USAGE: dict[str, tuple[str, ...]] = {
    "nothing to change": ("set", "--group", "survey"),
    "no number": ("set", "--longest-days", "ten"),
    "a broken number": ("set", "--longest-days", "1.5"),
    "two at once": ("set", "--group", "survey", "--type", "Creator", "--deny"),
    "an empty member": ("set", "--member", "", "--deny"),
    "an empty group": ("set", "--group", "", "--deny"),
    "an empty type": ("set", "--type", "", "--deny"),
    "an empty product": ("set", "--product", "", "--deny"),
    "an empty product beside a group": ("set", "--group", "survey", "--product", "", "--deny"),
    "remove an empty group": ("remove", "--group", ""),
    "explain without product": ("explain", "ada"),
    "an unknown option": ("show", "--all"),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_with_2_and_changes_nothing(console: Console, arguments: tuple[str, ...]) -> None:
    before = contents_of(console)
    ended = console.run("policy", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err
    assert contents_of(console) == before


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "no day": (("set", "--longest-days", "0"), "invalid-input"),
    "less than no day": (("set", "--default-days", "-3"), "invalid-input"),
    "beyond the calendar": (("set", "--longest-days", "36501"), "invalid-input"),
    "beyond every column": (("set", "--longest-days", "9" * 40), "invalid-input"),
    "a default beyond the longest": (("set", "--default-days", "31"), "invalid-input"),
    "a blank group": (("set", "--group", " ", "--deny"), "invalid-input"),
    "a long group": (("set", "--group", LONG, "--deny"), "invalid-input"),
    "a group with a line break": (("set", "--group", "a\nb", "--deny"), "invalid-input"),
    "a group that is no Unicode": (("set", "--group", "\udcff", "--deny"), "invalid-input"),
    "a member that is no Unicode": (("set", "--member", "\udcff", "--deny"), "invalid-input"),
    "an unknown member": (("set", "--member", "nobody", "--deny"), "not-found"),
    "an unknown type": (("set", "--type", "Guest", "--deny"), "no-such-product"),
    "an unknown product": (("set", "--product", "arcgis-mars", "--deny"), "no-such-product"),
    "a look-alike product": (("set", "--product", "\u0430rcgis-pro", "--deny"), "no-such-product"),
    "remove the organization's": (("remove",), "invalid-input"),
    "remove what is not there": (("remove", "--group", "survey"), "not-found"),
    "remove what is no Unicode": (("remove", "--group", "\udcff"), "invalid-input"),
    "remove a long text": (("remove", "--group", LONG), "invalid-input"),
    "explain an unknown member": (("explain", "nobody", "arcgis-pro"), "not-found"),
    "explain nobody": (("explain", "", "arcgis-pro"), "not-found"),
    "explain an unknown product": (("explain", "ada", "arcgis-mars"), "no-such-product"),
    "explain no product": (("explain", "ada", ""), "no-such-product"),
}


@pytest.mark.parametrize(("arguments", "code"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_value_is_refused_with_its_code_and_changes_nothing(
    console: Console, arguments: tuple[str, ...], code: str
) -> None:
    before = contents_of(console)
    console.refused(code, 1, "policy", *arguments)
    assert contents_of(console) == before


def test_the_greatest_number_is_taken_and_capped_by_the_authorization(console: Console) -> None:
    assert console.good("policy", "set", "--longest-days", "36500")["longest_days"] == 36_500
    assert "capped by authorization: 365 days" in console.good("policy", "explain", "ada", "arcgis-pro")["explanation"]


def test_a_value_is_put_back_to_what_the_organizations_rule_says(console: Console) -> None:
    console.run("policy", "set", "--group", "survey", "--longest-days", "60", "--default-days", "9")
    ended = console.run("policy", "set", "--group", "survey", "--inherit", "longest-days", "--status-max-age", "7d")
    assert (ended.status, "group survey: default 9, status list" in ended.out) == (0, True), ended.err


def test_a_name_for_a_terminal_shows_no_escape(console: Console) -> None:
    ended = console.run("policy", "set", "--group", "\u001b[2J", "--deny")
    assert ended.status == 1
    assert "\u001b" not in ended.out + ended.err
