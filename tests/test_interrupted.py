"""Ctrl-C at any moment ends each command with 130 and without a traceback, while its modules are imported too."""

from __future__ import annotations

import subprocess
import sys

import pytest

# As if the key were pressed when the module named first is imported.
INTERRUPTED = """
import importlib, sys

trigger, module, *sys.argv[1:] = sys.argv[1:]

class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == trigger:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Pressed())
importlib.import_module(module).main()
"""
MOMENTS = [
    ("verifier.cli.main", "verifier.command", "status"),
    ("cryptography", "verifier.command", "status"),
    ("verifier.cli.status", "verifier.command", "status"),
    ("verifier.workstation.check", "verifier.command", "check", "x"),
    ("verifier.cli.carry", "verifier.command", "--help"),
    ("authority.cli.main", "authority.command", "doctor"),
    ("click", "authority.command", "doctor"),
    ("sqlalchemy", "authority.command", "doctor"),
    ("authority.cli.server", "authority.command", "doctor"),
    ("checkout_log.report.command_line", "checkout_log.command", "x", "-o", "y"),
    ("pandas", "checkout_log.command", "x", "-o", "y"),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=" ".join)
def test_an_early_ctrl_c_ends_in_order(moment: tuple[str, ...]) -> None:
    process = subprocess.run([sys.executable, "-c", INTERRUPTED, *moment], capture_output=True, text=True, check=False)
    assert process.returncode == 130, process
    assert "Traceback" not in process.stderr
    assert "KeyboardInterrupt" not in process.stderr
