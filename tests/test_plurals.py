"""One of something is told in the singular, wherever a sentence counts."""

from __future__ import annotations

import re

import pytest

from authority.domain.plurals import all_are, are, counted
from tests.test_hints import ROOT, SOURCES, sentences
from verifier.core import times

# A value that stands right before a plural, as in f"{len(rows)} members"; what is "of" a limit is read as a part of it.
COUNTS = re.compile(
    r"(?<!of )\{\} (?:more )?(?:members|days|hours|seats|licenses|borrows|sessions|computers|products|events|cells|keys|seconds)\b"
)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 days"), (1, "1 day"), (2, "2 days"), (1.0, "1 day"), (1.00001, "1 day"), (0.25, "0.25 days")],
)
def test_a_number_has_the_noun_that_fits(number: float, words: str) -> None:
    assert counted(number, "day") == words
    assert isinstance(number, float) or times.counted(number, "day") == words


def test_verbs_fit_too() -> None:
    assert [counted(number, "member has", "members have") for number in (1, 2)] == ["1 member has", "2 members have"]
    assert [are(number) for number in (0, 1, 2)] == ["are", "is", "are"]
    assert [all_are(number, "seat", "X") for number in (1, 3)] == ["the only seat of X is", "all 3 seats of X are"]


# A value of a template that stands right before a plural.
COUNTS_OF_PAGES = re.compile(
    r" \}\} (?:more |good )?(?:members|days|hours|seats|licenses|borrows|sessions|rows|times|tries|events|keys|seconds)\b"
)
# The number of a constant, and "current of maximum".
NO_COUNTS_OF_PAGES = {"rows_at_once", "ui.figure(members.membership.current, members.membership.maximum)"}


def test_no_page_has_a_plural_for_a_number_that_may_be_one() -> None:
    pages = (ROOT / "authority" / "web" / "console" / "templates").glob("*.html")
    texts = [path.read_text(encoding="utf-8") for path in pages]
    counts = {text[: match.start()].rpartition("{{ ")[2] for text in texts for match in COUNTS_OF_PAGES.finditer(text)}
    assert counts == NO_COUNTS_OF_PAGES


# What is counted by a constant of the program, or not counted at all.
NO_COUNTS = {
    '"{}" {} seats',
    "none of the {} keys here is authorized at {} UTC",
    "no connection to the database became free in {} seconds",
    "the age of a status list is 0 (none is demanded), or from {} to {} seconds",
}


def test_no_sentence_has_a_plural_for_a_number_that_may_be_one() -> None:
    rooms = [path for path in SOURCES if path.relative_to(ROOT).parts[0] != "notebooks"]
    plurals = {text for path in rooms for text in sentences(path) if COUNTS.search(text)}
    assert plurals == NO_COUNTS
