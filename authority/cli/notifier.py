"""The process beside a server that finds and sends notices: what hangs or breaks there touches no request."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time

from authority.domain.refusals import Refusal
from authority.web import server_log
from authority.web.server_log import LogFormat

# What a message that is being sent is given, when the server stops; it is sent again when that is too little.
STOPPING_SECONDS = 10.0
# How long to wait before a process that ended by itself is started again.
AGAIN_SECONDS = 60.0


def start(minutes: float) -> None:
    """Starts the process, and starts it again should it end; it ends with this one. For a server, once, whatever its workers."""
    threading.Thread(target=_keep_alive, args=(minutes,), daemon=True).start()


def _keep_alive(minutes: float) -> None:
    while True:
        # Ended by the interpreter when this process ends.
        process = multiprocessing.get_context("spawn").Process(target=run_every, args=(minutes,), daemon=True)
        process.start()
        process.join()
        time.sleep(AGAIN_SECONDS)


def run_every(minutes: float) -> None:
    """Runs notices now, and then every so many minutes, until this process is told to stop or its parent is gone.

    What goes wrong in a run is said in a line on stderr, and tried again in the next.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: _stop(stop))
    # A terminal sends it to all processes of a command; the server says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    while not stop.is_set():
        try:
            _run(stop)
        except Refusal as error:
            _tell(f"{error.message} [{error.code}]")
        except Exception as error:  # noqa: BLE001 - the next run may go well; the words may have an address in them
            _tell(f"a mistake in the program, please report it: {type(error).__name__}")
        stop.wait(minutes * 60)


def _run(stop: threading.Event) -> None:
    from authority.services import notifying
    from authority.wiring.app import open_authority
    from authority.wiring.settings import from_process

    settings = from_process(None)
    server_log.configure(LogFormat(settings.log_format))
    # Opened for each run, so that another key or authorization, or a database that was away, is no matter.
    authority = open_authority(settings)
    try:
        notifying.run(authority, goes_on=lambda: not stop.is_set())
    finally:
        authority.database.close()


def _stop(stop: threading.Event) -> None:
    stop.set()
    watch = threading.Timer(STOPPING_SECONDS, os._exit, args=(1,))
    watch.daemon = True
    watch.start()


def _end_with_parent(stop: threading.Event) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _stop(stop)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):
        server_log.tell("notices", text)
