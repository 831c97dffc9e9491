"""The server process: one socket that is this server's alone, workers that answer on it, and a line when they do."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from authority.cli import notifier
from authority.domain.refusals import SettingsInvalid
from authority.web import request_times
from authority.web.gateway import PATIENCE_SECONDS, Gateway

# Who waits for the disk together shares a commit, so that many more threads than cores are of use.
THREADS_PER_WORKER = 16
STARTING_SECONDS = 60.0
# Connections that the system keeps until a worker takes them, and those that a worker has open.
BACKLOG = 1024
MOST_CONNECTIONS = 4096
# Files that a worker has open besides its connections.
OTHER_FILES = 256
# What a worker is given to finish with, when the server stops.
STOPPING_SECONDS = 10
# What a worker is given to finish with, once the server that started it is gone.
ORPHAN_SECONDS = 5.0


class OwnSocketServer(MPServer):
    """granian on a socket that is there already.

    Its own sockets share their port with every other server that asks for that (SO_REUSEPORT): two servers would announce
    one address, and answer by turns.
    """

    def __init__(self, listener: socket.socket, target: str, **options: Any) -> None:
        super().__init__(target, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        descriptor = self._listener.fileno()
        # How granian hands a socket to its workers: what the holder is made of differs by system.
        arguments = {"linux": (descriptor, False, BACKLOG), "win32": (descriptor,)}.get(sys.platform, (descriptor, False))
        holder: Any = SocketHolder(*arguments)
        self._shd, self._sso = holder, self._listener
        self._listener.set_inheritable(True)


def run_server(
    target: str, host: str, port: int, workers: int, *, as_json: bool = False, notify_every: float | None = None
) -> None:
    """Serves the WSGI application that the function `target` makes, until a signal; prints one line when it is ready, an object with `as_json`.

    With `notify_every` a process beside the workers finds and sends notices every so many minutes.
    Raises SettingsInvalid when the address cannot be listened on, because somebody else does, too.
    """
    listener = listen(host, port)
    port = listener.getsockname()[1]
    # A forked worker would inherit the locks of this process's threads, some of them held; a spawned one inherits nothing.
    multiprocessing.set_start_method("spawn", force=True)
    server = OwnSocketServer(
        listener,
        target,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        # What may also be HTTP/2 has no time in which its first line has to come.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=PATIENCE_SECONDS * 1000),
        workers=workers,
        workers_kill_timeout=STOPPING_SECONDS,
        backlog=BACKLOG,
        backpressure=_most_connections(),
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
    )
    if notify_every is not None:
        notifier.start(notify_every)
    threading.Thread(target=_announce, args=(host, port, as_json), daemon=True).start()
    with request_times.shared():
        server.serve(target_loader=load_in_worker)  # type: ignore[arg-type] # an RSGI application may be an object


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there and shares its port with nobody; port 0 takes a free one.

    Raises SettingsInvalid when something listens there already, or the address is not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        raise SettingsInvalid(
            f"{host}:{port} cannot be served: {error.strerror}",
            hint="Choose another --host or --port, or stop the server that has this one.",
        ) from error
    # Inherited by each connection: an answer goes out at once, and a client that does not take it is cut off.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_SECONDS * 1000)
    return listener


def _most_connections() -> int:
    """How many connections a worker may have open, with the limit of this system for files raised as far as that needs."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    wanted = MOST_CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted - OTHER_FILES, 1)


def load_in_worker(target: str) -> Gateway:
    """The application that a function makes, named like `package.module:function`; in a worker, which ends with its server."""
    threading.Thread(target=_end_with_server, daemon=True).start()
    request_times.prepare()
    module, name = target.split(":")
    application = getattr(importlib.import_module(module), name)()
    # Who makes no difference between those that it knows and others takes no large bodies.
    return Gateway(application, THREADS_PER_WORKER, getattr(application, "is_known", lambda _: False))


def _end_with_server() -> None:
    """Ends this process when the one that started it is gone, however it went; what is being answered is finished first."""
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_SECONDS)
        os._exit(1)


def _announce(host: str, port: int, as_json: bool) -> None:
    """Prints the URL once a worker answers."""
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline:
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=STARTING_SECONDS)) as connection:
            try:
                connection.request("GET", "/healthz")
                connection.getresponse()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
                # Whoever started it may have stopped reading: it serves all the same.
                with contextlib.suppress(OSError):
                    print(json.dumps({"url": url}) if as_json else f"Carnet authority at {url}", flush=True)
                return
