"""Names as people write them: which characters a text can have, and the one spelling that is kept."""

import unicodedata

# Persian and the scripts of India are written with these two; everywhere else an invisible character hides something.
JOINERS = "\u200c\u200d"
# Not printable for Python, and right in a name: the joiners, and every white space of Unicode.
_SHOWN = dict.fromkeys((0x200C, 0x200D, 0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), "_")


def is_shown(text: str) -> bool:
    """True when every character of the text can be in a name: printable, a joiner, or a white space of any width."""
    return text.isprintable() or text.translate(_SHOWN).isprintable()


def spelled(text: str) -> str:
    """The text in the one spelling that is kept: NFC, each white space one U+0020, none at the ends."""
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in text)
    composed = unicodedata.normalize("NFC", spaced).strip(" " + JOINERS)
    return " ".join(part for part in composed.split(" ") if part)


def hidden_character(text: str) -> str | None:
    """The first character that has no place in a name, for people: `U+202E (RIGHT-TO-LEFT OVERRIDE)`; None without one."""
    for char in text:
        if not is_shown(char):
            name = unicodedata.name(char, "")
            return f"U+{ord(char):04X} ({name})" if name else f"U+{ord(char):04X}"
    return None
