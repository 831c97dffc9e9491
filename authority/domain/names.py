"""Names as people write them: one spelling for what looks the same, and what makes two of them the same name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from authority.domain.refusals import InvalidInput

LONGEST_NAME = 128
# Persian and the scripts of India are written with these two; everywhere else an invisible character hides something.
JOINERS = "\u200c\u200d"
# What nobody sees, so that no two names differ by it alone: joiners, fillers and the selectors of a picture or a variant
# (Unicode, Default_Ignorable_Code_Point, as far as such a character is taken at all).
_INVISIBLE = dict.fromkeys(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x200C, 0x200D, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
    )
)
# What word processors write for a hyphen or an apostrophe.
_TYPED = dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-") | dict.fromkeys([0x2018, 0x2019, 0x02BC], "'")
_ONE_KEY = _INVISIBLE | _TYPED
# Letters of these look alike (Unicode Technical Standard 39): a word has those of one of them.
LOOK_ALIKES = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LATIN", "LISU"})


def spelled(label: str, text: str, longest: int = LONGEST_NAME) -> str:
    """The text in the one spelling that is kept: NFC, each white space one U+0020, none at the ends.

    `label` says in an error what it is. Raises InvalidInput for more than `longest` characters, and for a character that has
    no place in a name, which it names: controls, direction marks and what else is invisible, except the two joiners.
    """
    text = composed(text)
    check_characters(label, text)
    if max(len(text), len(key_of(text))) > longest:
        raise InvalidInput(f"{label} has at most {longest} characters, not {len(text)}")
    return text


def composed(text: str) -> str:
    """The text in the one spelling of `spelled`, whatever it has in it and however long it is."""
    spaced = text if text.isascii() else "".join(" " if unicodedata.category(char) == "Zs" else char for char in text)
    # A joiner joins two characters: at an end it joins nothing.
    composed_text = unicodedata.normalize("NFC", spaced).strip(" " + JOINERS)
    return composed_text if "  " not in composed_text else _single_spaced(composed_text)


def check_characters(label: str, text: str) -> None:
    """Raises InvalidInput that names the first character of the text that cannot be printed."""
    for char in text:
        if not char.isprintable() and char not in JOINERS:
            raise InvalidInput(
                f"{label} cannot have the character {character_name(char)}",
                hint="Write it anew without that character: it cannot be seen.",
                character=f"U+{ord(char):04X}",
            )


def is_shown(text: str) -> bool:
    """True when every character of the text can be in a name: printable, or one of the joiners."""
    return all(char.isprintable() or char in JOINERS for char in text)


def escaped(text: str) -> str:
    """The text with escapes, line breaks and direction marks shown by their code; joiners are part of a word."""
    return text if text.isprintable() else "".join(char if is_shown(char) else f"\\u{ord(char):04x}" for char in text)


def character_name(char: str) -> str:
    """A character for people: its code point, and its name where it has one."""
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X} ({name})" if name else f"U+{ord(char):04X}"


def key_of(text: str) -> str:
    """What makes two names the same: letters count without case, and forms that look alike are one.

    Unicode's compatibility caseless matching (The Unicode Standard, D146), without what is invisible, and with one hyphen and
    one apostrophe.
    """
    text = composed(text)
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text).translate(_ONE_KEY).casefold()
    return _single_spaced(unicodedata.normalize("NFKC", text))


def search_key(text: str) -> str:
    """The text as who looks for a part of it types it: without case and without marks, `Çelik` as `celik`."""
    decomposed = unicodedata.normalize("NFD", key_of(text))
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if unicodedata.category(char) != "Mn"))


def mixture(text: str) -> str | None:
    """Why a word of the text may be taken for another: it has letters of scripts that look alike. None when no word has."""
    visible = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    # An accent belongs to its word, whatever the letter before it.
    letters = (char if unicodedata.category(char)[0] == "L" else "" if unicodedata.combining(char) else " " for char in visible)
    for word in "".join(letters).split():
        scripts = {unicodedata.name(char, "").split(" ", 1)[0] for char in word} & LOOK_ALIKES
        if len(scripts) > 1:
            return f'"{word}" has letters of several scripts: {", ".join(sorted(scripts))}'
    return None


def _single_spaced(text: str) -> str:
    """The text with one space for several and none at the ends; only U+0020 is one, a line break stays."""
    return " ".join(part for part in text.split(" ") if part)


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order, in the spelling that came first."""
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(key_of(name), name)
    return tuple(sorted(by_key.values()))
