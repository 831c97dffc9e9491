"""A picture becomes a file: PNG for notebooks, and for pages SVG that follows the reader's choice of light or dark."""

from __future__ import annotations

import io
import re
import warnings

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from checkout_log.plots import style

DOTS_PER_INCH = 110
# What each color becomes on a dark page: as far from the ground as it is from white on a light one.
DARK = {
    style.BLACK: "#eceff3",
    style.INK: "#d3d8de",
    style.GREY: "#9da5ae",
    style.PALE: "#3b424b",
    style.FAINT: "#262b32",
    style.WHITE: "#0d1117",
    style.BLUE: "#58a6e6",
    style.SKY: "#9fd0f2",
    style.RED: "#f0854a",
    style.ORANGE: "#eab54e",
    style.GREEN: "#3fc59a",
    style.PURPLE: "#e2a3c9",
}
FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'Noto Sans', sans-serif"
_TAG, _COLOR = re.compile("<[^<>]*>"), re.compile("#[0-9a-f]{6}")
_FONT = re.compile("font-family: [^;\"]*;? ?|(font: [^;\"']*)'DejaVu Sans'[^;\"]*")
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
# What XML has no way to write.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPACE, _BETWEEN_TAGS = re.compile(r"\n\s*"), re.compile(r">\n\s*<")
# Of places in points, what is finer than a hundredth cannot be seen; it would be a third of a picture.
_PLACES, _FINER = re.compile(r'(?<= d=")[^"]*|(?<= [xy]=")[^"]*'), re.compile(r"(\.\d\d)\d+")


def png(ax: Axes) -> bytes:
    """The whole figure of these axes as PNG, on white."""
    target = io.BytesIO()
    _saved(ax, target, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return target.getvalue()


def svg(ax: Axes) -> str:
    """The whole figure of these axes as SVG without a ground, in the colors of a light or a dark page, its texts as texts."""
    target = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "checkout_log", "font.sans-serif": ["DejaVu Sans"]}):
        _saved(ax, target, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Type", "Format")))
    drawn = target.getvalue()
    # Names from logs stand between the tags, and stay as they are.
    tags = _BETWEEN_TAGS.sub("><", _METADATA.sub("", drawn[drawn.index("<svg") :]))
    text = _TAG.sub(_in_variables, _UNWRITABLE.sub("\ufffd", tags))
    light, dark = (";".join(f"--c{key[1:].lower()}:{color}" for key, color in colors) for colors in (_LIGHT, DARK.items()))
    sheet = (
        f"*{{stroke-linejoin:round;stroke-linecap:butt}}svg{{{light};fill:var(--c{style.BLACK[1:]});font-family:{FONTS}}}"
        f"@media (prefers-color-scheme:dark){{svg{{{dark}}}}}"
    )
    return re.sub(r"(<style[^>]*>)[^<]*", lambda match: match[1] + sheet, text, count=1)


_LIGHT = [(color, color.lower()) for color in DARK]
_KNOWN = {color.lower() for color in DARK}


def _in_variables(tag: re.Match[str]) -> str:
    """A tag with colors of the palette by their names, so that the sheet decides, fonts of the reader's system, and short numbers."""
    named = _COLOR.sub(lambda match: f"var(--c{match[0][1:]})" if match[0] in _KNOWN else match[0], tag[0])
    spaced = _SPACE.sub(" ", _FONT.sub(lambda font: f"{font[1]}{FONTS}" if font[1] else "", named))
    return _PLACES.sub(lambda places: _FINER.sub(r"\1", places[0]).replace("  ", " "), spaced)


def _saved(ax: Axes, target: io.BytesIO | io.StringIO, **how: object) -> None:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)  # noqa: S101 - axes that were drawn on have one
    with warnings.catch_warnings():
        # A name may be in a writing that the font of the measures does not have; the reader's system may.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(target, **how)  # type: ignore[arg-type]
