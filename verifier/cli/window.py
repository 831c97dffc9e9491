"""window: the license, the alias, offline and back, in a small window."""

from __future__ import annotations

import argparse
import sys

from verifier.cli.output import UsageError, result
from verifier.workstation.store import Store

HOW_TO_GET_TK = {
    "win32": "run Python's installer again, choose Modify, and tick tcl/tk and IDLE",
    "darwin": "brew install python-tk, or use the Python of python.org, which has it",
}
ELSEWHERE = "sudo apt install python3-tk (Debian, Ubuntu), sudo dnf install python3-tkinter (Fedora, Red Hat)"


def add_window(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet window`."""
    parser = commands.add_parser("window", parents=[common], help="show the license in a window: alias, offline, give back")
    parser.set_defaults(run=window)


def window(arguments: argparse.Namespace) -> int:
    """`carnet window`: returns when it is closed. Raises UsageError where there is no Tk, or no screen."""
    try:
        from verifier.window.start import NoScreen, show
    except ImportError as error:
        how = HOW_TO_GET_TK.get(sys.platform, ELSEWHERE)
        raise UsageError(f"this Python has no Tk, which the window needs: {how}; the commands do the same without") from error
    try:
        show(Store.open(arguments.home))
    except NoScreen as error:
        raise UsageError(f"no window can be shown here ({error}); the commands do the same without") from error
    return result(arguments, {}, [])
