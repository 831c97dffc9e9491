"""The keys in the authority's folder, as they are there now, and the record of those that are retired."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from authority.domain.catalogue import KeyUse
from authority.domain.disk import explained
from authority.domain.refusals import KeyUnusable, Refusal
from authority.signing import keyring
from authority.signing.keyring import FileSigner, KeyRing, Retired
from verifier.core import jose
from verifier.core.times import instant
from verifier.errors import CarnetError
from verifier.workstation.disk import read_with_mode, write_atomically

RETIRED = "retired.json"


@dataclass(eq=False)
class FolderRing(KeyRing):
    """The keys of a folder, as they are there: what another process adds or retires is known at once."""

    folder: Path = field(kw_only=True)
    passphrase: bytes | None = field(kw_only=True, repr=False)
    demonstration: bool = field(kw_only=True)
    _seen: int = field(kw_only=True)

    @classmethod
    def of(cls, folder: Path, passphrase: bytes | None, *, demonstration: bool) -> FolderRing:
        """The keys that are in the folder now. Raises KeyUnusable or DemonstrationOnly."""
        changed_at = _changed_at(folder)
        signers = _signers(folder, passphrase, demonstration=demonstration)
        retired = _read_retired(folder)
        return cls(signers, retired, folder=folder, passphrase=passphrase, demonstration=demonstration, _seen=changed_at)

    def kids(self, use: KeyUse) -> list[str]:
        """The thumbprints of all keys of one use that may sign what is new."""
        self._look()
        return super().kids(use)

    def every_kid(self, use: KeyUse) -> list[str]:
        """The thumbprints of all keys of one use, retired ones too."""
        self._look()
        return super().every_kid(use)

    def use_of(self, kid: str) -> KeyUse:
        """What the key with this thumbprint is for. Raises NotFound."""
        self._look()
        return super().use_of(kid)

    def add(self, use: KeyUse) -> str:
        """Makes another key in the folder; returns its thumbprint. Raises KeyUnusable, DiskFull, NotPermitted or DiskFailed."""
        kid = keyring.create(self.folder, use, self.passphrase).public.kid
        self._look()
        return kid

    def retire(self, kid: str, retired: Retired) -> None:
        """Keeps that a key is retired. Raises KeyUnusable for a damaged record, DiskFull, NotPermitted or DiskFailed."""
        every = {**_read_retired(self.folder), kid: retired}
        value = {name: {"retired_at": int(item.at.timestamp()), "stolen": item.is_stolen} for name, item in every.items()}
        with explained(self.folder / RETIRED, "written"):
            write_atomically(self.folder / RETIRED, (json.dumps(value, indent=2) + "\n").encode())
        self._look()

    def _look(self) -> None:
        """Reads the folder again when something in it changed; while a file in it cannot be read, the keys stay those of before."""
        changed_at = _changed_at(self.folder)
        if changed_at == self._seen:
            return
        with contextlib.suppress(Refusal):
            signers = _signers(self.folder, self.passphrase, demonstration=self.demonstration)
            self.signers, self.retired, self._seen = signers, _read_retired(self.folder), changed_at


def _changed_at(folder: Path) -> int:
    """A number that is another one once a file was put into the folder, taken out of it or replaced; 0 without a folder."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def _read_retired(folder: Path) -> dict[str, Retired]:
    """The retired keys of a folder. Raises KeyUnusable for a damaged record: what it said must not be forgotten."""
    path = folder / RETIRED
    try:
        entries = jose.strict_object(read_with_mode(path)[0])
        return {kid: _retired(item) for kid, item in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, CarnetError, LookupError, TypeError, ValueError) as error:
        raise KeyUnusable(
            f"the record of retired keys, {path}, cannot be read",
            hint="Put back a copy of it. Without one, move it away and retire the keys again: carnet-authority key retire.",
            path=str(path),
        ) from error


def _retired(item: dict[str, object]) -> Retired:
    at, is_stolen = item["retired_at"], item["stolen"]
    if type(at) is not int or type(is_stolen) is not bool:
        raise ValueError("not a record of retired keys")
    return Retired(instant(at), is_stolen)


def load_ring(folder: Path, passphrase: bytes | None, *, demonstration: bool = False) -> FolderRing:
    """Every `borrow-*.pem` and `status-*.pem` in the folder. Raises KeyUnusable with every one that is of no use, or DemonstrationOnly."""
    return FolderRing.of(folder, passphrase, demonstration=demonstration)


def _signers(folder: Path, passphrase: bytes | None, *, demonstration: bool) -> dict[tuple[KeyUse, str], FileSigner]:
    signers: dict[tuple[KeyUse, str], FileSigner] = {}
    problems: list[KeyUnusable] = []
    for use, path in _key_files(folder):
        try:
            signer = keyring.load(path, passphrase, demonstration=demonstration)
        except KeyUnusable as error:
            problems.append(error)
        else:
            signers[use, signer.public.kid] = signer
    if problems:
        raise _all_of(problems)
    return signers


def _all_of(problems: Sequence[KeyUnusable]) -> KeyUnusable:
    """One refusal that says all of them, and each thing to do once."""
    first, *others = problems
    if not others:
        return first
    hints = list(dict.fromkeys(problem.hint for problem in problems))
    if all(hint.startswith(keyring.RUN) for hint in hints):
        hints = [keyring.RUN + "; ".join(hint.removeprefix(keyring.RUN) for hint in hints)]
    return KeyUnusable("; ".join(problem.message for problem in problems), hint=" ".join(hints), path=first.path)


def _key_files(folder: Path) -> Iterator[tuple[KeyUse, Path]]:
    for use in KeyUse:
        for path in sorted(folder.glob(f"{use}-*.pem")):
            yield use, path
