"""The beginning of a program in which every use of a socket raises."""

from __future__ import annotations

NO_SOCKETS = """
import sys

def hook(event, args):
    if event.startswith("socket."):
        raise RuntimeError(event)

sys.addaudithook(hook)
"""
