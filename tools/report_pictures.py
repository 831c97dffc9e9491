"""The pictures of the page of `carnet-report` in the gallery: three logs, photographed in a browser, light and dark.

One is of a simulated organization. The others are of real servers, whose logs are not in the repository: where CARNET_LOG_CORPUS
names no folder that has them, their pictures stay as they are.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from checkout_log import simulate
from checkout_log.report import making
from checkout_log.report.site import CORPUS, sample
from tools.apt import NotHere
from tools.browser import browser
from tools.documentation import DOCS

SIMULATED = "simulated"
# Name of the picture, title, log, and time zone.
PAGES = (
    ("simulated", "An organization with an authority, a FlexNet and an RLM server (simulated)", SIMULATED, "Europe/Berlin"),
    ("matlab", "A month of a MATLAB server", "mlm_2022.log", "Europe/Madrid"),
    ("autodesk", "Two months of an Autodesk server", "adskflex_2022.log", "Europe/Madrid"),
)
SCHEMES = ("light", "dark")
WIDTH, HEIGHT, COLORS = 1000, 1500, 128
# The simulated year that is shown, and for which part of 300 members.
SEED, DAYS, SIZE = 11, 366, 0.5
# Where a second picture begins.
SECOND = "n-02-usage-patterns"
MADE_AT = "2026-01-05 09:00 UTC"


def main() -> None:
    """Draws them; where there is no browser the old ones stay, and that is said."""
    try:
        with browser() as chromium, tempfile.TemporaryDirectory() as folder:
            for name, _, log, timezone in PAGES:
                sources = _sources(log, Path(folder))
                if sources is None:
                    print(f"the pictures of {log} stay: {CORPUS} names no folder that has it")
                    continue
                html, failures = making.page(sources, timezone, made_at=MADE_AT)
                if failures:
                    raise SystemExit(failures[0])
                page = Path(folder) / f"{name}.html"
                page.write_text(html, encoding="utf-8")
                for scheme in SCHEMES:
                    _photograph(chromium, page, name, scheme)
    except NotHere as reason:
        print(f"the pictures of the page were not drawn anew: {reason}")


def _sources(log: str, folder: Path) -> list[str] | None:
    """The files of a log; None where they are not here."""
    if log != SIMULATED:
        path = Path(os.environ.get(CORPUS, "missing")) / log
        return [str(path)] if path.is_file() else None
    truth = simulate.run(sample(DAYS, SIZE), SEED)
    target = folder / SIMULATED
    target.mkdir()
    simulate.write_parquet(truth, target / "authority.parquet", truth.organization.served_by("authority"))
    simulate.write_flexnet(truth, target)
    simulate.write_rlm(truth, target)
    return [str(target)]


def _photograph(chromium: Browser, page: Path, name: str, scheme: str) -> None:
    """The top of the page, and where its pictures begin."""
    shown = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark" if scheme == "dark" else "light")
    shown.goto(page.as_uri())
    _keep(shown.screenshot(), f"page-{name}-{scheme}.png")
    shown.locator(f"#{SECOND} figure").first.scroll_into_view_if_needed()
    shown.evaluate(f"document.querySelector('#{SECOND} figure').scrollIntoView()")
    _keep(shown.screenshot(), f"page-{name}-pictures-{scheme}.png")
    shown.close()


def _keep(screenshot: bytes, name: str) -> None:
    with Image.open(io.BytesIO(screenshot)) as picture:
        # Colors of few dots are kept, too: lines are thin.
        picture.convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE).save(DOCS / "pictures" / name, optimize=True)


if __name__ == "__main__":
    main()
