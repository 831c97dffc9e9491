"""The files of the console: those of other projects are what their packages have, and none leads elsewhere."""

from __future__ import annotations

import hashlib
import re

import pytest

from authority.web.console.site import STATIC

TEMPLATES = sorted((STATIC.parent / "templates").glob("*.html"))
ROW = re.compile(r"^\| `([\w.]+)` \| .+ \d+\.\d+\.\d+, .+ \| \w+, `([\w.]+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)
VENDORED = {name: (license_file, digest) for name, license_file, digest in ROW.findall((STATIC / "README.md").read_text())}
OWN = {"README.md", "console.css", "console.js", "dark.css", "icon.svg"}
# Names of vocabularies and of licenses, which nothing fetches.
NAMES = ("http://www.w3.org/2000/svg",)


def test_every_file_is_of_this_house_or_stands_in_the_table_with_its_license() -> None:
    licenses = {license_file for license_file, _ in VENDORED.values()}
    assert {path.name for path in STATIC.iterdir()} == OWN | VENDORED.keys() | licenses
    assert len(VENDORED) == 2


@pytest.mark.parametrize("name", VENDORED)
def test_a_file_of_another_project_is_the_one_of_the_table(name: str) -> None:
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == VENDORED[name][1]


def test_the_dark_theme_is_the_one_of_bootstrap() -> None:
    """Each rule of dark.css is one of Bootstrap's for `[data-bs-theme=dark]`, and none of those for a whole page is missing."""

    def squeezed(text: str) -> str:
        text = re.sub(r"(?<=[\s,(:])0\.", ".", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
        text = re.sub(r"'([^']*)'", lambda match: match[0].replace(" ", "\0"), text)
        return re.sub(r"\s+", "", text).replace(";}", "}")

    dark = squeezed((STATIC / "dark.css").read_text(encoding="utf-8"))
    bootstrap = squeezed((STATIC / "bootstrap.min.css").read_text(encoding="utf-8"))
    rules = re.findall(r":root([^{]*)(\{[^}]*\})", dark)
    assert len(rules) == dark.count("{") > 3
    for selector, body in rules:
        assert f"[data-bs-theme=dark]{selector}{body}" in bootstrap
    assert len(re.findall(r"(?<=\})\[data-bs-theme=dark\]", bootstrap)) == len(rules)


def test_our_own_files_fetch_nothing_and_run_no_text() -> None:
    for path in [*(STATIC / name for name in OWN - {"README.md"}), *TEMPLATES]:
        text = path.read_text(encoding="utf-8")
        for name in NAMES:
            text = text.replace(name, "")
        assert (
            re.search(r"https?://|@import|[^:]//\w+\.\w|innerHTML|insertAdjacentHTML|\beval\b|\|\s*safe\b|Markup", text) is None
        ), path


def test_every_template_stands_in_the_layout_or_is_part_of_one() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in TEMPLATES}
    pages = {name for name, text in texts.items() if text.startswith('{% extends "layout.html" %}')}
    assert pages
    parts = {part for name in pages for part in re.findall(r'\{% (?:import|include) "([a-z_]+\.html)"', texts[name])}
    assert texts.keys() - pages - parts == {"layout.html"}
