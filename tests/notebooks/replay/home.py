"""The home of an authority that was lived through, and its log as the real command exports it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from authority.cli.main import main
from checkout_log import read
from checkout_log.log import Log
from tests.notebooks.replay import organization
from tests.notebooks.replay.parts import Replay
from tests.notebooks.replay.stories import Stories
from tests.support.authorities import TestClock

FORMS = ("jsonl", "csv", "parquet")


@dataclass(frozen=True)
class Home:
    """The home of an authority that lived, with what was exported from it at the end."""

    replay: Replay
    stories: Stories
    exports: dict[str, Path]
    before_export: Log

    @property
    def address(self) -> str:
        """Where an analyst reads its database."""
        return self.replay.bench.authority.database.url.render_as_string(hide_password=False)


def export(home: Path, form: str, clock: TestClock, path: Path, url: str | None = None) -> Path:
    """The log as the real command writes it, at the time of the authority's clock."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr("authority.wiring.app.system_clock", clock)
        if url is not None:
            patch.setenv("CARNET_AUTHORITY_DATABASE_URL", url)
        with pytest.raises(SystemExit) as ended:
            main(["--home", str(home), "log", "export", "--format", form, "-o", str(path)])
    assert not ended.value.code
    return path


def make_home(folder: Path) -> Home:
    """Seven weeks on SQLite, with stories; `before_export` is the database as it was read before the first export."""
    home = folder / "home"
    home.mkdir()
    replay, stories = organization.replay(f"sqlite:///{home / 'authority.db'}", home)
    before_export = read(home / "authority.db")
    exports = {form: export(home, form, replay.bench.clock, folder / f"log.{form}") for form in FORMS}
    return Home(replay, stories, exports, before_export)
