"""The pages of the documentation that are written by the code: commands, codes, settings, routes, fields.

`make docs` writes them; a test holds the written pages against the code.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import os
from collections.abc import Iterator
from pathlib import Path

import click

from authority.cli.main import cli
from authority.domain.refusals import every_refusal
from authority.web.console.frame import FORM_NOT_TRUSTED
from authority.web.problems import HTTP_CODES, STATUS
from authority.wiring.settings import PREFIX, SETTINGS
from checkout_log.errors import LogError
from checkout_log.report import command_line
from tools import fields
from verifier.cli.main import build_parser
from verifier.errors import every_error

DOCS = Path(__file__).parents[1] / "docs"
WRITTEN = "<!-- written by `make docs` from the code; a test compares -->"


def pages() -> dict[str, str]:
    """Name and text of every page."""
    return {
        "commands.md": _commands(),
        "codes.md": _codes(),
        "settings.md": _settings(),
        "routes.md": _routes(),
        "fields.md": fields.page(WRITTEN),
    }


def _commands() -> str:
    parts = [
        "# Commands",
        "",
        WRITTEN,
        "",
        "## carnet",
        "",
        "On the workstation. `authority URL`, `sign-in`, `sign-out`, `start`, `borrow` and `check-in` open a line to the licensing authority; no other command opens any.",
        "",
    ]
    for title, text in _carnet_help():
        parts += [f"### {title}", "", "```", text.rstrip(), "```", ""]
    parts += ["## carnet-authority", "", "On the server, for the administrator.", ""]
    for title, text in _authority_help(cli, "carnet-authority"):
        parts += [f"### {title}", "", "```", text.rstrip(), "```", ""]
    parts += ["## carnet-report", "", "For the analyst, anywhere.", ""]
    with _width(100):
        parts += ["### carnet-report", "", "```", command_line.parser().format_help().rstrip(), "```", ""]
    return "\n".join(parts)


def _carnet_help() -> Iterator[tuple[str, str]]:
    with _width(100):
        parser = build_parser()
        yield "carnet", parser.format_help()
        for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask for its commands
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
                for name, child in action.choices.items():
                    yield f"carnet {name}", child.format_help()


def _authority_help(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command, info_name=name.rsplit(" ", 1)[-1], parent=parent, terminal_width=100, max_content_width=100
    )
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for child_name in sorted(command.commands):
            yield from _authority_help(command.commands[child_name], f"{name} {child_name}", context)


@contextlib.contextmanager
def _width(columns: int) -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _codes() -> str:
    parts = [
        "# Codes",
        "",
        WRITTEN,
        "",
        "Codes never change their meaning. The sentence beside a code has the values in it.",
        "",
    ]
    parts += ["## What the verifier says", "", "| code | exit status | meaning | what to do |", "|---|--:|---|---|"]
    for error in every_error():
        parts.append(f"| `{error.code}` | {error.exit_status} | {inspect.getdoc(error)} | {error.default_hint} |")
    parts += ["", "## What the authority says", "", "| code | HTTP status | meaning | what to do |", "|---|--:|---|---|"]
    for refusal in every_refusal():
        parts.append(f"| `{refusal.code}` | {STATUS[refusal.code]} | {inspect.getdoc(refusal)} | {refusal.default_hint} |")
    parts += ["", "HTTP itself refuses what no route takes:", "", "| code | HTTP status | what to do |", "|---|--:|---|"]
    parts += [f"| `{code}` | {status} | {hint} |" for status, (code, hint) in HTTP_CODES.items()]
    parts += ["| `internal-error` | 500 | Tell the administrator the request_id. |"]
    parts += [f"| `{FORM_NOT_TRUSTED.code}` | {FORM_NOT_TRUSTED.status} | {FORM_NOT_TRUSTED.hint} |"]
    parts += ["", "## What the analyst's library says", ""]
    parts += ["The sentence says what to do. `carnet-report` exits with 1.", "", "| code | meaning |", "|---|---|"]
    parts += [f"| `{error.code}` | {inspect.getdoc(error)} |" for error in _log_errors()]
    parts += [""]
    return "\n".join(parts)


def _log_errors() -> list[type[LogError]]:
    """Every error of the analyst's library, by code."""
    return sorted(LogError.__subclasses__(), key=lambda error: error.code)


def _settings() -> str:
    parts = ["# Settings", "", WRITTEN, "", "Command line over environment over `authority.toml` in the home.", ""]
    parts += ["| `authority.toml` | environment | meaning |", "|---|---|---|"]
    for name, meaning in SETTINGS.items():
        in_file = "(`--home`)" if name == "home" else f"`{name}`"
        parts.append(f"| {in_file} | `{PREFIX}{name.upper()}` | {meaning} |")
    parts += ["", "On the workstation:", "", "| environment | meaning |", "|---|---|"]
    parts += ["| `CARNET_HOME` | folder with this workstation's state; default: the user's data folder |"]
    parts += [
        "| `CARNET_ROOTS` | thumbprints of the root keys that `carnet check` and `verify` trust where no `--root` is given |",
        "| `CARNET_CONTAINER` | `accept`: a user namespace is taken for a machine of its own, which the request names |",
        "",
    ]
    return "\n".join(parts)


def _routes() -> str:
    from tests.support.routes import documented_routes

    parts = [
        "# Routes",
        "",
        WRITTEN,
        "",
        "All under `/api/v1`; [fields.md](fields.md) has every field of the answers, `/openapi.json` also those of bodies and queries.",
        "",
        "| route | does |",
        "|---|---|",
    ]
    parts += [f"| `{method} {path}` | {summary} |" for method, path, summary in documented_routes()]
    parts += [
        "",
        "Beside them: `GET /` (what this is and how to sign in), `GET /docs` (every route with examples, to read), `GET /openapi.json`, `GET /healthz` (the process is alive), `GET /readyz` (the database answers), `GET /metrics` (figures for Prometheus, for who may read the log: [metrics.md](metrics.md)).",
        "",
    ]
    return "\n".join(parts)


def main() -> None:
    """Writes every page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with contextlib.redirect_stderr(io.StringIO()):
        main()
