"""What this workstation keeps: trust, authorization, status list, borrows, machine key, and what it gave up."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from verifier.core import claims, files, jose, keys
from verifier.core.claims import STATE_TYP, State
from verifier.core.files import LARGEST_STATUS_FILE
from verifier.core.reading import PRODUCT_ID
from verifier.core.steps import StatusFile, open_status
from verifier.core.trust import Authorization, TrustStore
from verifier.errors import (
    BadSignature,
    CarnetError,
    Malformed,
    NoBorrow,
    NoTrust,
    StateDamaged,
    StatusListUnusable,
    UnknownKey,
    UnsupportedVersion,
)
from verifier.workstation import machine_key
from verifier.workstation.disk import read_bytes, write_atomically
from verifier.workstation.machine_key import MachineKey


class Store:
    """The folder of one OS user on one workstation. Every file in it is replaced whole, or not at all."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._trust = home / "organization.trust"
        self._authorization = home / "newest.authorization"
        self._statuses = home / "status"
        self._state = home / "state.json"
        self._key = home / "machine-key.pem"
        self._borrows = home / "borrows"

    @classmethod
    def open(cls, home: Path | str | None = None) -> Store:
        """The store in `home`, else in CARNET_HOME, else where the system keeps a user's data."""
        folder = home or os.environ.get("CARNET_HOME")
        if not folder:
            from platformdirs import user_data_path

            folder = user_data_path("carnet", appauthor=False)
        return cls(Path(folder))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One change at a time, also across processes."""
        self._make_folders()
        with open(os.open(self.home / ".lock", os.O_CREAT | os.O_RDWR, 0o600), "r+b") as stream:
            _lock(stream.fileno())
            yield

    def _make_folders(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self._borrows, self._statuses):
            folder.mkdir(exist_ok=True, mode=0o700)

    def trust(self) -> TrustStore:
        """The installed trust store. Raises NoTrust or StateDamaged."""
        data = _read(self._trust)
        if data is None:
            raise NoTrust(f"no trust file is installed in {self.home}", home=str(self.home))
        with damaged(self._trust):
            return TrustStore.read(data)

    def save_trust(self, data: bytes) -> None:
        """Keeps a trust file that was checked."""
        write_atomically(self._trust, data)

    def newest_authorization(self, trust: TrustStore) -> Authorization | None:
        """The newest authorization seen here, if any. Raises StateDamaged."""
        data = _read(self._authorization)
        if data is None:
            return None
        with damaged(self._authorization):
            return trust.authorize(files.parse(data, "authorization")[1]["authorization"])

    def save_authorization(self, data: bytes) -> None:
        """Keeps an authorization file that was checked and is newer."""
        write_atomically(self._authorization, data)

    def status_files(self, trust: TrustStore) -> list[StatusFile]:
        """The newest status file seen here of each list. Raises StateDamaged."""
        contents = ((path, _read(path)) for path in sorted(self._statuses.glob("*.status")))
        return [_status_file(path, data, trust) for path, data in contents if data is not None]

    def status_file(self, uri: str, trust: TrustStore) -> StatusFile | None:
        """The newest status file seen here of the list with this URI, if any. Raises StateDamaged."""
        path = self._status_path(uri)
        data = _read(path)
        return None if data is None else _status_file(path, data, trust)

    def save_status(self, uri: str, data: bytes) -> None:
        """Keeps a status file that was checked and is newer."""
        write_atomically(self._status_path(uri), data)

    def _status_path(self, uri: str) -> Path:
        return self._statuses / f"{keys.encode(hashlib.sha256(uri.encode()).digest()[:12])}.status"

    def products(self) -> list[str]:
        """The products with an installed borrow, in order."""
        return sorted(path.stem for path in self._borrows.glob("*.borrow"))

    def borrow_file(self, product: str) -> bytes:
        """The installed borrow file of a product. Raises NoBorrow."""
        data = _read(self._borrow_path(product)) if PRODUCT_ID.match(product) else None
        if data is None:
            raise NoBorrow(f'no borrow of "{product}" is installed in {self.home}', product=product, home=str(self.home))
        return data

    def save_borrow(self, product: str, data: bytes) -> None:
        """Keeps a borrow file that was checked; `product` is that of its verified claims."""
        write_atomically(self._borrow_path(product), data)

    def _borrow_path(self, product: str) -> Path:
        return self._borrows / f"{product}.borrow"

    def state(self) -> State:
        """What this workstation remembers and no other file says. Raises StateDamaged when it is there and not good."""
        return self.state_of(self.machine_key_thumbprint())

    def state_of(self, machine_key: str | None) -> State:
        """The state that the machine key with this thumbprint signed; with a new machine key everything begins anew."""
        data = _read(self._state)
        if data is None:
            return State()
        with damaged(self._state):
            members = jose.strict_object(data)
            if set(members) != {"state"} or not isinstance(members["state"], str):
                raise Malformed("the state is not a compact JWS")
            signed = jose.open_by_jwk(members["state"], STATE_TYP, longest=LARGEST_STATUS_FILE)
            return claims.state(signed.claims) if signed.key.kid == machine_key else State()

    def save_state(self, remembered: State) -> None:
        """Keeps the state, signed, so that no part of it can be changed by hand."""
        compact = self.machine_key().sign(STATE_TYP, remembered.claims())
        write_atomically(self._state, (json.dumps({"state": compact}) + "\n").encode())

    def machine_key(self) -> MachineKey:
        """The machine key, made at first use. Raises StateDamaged."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return machine_key.load_or_create(self._key)

    def machine_key_thumbprint(self) -> str | None:
        """The thumbprint of the machine key, or None while there is no key: asking makes none."""
        return machine_key.load(self._key).public.kid if self._key.exists() else None


def _status_file(path: Path, data: bytes, trust: TrustStore) -> StatusFile:
    with damaged(path):
        return open_status(data, trust)


def _read(path: Path) -> bytes | None:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None
    except (OSError, CarnetError) as error:
        raise StateDamaged(f"{path} cannot be read: {error}", path=str(path)) from error


@contextlib.contextmanager
def damaged(what: object) -> Iterator[None]:
    """What was checked when it was kept and is no longer in order was damaged since: StateDamaged, not a verdict."""
    try:
        yield
    except (Malformed, UnsupportedVersion, UnknownKey, BadSignature, StatusListUnusable) as error:
        raise StateDamaged(f"{what} is damaged: {error}", path=str(what)) from error


def _lock(descriptor: int) -> None:
    """Waits for the lock on an open file; closing the file gives it back."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
