"""The published sample keys and files of `keys.example`: made from fixed texts, so that anyone can make them again."""

from __future__ import annotations

# RFC 7638 thumbprints of the sample private keys. They are public knowledge; the authority serves them to no one in earnest.
SAMPLE_KIDS: frozenset[str] = frozenset()
