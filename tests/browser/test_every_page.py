"""Every page in a real browser: without a finding of axe-core in light and dark, and as wide as a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Visitors

# WCAG 2.2 AA, and what axe-core calls best practice.
TABLES_THAT_SCROLL = """
[...document.querySelectorAll(".table-responsive")].filter(region => region.scrollWidth > region.clientWidth).map(region => region.ariaLabel)
"""
OPTIONS = {"resultTypes": ["violations"]}


def findings(page: Page) -> list[str]:
    """What axe-core finds on a page: the rule, and the places."""
    response = Axe().run(page, options=OPTIONS).response
    return [f"{page.url}: {item['id']}: {[node['html'] for node in item['nodes']]}" for item in response["violations"]]


def menu_of(page: Page) -> list[str]:
    """The addresses in the menu, which a phone opens first."""
    folded = page.get_by_text("Menu", exact=True)
    if folded.is_visible():
        folded.click()
    return [str(link.get_attribute("href")) for link in page.get_by_role("navigation").get_by_role("link").all()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("role", ["administrator", "member"])
def test_no_page_of_the_menu_has_a_finding(visitors: Visitors, role: str, *, dark: bool) -> None:
    person = visitors.come(dark=dark)
    person.open("/console/sign-in")
    problems = findings(person.page)
    person.sign_in(role)
    addresses = menu_of(person.page)
    assert "/console/my-license" in addresses
    for address in addresses:
        person.open(address)
        problems += findings(person.page)
    assert problems == []


def test_no_page_is_wider_than_a_phone(visitors: Visitors) -> None:
    """Nobody has to move the page to and fro to read a sentence, nor a table to see its last columns: its rows become blocks."""
    person = visitors.come("administrator", phone=True)
    wide, addresses = [], menu_of(person.page)
    assert "/console/members" in addresses
    for address in addresses:
        person.open(address)
        width = person.page.evaluate("document.documentElement.scrollWidth")
        if width > person.page.viewport_size["width"]:  # type: ignore[index]
            wide.append((address, width))
        wide += [(address, name) for name in person.page.evaluate(TABLES_THAT_SCROLL)]
    assert wide == []
