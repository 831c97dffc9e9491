"""The pictures of the console in the documentation: an invented organization, photographed in a browser."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from authority.domain.members import Role
from authority.web.application import create_app
from tests.support.authorities import Bench, make_bench
from tests.support.borrowing import issued_to
from tests.support.connecting import started
from tests.support.workstations import SimulatedWorkstation
from tools.apt import NotHere
from tools.browser import browser
from tools.documentation import DOCS
from verifier.workstation.carry import Wish

PICTURES = DOCS / "pictures"
PASSWORD = "a password for pictures"  # noqa: S105 - of nobody
# Few colors make small files; the pages have no photographs.
COLORS = 64
SIZE = {"width": 1100, "height": 620}
CREW = (
    ("ada", "Ada Lindgren", ("field-north",)),
    ("ben", "Ben Okafor", ("field-north",)),
    ("chi", "Chi Nguyen", ("office",)),
    ("dora", "Dora Weiss", ("office",)),
    ("eli", "Eli Brandt", ("field-south",)),
)


def main() -> int:
    """Writes them; where there is no browser the old ones stay, and that is said."""
    try:
        with browser() as chromium, tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (bench, url):
            _draw(chromium, bench, url)
    except NotHere as reason:
        print(f"the pictures of the console were not drawn anew: {reason}")
    return 0


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[tuple[Bench, str]]:
    """An organization in which something goes on, and the address of its server."""
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    bench.member("chief", user_type="Viewer", role=Role.ADMINISTRATOR, password=PASSWORD)
    crew = {name: bench.member(name, full_name=full, groups=groups, password=PASSWORD) for name, full, groups in CREW}
    issued_to(bench, crew["eli"], SimulatedWorkstation("eli", alias="Boat laptop"), days=30)
    bench.clock.turn(days=27)
    issued_to(bench, crew["ada"], SimulatedWorkstation("ada", alias="Field laptop 7"), days=14)
    issued_to(bench, crew["ben"], SimulatedWorkstation("ben", alias="Field laptop 9"), days=3)
    started(bench, crew["dora"], SimulatedWorkstation("dora", alias="Desk 12"))
    bench.clock.turn(hours=2)
    started(bench, crew["chi"], SimulatedWorkstation("chi", alias="Desk 4"))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(bench.authority), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield bench, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        bench.authority.database.close()


def _draw(chromium: Browser, bench: Bench, url: str) -> None:
    page = _signed_in(chromium, url, "chief")
    for name in ("", "members", "offline", "authorization"):
        page.goto(f"{url}/console/{name}")
        _photograph(page, f"console-{name or 'overview'}.png")
    page.goto(f"{url}/console/offline?member=ada")
    page.get_by_label("ada on Field laptop 7", exact=True).check()
    page.get_by_role("button", name="Release those ticked …").click()
    page.get_by_label("Reason").fill("Left in a train")
    _photograph(page, "console-release.png")
    page.goto(f"{url}/console/exchange")
    request = SimulatedWorkstation("chi-field", alias="Field laptop 2").request_file(
        Wish("arcgis-pro", days=10, member="chi"), bench.clock()
    )
    page.get_by_label("Files", exact=True).set_input_files(
        {"name": "trip.request", "mimeType": "text/plain", "buffer": request}
    )
    page.get_by_role("button", name="Look at them").click()
    page.get_by_role("heading", name="What came in").wait_for()
    _photograph(page, "console-exchange.png")
    page = _signed_in(chromium, url, "ada", phone=True)
    page.goto(f"{url}/console/my-license")
    _photograph(page, "console-my-license.png")
    page = _signed_in(chromium, url, "chief", dark=True)
    page.goto(f"{url}/console/activity")
    _photograph(page, "console-activity-dark.png")


def _signed_in(chromium: Browser, url: str, username: str, *, phone: bool = False, dark: bool = False) -> Page:
    page = chromium.new_page(
        viewport={"width": 390, "height": 700} if phone else SIZE,  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
        locale="en-US",
        timezone_id="UTC",
    )
    page.goto(f"{url}/console/sign-in")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    return page


def _photograph(page: Page, name: str) -> None:
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").quantize(COLORS).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    raise SystemExit(main())
