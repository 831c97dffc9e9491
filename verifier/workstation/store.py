"""What this workstation keeps: trust, authorization, status list, borrows, machine key, and what it gave up."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from verifier.core import files, keys, state
from verifier.core.opening import StatusFile, open_status
from verifier.core.reading import PRODUCT_ID
from verifier.core.state import STATE_TYP, State
from verifier.core.trust import Authorization, TrustStore
from verifier.errors import (
    BadSignature,
    CarnetError,
    HomeMissing,
    KeyNotValid,
    Malformed,
    NoBorrow,
    NoHome,
    NoLocks,
    NoTrust,
    StateDamaged,
    StatusListUnusable,
    UnknownKey,
    UnsupportedVersion,
)
from verifier.workstation import locks, machine_key, second_copy
from verifier.workstation.disk import Replacement, clear, explained, names_in, read_with_mode, trouble, write_atomically
from verifier.workstation.machine_key import MachineKey

if sys.platform == "win32":
    from verifier.workstation import windows_names

UNCHANGED = "; nothing was changed"
# The longest name in the folder of the state, with that of its folder and what a new file has more.
ROOM_IN_HOME = 100


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
        self._changes: Replacement | None = None
        # Made within the block of `locked` that is under way, and not yet at its place.
        self._new_key: MachineKey | None = None
        # The text of the state that is to stand in the second copy too, once it stands in the first.
        self._new_state: tuple[str, bytes, str | None] | None = None

    @classmethod
    def open(cls, home: Path | str | None = None) -> Store:
        """The store in `home`, else in CARNET_HOME, else where the system keeps a user's data. Raises NoHome."""
        folder = home or os.environ.get("CARNET_HOME")
        if not folder:
            from platformdirs import user_data_path

            try:
                folder = user_data_path("carnet", appauthor=False)
            except (RuntimeError, ValueError) as error:
                # HOME is not set, and the password database does not know this user; or Windows has no such folder for it.
                raise NoHome("no folder for the state of this workstation is known: this user has no home") from error
        if sys.platform == "win32":
            folder = windows_names.extended(os.path.abspath(folder), ROOM_IN_HOME)
        return cls(Path(folder))

    @contextlib.contextmanager
    def locked(self, *, wait: bool = True) -> Iterator[None]:
        """One change at a time, also across processes. What is saved in the block is kept at its end, all of it or nothing.

        Raises DiskFull, NotPermitted, NoLocks or DiskFailed; this also when another one is at work and `wait` is false.
        """
        with contextlib.ExitStack() as stack:
            with explained(self.home, "written", UNCHANGED):
                self._make_folders()
                lock = os.open(self.home / ".lock", os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600)
                stack.callback(os.close, lock)
            self._lock(lock, wait=wait)
            stack.callback(locks.give_back, lock)
            for folder in (self.home, self._borrows, self._statuses):
                with explained(folder, "written", UNCHANGED):
                    clear(folder)
            self._changes = stack.enter_context(Replacement())
            try:
                yield
                with explained(self.home, "written"):
                    self._changes.keep()
                # The first copy decides: what it says is so, whether or not the second could be written.
                if self._new_state is not None:
                    second_copy.write(*self._new_state)
            finally:
                self._changes, self._new_key, self._new_state = None, None, None

    def _make_folders(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self._borrows, self._statuses):
            folder.mkdir(exist_ok=True, mode=0o700)

    def _lock(self, descriptor: int, *, wait: bool) -> None:
        try:
            locks.take(descriptor, wait=wait)
        except OSError as error:
            if error.errno in locks.WITHOUT_LOCKS:
                raise NoLocks(
                    f"{self.home} is on a share without locks ({error.strerror}){UNCHANGED}", home=str(self.home)
                ) from error
            raise trouble(error, self.home, "locked", UNCHANGED) from error

    def _save(self, path: Path, data: bytes) -> None:
        """Keeps what a file of the state is to have: within `locked` at the end of the block, else at once."""
        with explained(path, "written", UNCHANGED):
            if self._changes is None:
                write_atomically(path, data)
            else:
                self._changes.add(path, data)

    def trust(self) -> TrustStore:
        """The installed trust store. Raises NoTrust, HomeMissing where it was here once, or StateDamaged."""
        data = _read(self._trust)
        if data is None:
            raise self._no_trust()
        with damaged(self._trust):
            return TrustStore.read(data)

    def _no_trust(self) -> NoTrust:
        with contextlib.suppress(CarnetError):
            machine_key = self.machine_key_thumbprint()
            if machine_key is not None and self.state_of(machine_key).had_trust:
                return HomeMissing(
                    f"the machine key {machine_key} is in {self.home}, and the trust and the borrows that it had are not",
                    home=str(self.home),
                    machine_key=machine_key,
                )
        return NoTrust(f"no trust file is installed in {self.home}", home=str(self.home))

    def save_trust(self, data: bytes) -> None:
        """Keeps a trust file that was checked."""
        self._save(self._trust, data)

    def newest_authorization(self, trust: TrustStore) -> Authorization | None:
        """The newest authorization seen here, if any. Raises StateDamaged."""
        data = _read(self._authorization)
        if data is None:
            return None
        # What a root key signed that was replaced since, and does not stay good, says nothing any more.
        with contextlib.suppress(KeyNotValid), damaged(self._authorization):
            return trust.authorize(files.parse(data, "authorization")[1]["authorization"])
        return None

    def save_authorization(self, data: bytes) -> None:
        """Keeps an authorization file that was checked and is newer."""
        self._save(self._authorization, data)

    def status_files(self, trust: TrustStore) -> list[StatusFile]:
        """The newest status file seen here of each list. Raises StateDamaged."""
        paths = [self._statuses / name for name in names_in(self._statuses, ".status")]
        contents = ((path, _read(path)) for path in paths)
        status_files = [_status_file(path, data, trust) for path, data in contents if data is not None]
        return [file for file in status_files if file is not None]

    def status_file(self, uri: str, trust: TrustStore) -> StatusFile | None:
        """The newest status file seen here of the list with this URI, if any. Raises StateDamaged."""
        path = self._status_path(uri)
        data = _read(path)
        return None if data is None else _status_file(path, data, trust)

    def save_status(self, uri: str, data: bytes) -> None:
        """Keeps a status file that was checked and is newer."""
        self._save(self._status_path(uri), data)

    def _status_path(self, uri: str) -> Path:
        return self._statuses / f"{keys.encode(hashlib.sha256(uri.encode()).digest()[:12])}.status"

    def products(self) -> list[str]:
        """The products with an installed borrow, in order."""
        return sorted(name.removesuffix(".borrow").removeprefix("_") for name in names_in(self._borrows, ".borrow"))

    def borrow_file(self, product: str) -> bytes:
        """The installed borrow file of a product. Raises NoBorrow."""
        data = _read(self._borrow_path(product)) if PRODUCT_ID.match(product) else None
        if data is None:
            there = ", ".join(self.products())
            raise NoBorrow(
                f'no borrow of "{product}" is installed in {self.home}',
                hint=f"Installed here: {there}. Is the product's name misspelled? {NoBorrow.default_hint}"
                if there
                else NoBorrow.default_hint,
                product=product,
                home=str(self.home),
            )
        return data

    def save_borrow(self, product: str, data: bytes) -> None:
        """Keeps a borrow file that was checked; `product` is that of its verified claims."""
        self._save(self._borrow_path(product), data)

    def remove_borrow(self, product: str) -> None:
        """Takes the installed borrow of a product away. Raises NotPermitted or DiskFailed."""
        path = self._borrow_path(product)
        with explained(path, "removed"):
            path.unlink(missing_ok=True)

    def forget_organization(self) -> None:
        """Takes away what is of the organization: borrows, status lists, authorization, trust last; what this machine is stays."""
        with self.locked():
            paths = [self._borrows / name for name in names_in(self._borrows, ".borrow")]
            paths += [self._statuses / name for name in names_in(self._statuses, ".status")]
            for path in (*paths, self._authorization, self._trust):
                with explained(path, "removed"):
                    path.unlink(missing_ok=True)

    def _borrow_path(self, product: str) -> Path:
        # No product begins with an underscore, and no device of Windows.
        mark = "_" if sys.platform == "win32" and windows_names.is_device(product) else ""
        return self._borrows / f"{mark}{product}.borrow"

    def state(self) -> State:
        """What this workstation remembers and no other file says. Raises StateDamaged when it is there and not good."""
        return self.state_of(self.machine_key_thumbprint())

    def state_of(self, machine_key: str | None) -> State:
        """The state that the machine key with this thumbprint signed, of both copies; with a new machine key all begins anew.

        A first copy that is damaged is told (StateDamaged); a second one says nothing then.
        """
        first = _read(self._state)
        with damaged(self._state):
            remembered = (None if first is None else state.open_state(first, machine_key)) or State()
        if machine_key is None:
            return remembered
        # Also where the first copy says that it was: the environment may name another place today.
        known_at = remembered.second_at
        others = second_copy.copies(machine_key, known_at)
        for text in others:
            if text != first:
                with contextlib.suppress(CarnetError):
                    remembered = state.merged(remembered, state.open_state(text, machine_key) or State())
        remembered.is_alone = known_at is not None and not others
        return remembered

    def save_state(self, remembered: State) -> None:
        """Keeps the state twice, signed, so that no part of it can be changed by hand."""
        signed = self._signed(remembered)
        self._save(self._state, signed[1])
        if self._changes is None:
            second_copy.write(*signed)
        else:
            self._new_state = signed

    def save_second_copy(self, remembered: State) -> bool:
        """Keeps the second copy of the state alone, where the first cannot be written. False where neither can."""
        return second_copy.write(*self._signed(remembered))

    def _signed(self, remembered: State) -> tuple[str, bytes, str | None]:
        """The thumbprint of the machine key, the text of the state that it signed, and the place of its second copy."""
        remembered.changes += 1
        remembered.second_at = second_copy.place(remembered.second_at) or remembered.second_at
        key = self.machine_key()
        data = (json.dumps({"state": key.sign(STATE_TYP, remembered.claims())}) + "\n").encode()
        return key.public.kid, data, remembered.second_at

    def machine_key(self) -> MachineKey:
        """The machine key, made at first use: two first uses at once make one key. Raises StateDamaged."""
        key = machine_key.load(self._key)
        if key is not None:
            return key
        if self._changes is None:
            with self.locked():
                return self.machine_key()
        if self._new_key is None:
            self._new_key, pem = machine_key.make()
            self._save(self._key, pem)
        return self._new_key

    def machine_key_thumbprint(self) -> str | None:
        """The thumbprint of the machine key, or None while there is no key: asking makes none. Raises StateDamaged."""
        key = machine_key.load(self._key)
        return None if key is None else key.public.kid


def _status_file(path: Path, data: bytes, trust: TrustStore) -> StatusFile | None:
    """The status file; None when a root key signed its authorization that was replaced since, and it does not stay good."""
    with contextlib.suppress(KeyNotValid), damaged(path):
        return open_status(data, trust)
    return None


def _read(path: Path) -> bytes | None:
    try:
        return read_with_mode(path)[0]
    except FileNotFoundError:
        return None
    except (IsADirectoryError, Malformed) as error:
        raise StateDamaged(f"{path} cannot be read: {error}", path=str(path)) from error
    except OSError as error:
        raise trouble(error, path, "read") from error


@contextlib.contextmanager
def damaged(what: object) -> Iterator[None]:
    """What was checked when it was kept and is no longer in order was damaged since: StateDamaged, not a verdict."""
    try:
        yield
    except (Malformed, UnsupportedVersion, UnknownKey, BadSignature, StatusListUnusable) as error:
        # That the key of a list was stolen since is no damage: the next list mends it.
        if isinstance(error, StatusListUnusable) and error.cause == KeyNotValid.code:
            raise
        raise StateDamaged(f"{what} is damaged: {error}", path=str(what)) from error
