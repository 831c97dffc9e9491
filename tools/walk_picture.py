"""A borrow's walk as a picture: the rooms side by side, and what is done in each from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from tools.recording import ROOT, Walk
from tools.walk import take_walk

PICTURE = ROOT / "docs" / "pictures" / "walk.svg"
# From the request on the left to what is signed on the right.
ROOMS = ("web", "services", "domain", "storage", "signing", "verifier", "presentation")
# Calls further in are details of the one that they are within.
DEEPEST = 4
NAMES_SHOWN = 2
LONGEST_LABEL = 20
LANE, ROW, LEFT, TOP = 150, 26, 10, 46
STYLE = """
text { font: 11px system-ui, sans-serif; fill: #1f2328 }
.room { font-weight: 600; text-anchor: middle }
.lane { fill: #f6f8fa } .step { fill: #ffffff; stroke: #57606a } .way { stroke: #57606a; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .lane { fill: #161b22 } .step { fill: #0d1117; stroke: #8b949e } .way { stroke: #8b949e }
}
"""


def stops_of(walk: Walk) -> list[tuple[str, list[str]]]:
    """The rooms that a walk comes to, in order, each with the functions that are called in it; details are left out."""
    stops: list[tuple[str, list[str]]] = []
    for step in walk.steps:
        if step.depth > DEEPEST:
            continue
        parts = Path(step.file).parts
        room = parts[0] if parts[0] == "verifier" else parts[1]
        if not stops or stops[-1][0] != room:
            stops.append((room, []))
        name = step.function.rsplit(".", 1)[-1].strip("_")
        if name != "init" and name not in stops[-1][1]:
            stops[-1][1].append(name)
    return stops


def picture_of(walk: Walk) -> str:
    """The picture as SVG, readable on light and dark pages."""
    stops = stops_of(walk)
    width, height = LEFT * 2 + LANE * len(ROOMS), TOP + ROW * len(stops) + 10
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="A borrow\'s walk">',
            f"<style>{STYLE}</style>",
            *_lanes(height),
            *_steps(stops),
            "</svg>\n",
        )
    )


def _lanes(height: int) -> Iterator[str]:
    for place, room in enumerate(ROOMS):
        left = LEFT + place * LANE
        yield f'<rect class="lane" x="{left + 3}" y="8" width="{LANE - 6}" height="{height - 14}" rx="6"/>'
        yield f'<text class="room" x="{left + LANE // 2}" y="28">{room}</text>'


def _steps(stops: list[tuple[str, list[str]]]) -> Iterator[str]:
    before: tuple[int, int] | None = None
    for row, (room, names) in enumerate(stops):
        left, top = LEFT + ROOMS.index(room) * LANE, TOP + row * ROW
        middle = (left + LANE // 2, top)
        if before is not None:
            yield f'<path class="way" d="M{before[0]} {before[1] + 20} L{middle[0]} {middle[1]}"/>'
        more = "" if len(names) <= NAMES_SHOWN else f" +{len(names) - NAMES_SHOWN}"
        yield f'<rect class="step" x="{left + 8}" y="{top}" width="{LANE - 16}" height="20" rx="4"/>'
        yield f'<text x="{left + 13}" y="{top + 14}">{escape(_cut(", ".join(names[:NAMES_SHOWN]) + more))}</text>'
        before = middle


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def main() -> None:
    """Draws the picture anew."""
    PICTURE.write_text(picture_of(take_walk("borrow")), encoding="utf-8")


if __name__ == "__main__":
    main()
