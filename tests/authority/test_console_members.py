"""The page of members: what is looked for stands in the address, and in the file that can be downloaded."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest

from authority.domain.members import Role
from tests.support.browsing import Browser
from tests.support.web import Web, one_web


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    for web in one_web(tmp_path_factory.mktemp("members")):
        crowd(web)
        yield Browser(web).be(Role.LICENSE_MANAGER)


def crowd(web: Web) -> None:
    """More members than a page has are too many for a test: four, and those of each role."""
    web.bench.member("ada", full_name="Ada Lovelace", groups=("survey",))
    web.bench.member("bob", full_name="Bob Berg", user_type="Creator")
    web.bench.member("zoe", full_name="Zoë Zander", groups=("survey", "night & day"))


def shown(html: str) -> list[str]:
    """The user names in the table, from top to bottom."""
    return re.findall(r'<th scope="row">([\w-]+)', html)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=lovel", ["ada"]),
        ("?q=SURVEY", ["ada", "zoe"]),
        ("?group=night+%26+day", ["zoe"]),
        ("?type=Creator", ["bob"]),
        ("?q=survey&sort=-username", ["zoe", "ada"]),
        ("?q=&type=&role=analyst&group=&unused_for=", ["analyst"]),
        ("?offline=true", []),
        ("?disabled=true", []),
    ],
)
def test_the_table_and_its_file_have_whom_the_address_names(browser: Browser, query: str, expected: list[str]) -> None:
    page = browser.get(f"/console/members{query}").text
    assert shown(page) == expected
    assert f"{len(expected)} member" in page
    assert ("Nobody fits these filters" in page) is (expected == [])
    if expected:
        address = re.search(r'href="([^"]*members\.csv[^"]*)"', page)
        assert address is not None
        rows = list(csv.DictReader(io.StringIO(browser.get(address[1].replace("&amp;", "&")).text)))
        assert [row["username"] for row in rows] == expected


def test_a_filter_that_makes_no_sense_is_said_and_not_ignored(browser: Browser) -> None:
    for query, word in (
        ("?sort=shoe_size", "sort"),
        ("?unused_for=ever", "unused_for"),
        ("?group=nobody", "nobody"),
        ("?cursor=x", "cursor"),
    ):
        answer = browser.get(f"/console/members{query}")
        assert answer.status_code in (400, 404)
        assert word in answer.text


def test_the_head_of_a_column_sorts_and_says_so(browser: Browser) -> None:
    page = browser.get("/console/members?q=survey&sort=username").text
    assert 'aria-sort="ascending"' in page
    assert "/console/members?q=survey&amp;sort=-username" in page
