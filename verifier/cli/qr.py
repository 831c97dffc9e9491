"""A carried file as a QR code, for who may carry no medium: on the terminal, and as a picture."""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

from verifier.cli.output import UsageError, say, tell
from verifier.workstation.places import check_output, write_output

if TYPE_CHECKING:
    from segno import QRCode

# ISO/IEC 18004: four light modules around it, and in the largest code so many bytes.
QUIET_ZONE = 4
MOST_BYTES = 2953
PIXELS = 4
# Two modules above one another are one character; light ones are drawn, as on a dark terminal.
BLOCKS = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Adds where what is carried goes to: a file, the terminal, a picture; at least one of them."""
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to carry")
    parser.add_argument("--qr", action="store_true", help="show it on the terminal as a QR code to scan")
    parser.add_argument("--qr-image", metavar="PNG", help="write it as a QR code to scan")


def check_outputs(arguments: argparse.Namespace) -> None:
    """Raises before anything is done: UsageError for no place or a wrong one, or without segno; DiskFull, NotPermitted, DiskFailed."""
    names = [name for name in (arguments.output, arguments.qr_image) if name is not None]
    if not names and not arguments.qr:
        raise UsageError("say where it goes to: -o FILE, --qr or --qr-image PNG")
    if arguments.qr and arguments.json:
        raise UsageError("--qr shows a code to people; with --json write it with --qr-image PNG")
    if arguments.qr or arguments.qr_image is not None:
        _import_segno()
    if len({os.path.realpath(name) for name in names}) < len(names):
        raise UsageError(f"the file and the picture cannot both be {names[0]}")
    for name in names:
        check_output(name)


def _import_segno() -> None:
    try:
        import segno  # noqa: F401 - whether it is there
    except ImportError as error:
        raise UsageError("a QR code needs segno, which is not installed here: pip install carnet[qr]") from error


def write_outputs(arguments: argparse.Namespace, data: bytes, note: str = "") -> str:
    """Writes a carried file's bytes to each place that was asked for; says which, without a period at the end.

    `note` ends the sentence when a file cannot be written. Raises UsageError for what fits no code or not this terminal, DiskFull,
    NotPermitted or DiskFailed.
    """
    written = []
    if arguments.output is not None:
        write_output(arguments.output, data, note)
        written.append(arguments.output)
    if arguments.qr_image is not None:
        stream = io.BytesIO()
        code_of(data, note).save(stream, kind="png", scale=PIXELS, border=QUIET_ZONE)
        write_output(arguments.qr_image, stream.getvalue(), note)
        written.append(arguments.qr_image)
    if arguments.qr:
        _show(drawn(code_of(data, note)), note)
    return f"wrote {' and '.join(written)}" if written else "the code is shown above"


def scanned(arguments: argparse.Namespace) -> list[str]:
    """What to do with a code, where there is one."""
    has_code = arguments.qr or arguments.qr_image is not None
    return ["what is scanned from the code, saved as a file, is the file to carry"] if has_code else []


def code_of(data: bytes, note: str = "") -> QRCode:
    """The QR code of a carried file, without the blanks in it. Raises UsageError when it has more bytes than a code takes."""
    import segno

    text = json.dumps(json.loads(data), separators=(",", ":")).encode()
    if len(text) > MOST_BYTES:
        raise UsageError(f"this has {len(text)} bytes, and a QR code takes at most {MOST_BYTES}: write it with -o FILE{note}")
    return segno.make_qr(text, error="l", mode="byte", boost_error=False)


def drawn(code: QRCode) -> list[str]:
    """A code as lines of half blocks, light on a dark ground."""
    rows = [list(row) for row in code.matrix_iter(border=QUIET_ZONE)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(BLOCKS[bool(top), bool(below)] for top, below in zip(upper, lower, strict=True)) for upper, lower in pairs]


def _show(lines: list[str], note: str) -> None:
    """Prints a code. Raises UsageError where it would be broken by a narrow terminal, or has no blocks to be drawn with."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        "".join(BLOCKS.values()).encode(encoding)
    except UnicodeEncodeError as error:
        raise UsageError(f"this terminal ({encoding}) has no blocks to draw a code with: use --qr-image PNG{note}") from error
    if sys.stdout.isatty():
        columns, rows = shutil.get_terminal_size()
        if columns < len(lines[0]):
            raise UsageError(
                f"the code is {len(lines[0])} columns wide and this terminal has {columns}: make its window wider or its letters "
                f"smaller, or use --qr-image PNG{note}"
            )
        if rows <= len(lines):
            tell(f"note: the code has {len(lines)} rows and this terminal {rows}: make its letters smaller to see all of it")
    for line in lines:
        say(line)
