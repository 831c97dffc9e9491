"""Outputs as the operating system has them: a pipe that nobody reads any more, a disk without room, an encoding of few letters."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from unittest.mock import patch


@contextlib.contextmanager
def reader_gone(name: str) -> Iterator[None]:
    """Within the block `sys.stdout` or `sys.stderr` is a pipe whose reader has gone."""
    read, write = os.pipe()
    os.close(read)
    with _in_place_of(name, write):
        yield


@contextlib.contextmanager
def full_output() -> Iterator[None]:
    """Within the block `sys.stdout` is a file on a disk without room."""
    with _in_place_of("stdout", os.open("/dev/full", os.O_WRONLY)):
        yield


@contextlib.contextmanager
def closed(*names: str) -> Iterator[None]:
    """Within the block these streams of `sys` are as Python has one that was closed before the process began."""
    before = {name: getattr(sys, name) for name in names}
    try:
        for name in names:
            setattr(sys, name, None)
        yield
    finally:
        for name, stream in before.items():
            if (opened := getattr(sys, name)) is not None:
                opened.close()
            setattr(sys, name, stream)


@contextlib.contextmanager
def encoded_output(encoding: str) -> Iterator[io.BytesIO]:
    """Within the block `sys.stdout` knows the letters of one encoding and no others; gives the bytes that were printed."""
    printed = io.BytesIO()
    stream = io.TextIOWrapper(printed, encoding=encoding, errors="strict")
    with patch.object(sys, "stdout", stream):
        yield printed
        stream.flush()
        stream.detach()


@contextlib.contextmanager
def _in_place_of(name: str, descriptor: int) -> Iterator[None]:
    stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(descriptor, "w")), encoding="utf-8")
    with patch.object(sys, name, stream):
        yield
    with contextlib.suppress(OSError):
        stream.close()
