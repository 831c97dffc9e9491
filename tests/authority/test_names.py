"""Names as people write them: one spelling is kept, what looks the same is the same, and what cannot be is named."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority.domain.names import key_of, once, spelled
from authority.domain.refusals import InvalidInput

SPELLED = {
    "decomposed": ("Vermessung Mu\u0308nchen", "Vermessung München"),
    "blanks at the ends": ("  field-crew ", "field-crew"),
    "several blanks": ("field   crew", "field crew"),
    "an ideographic space": ("横山\u3000美咲", "横山 美咲"),
    "a space that does not break": ("Renée\u00a0d\u2019Arc", "Renée d\u2019Arc"),
    "a joiner within": ("امیر\u200cحسین", "امیر\u200cحسین"),
    "a joiner at the end": ("crew\u200c", "crew"),
    "nothing": (" \u3000\u00a0", ""),
}


@pytest.mark.parametrize(("text", "spelling"), SPELLED.values(), ids=SPELLED)
def test_a_name_is_kept_in_one_spelling(text: str, spelling: str) -> None:
    assert spelled("a name", text) == spelling


REFUSED = {
    "a line break": ("a\nb", "U+000A"),
    "a tabulator": ("a\tb", "U+0009"),
    "an escape": ("a\x1b[2J", "U+001B"),
    "a direction mark": ("a\u202eb", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
    "an isolate": ("a\u2066b", "U+2066 (LEFT-TO-RIGHT ISOLATE)"),
    "a space of no width": ("a\u200bb", "U+200B (ZERO WIDTH SPACE)"),
    "a byte order mark": ("\ufeffa", "U+FEFF (ZERO WIDTH NO-BREAK SPACE)"),
    "a soft hyphen": ("a\u00adb", "U+00AD (SOFT HYPHEN)"),
    "a line separator": ("a\u2028b", "U+2028 (LINE SEPARATOR)"),
    "half of a pair": ("a\ud800", "U+D800"),
    "no character": ("a\uffff", "U+FFFF"),
}


@pytest.mark.parametrize(("text", "character"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_place_in_a_name_is_named(text: str, character: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        spelled("a name", text)
    assert f"a name cannot have the character {character}" in caught.value.message
    assert caught.value.evidence["character"] == character.split(maxsplit=1)[0]


def test_a_name_has_at_most_128_characters_as_it_is_kept() -> None:
    assert spelled("a name", "u\u0308" * 128) == "ü" * 128
    for long in ("x" * 129, "ﷺ" * 100):
        with pytest.raises(InvalidInput, match="at most 128"):
            spelled("a name", long)


SAME = [
    (
        "field-crew",
        "Field-Crew",
        "FIELD-CREW",
        "field\u2011crew",
        "field\u2013crew",
        "ﬁeld-crew",
        "ｆｉｅｌｄ－ｃｒｅｗ",
        "field-\u200dcrew",
    ),
    ("Vermessung München", "vermessung mu\u0308nchen", " VERMESSUNG  MÜNCHEN "),
    ("o'brien", "O\u2019Brien"),
    ("straße", "STRASSE"),
    ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    ("crew", "crew\u3164", "crew\ufe0f"),
]


@pytest.mark.parametrize("names", SAME)
def test_what_looks_the_same_is_one_name(names: tuple[str, ...]) -> None:
    assert len({key_of(name) for name in names}) == 1
    assert once(names) == names[:1]


@pytest.mark.parametrize(
    ("one", "other"), [("crew 1", "crew 2"), ("ada", "ádá"), ("crew", "cr ew"), ("a\nb", "a b"), ("а", "a")]
)
def test_what_looks_different_stays_different(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


def test_every_character_is_one_name_with_its_forms() -> None:
    for number in range(sys.maxunicode + 1):
        char = chr(number)
        if unicodedata.category(char) in {"Cn", "Cs"} or char == "ı":
            continue
        key = key_of(char)
        forms = (key, char.upper(), char.lower(), unicodedata.normalize("NFD", char), unicodedata.normalize("NFC", char))
        assert {key_of(form) for form in forms} == {key}, hex(number)


@given(st.text(max_size=40))
def test_a_name_that_is_kept_stays_as_it_is(text: str) -> None:
    try:
        name = spelled("a name", text)
    except InvalidInput:
        return
    assert spelled("a name", name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert key_of(name) == key_of(text) == key_of(key_of(name))
