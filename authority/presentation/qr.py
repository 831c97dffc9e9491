"""A small file as a QR code, for who may carry no medium."""

from __future__ import annotations

import io
import json

import segno

# ISO/IEC 18004: four light modules around it, and in the largest code so many bytes.
QUIET_ZONE = 4
MOST_BYTES = 2953
PIXELS = 4


def picture(data: bytes, kind: str) -> bytes | None:
    """The code of a carried file as `svg` or `png`, without the blanks in the file; None for more than a code takes."""
    text = json.dumps(json.loads(data), separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > MOST_BYTES:
        return None
    stream = io.BytesIO()
    code = segno.make_qr(text, error="l", mode="byte", boost_error=False)
    code.save(stream, kind=kind, scale=PIXELS, border=QUIET_ZONE)
    return stream.getvalue()
