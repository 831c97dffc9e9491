"""The gallery of the documentation: pictures that the notebooks show, each with its sentence.

`python -m tools.gallery` writes it; a test holds it against the notebooks.
"""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat

from checkout_log.report import notebooks
from tools import report_pictures

DOCS = Path(__file__).parents[1] / "docs"
# Name of the picture, number of the notebook, and number of the picture in it.
PICTURES = (
    ("Stuck licenses by cause", "stuck", 1, 1),
    ("How well stuck licenses are told from the rest", "confusion", 1, 2),
    ("Use from day to day", "use", 2, 1),
    ("Hours of the week", "hours", 2, 2),
    ("How often so many seats were in use", "exceedance", 2, 3),
    ("The hours of one feature", "heat-map", 2, 4),
    ("Time with exactly so many seats in use", "levels", 2, 5),
    ("How long each seat was in use", "efficiency", 2, 6),
    ("How long sessions last", "lengths", 2, 7),
    ("Who no longer uses what", "last-used", 2, 8),
    ("Who was kept waiting", "denials", 3, 1),
    ("How many seats are enough", "enough", 3, 2),
    ("How it may go on", "forecast", 3, 3),
    ("Borrows that hold a seat", "borrows", 4, 1),
    ("What a shorter longest borrow gives back", "what-if", 4, 2),
    ("What counts as one license", "groupings", 5, 1),
)
HEAD = """\
# Gallery

<!-- written by `python -m tools.gallery` from the notebooks; a test compares -->

The page that `carnet-report LOG... -o report.html` makes of three logs, in light and in dark, and what the [notebooks](../notebooks) show.
What each figure means stands in [analytics.md](analytics.md).
"""
NOTEBOOKS = """
# The notebooks

The first four of a simulated organization, the fifth of the logs of a real site. `make notebooks` opens them, `make gallery` runs them anew.
"""


def pages() -> dict[str, bytes]:
    """Path below the documentation, and content, of the page and of every picture on it."""
    files: dict[str, bytes] = {}
    text = HEAD + "".join(_of_page(name, title) for name, title, _, _ in report_pictures.PAGES) + NOTEBOOKS
    for title, name, notebook, number in PICTURES:
        path = notebooks.paths()[notebook - 1]
        picture, sentence = _pictures(path)[number - 1]
        file = f"pictures/analytics-{name}.png"
        files[file] = picture
        text += f"\n## {title}\n\n![{title}]({file})\n\n{sentence}\nFrom [{path.stem}](../notebooks/{path.name}).\n"
    return files | {"gallery.md": text.encode()}


def _of_page(name: str, title: str) -> str:
    """A page at its top, and where its pictures begin: light and dark beside one another."""
    rows = [
        "| "
        + " | ".join(
            f"![{title}, {what}, {scheme}](pictures/page-{name}{part}-{scheme}.png)" for scheme in report_pictures.SCHEMES
        )
        + " |"
        for part, what in (("", "what to do"), ("-pictures", "the features that matter"))
    ]
    return f"\n## {title}\n\n| light | dark |\n|---|---|\n" + "\n".join(rows) + "\n"


def _pictures(path: Path) -> list[tuple[bytes, str]]:
    """The pictures of a notebook as PNG, each with its sentence."""
    cells = nbformat.read(path, as_version=4).cells
    shown = [output for cell in cells for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})]
    return [(base64.b64decode(output.data["image/png"]), output.metadata["image/png"]["alt"]) for output in shown]


def write() -> None:
    """Writes the page and its pictures."""
    for name, content in pages().items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_bytes(content)


if __name__ == "__main__":
    write()
