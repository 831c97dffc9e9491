"""What this workstation keeps: trust, authorization, status list, borrows, machine key, and what it gave up."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from verifier import machine_key
from verifier.errors import CarnetError, NoBorrow, NoTrust, StateDamaged
from verifier.files import read_bytes, write_atomically
from verifier.jose import strict_object
from verifier.machine_key import MachineKey
from verifier.reading import PRODUCT_ID
from verifier.trust import TrustStore


@dataclass
class State:
    """What no signed file says: the alias, which tokens were installed here in time (`jti` to `exp`), and the receipts made here.

    `given_up` has, by borrow id, the product, the `exp` of the token and the claims of the receipt, so that a return that was
    cut short can be finished with the same receipt.
    """

    alias: str | None = None
    activated: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipt_count: int = 0
    last_receipt: str | None = None


class Store:
    """The folder of one OS user on one workstation. Every file in it is replaced whole, or not at all."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._trust = home / "organization.trust"
        self._authorization = home / "newest.authorization"
        self._status = home / "newest.status"
        self._state = home / "state.json"
        self._key = home / "machine-key.pem"
        self._borrows = home / "borrows"

    @classmethod
    def open(cls, home: Path | str | None = None) -> Store:
        """The store in `home`, else in CARNET_HOME, else where the system keeps a user's data."""
        chosen = home or os.environ.get("CARNET_HOME")
        if not chosen:
            from platformdirs import user_data_path

            chosen = user_data_path("carnet", appauthor=False)
        return cls(Path(chosen))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One change at a time, also across processes."""
        self._borrows.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.home / ".lock", "a+b") as stream:
            _lock(stream.fileno())
            yield

    def trust(self) -> TrustStore:
        """The installed trust store. Raises NoTrust or StateDamaged."""
        data = _read(self._trust)
        if data is None:
            raise NoTrust(f"no trust file is installed in {self.home}", home=str(self.home))
        with _damaged(self._trust):
            return TrustStore.read(data)

    def save_trust(self, data: bytes) -> None:
        """Keeps a trust file that was checked."""
        write_atomically(self._trust, data)

    def authorization_file(self) -> bytes | None:
        """The newest authorization file seen here, if any."""
        return _read(self._authorization)

    def save_authorization(self, data: bytes) -> None:
        """Keeps an authorization file that was checked and is newer."""
        write_atomically(self._authorization, data)

    def status_file(self) -> bytes | None:
        """The newest status file seen here, if any."""
        return _read(self._status)

    def save_status(self, data: bytes) -> None:
        """Keeps a status file that was checked and is newer."""
        write_atomically(self._status, data)

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
        """The unsigned state. Raises StateDamaged when it is there and cannot be read."""
        data = _read(self._state)
        if data is None:
            return State()
        with _damaged(self._state):
            return _state(strict_object(data))

    def save_state(self, state: State) -> None:
        """Keeps the unsigned state."""
        write_atomically(self._state, json.dumps(asdict(state), indent=2).encode())

    def machine_key(self) -> MachineKey:
        """The machine key, made at first use. Raises StateDamaged."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return machine_key.load_or_create(self._key)

    def machine_key_thumbprint(self) -> str | None:
        """The thumbprint of the machine key, or None while there is no key: asking makes none."""
        return machine_key.load(self._key).public.kid if self._key.exists() else None


def _state(members: dict[str, Any]) -> State:
    state = State(**members)
    types = (isinstance(state.activated, dict), isinstance(state.given_up, dict), type(state.receipt_count) is int)
    if not all(types) or not all(isinstance(text, str | None) for text in (state.alias, state.last_receipt)):
        raise TypeError("a member is of another type")
    return state


def _read(path: Path) -> bytes | None:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None
    except (OSError, CarnetError) as error:
        raise StateDamaged(f"{path} cannot be read: {error}", path=str(path)) from error


@contextlib.contextmanager
def _damaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (CarnetError, TypeError) as error:
        raise StateDamaged(f"{path} is damaged: {error}", path=str(path)) from error


def _lock(descriptor: int) -> None:
    """Waits for the lock on an open file; closing the file gives it back."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
