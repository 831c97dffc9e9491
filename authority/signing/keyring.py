"""Private keys in files: made with tight permissions, refused when others can read them, never shown."""

from __future__ import annotations

import codecs
import os
import stat
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from authority.domain.catalogue import KeyUse
from authority.domain.disk import explained
from authority.domain.plurals import counted
from authority.domain.refusals import DemonstrationOnly, KeyUnusable, NotFound
from authority.signing.sample_keys import SAMPLE_KIDS
from verifier.core import keys
from verifier.core.keys import PublicKey
from verifier.errors import Malformed
from verifier.workstation.disk import read_with_mode, write_atomically

# What a shell gives for <(command): a pipe that has its writer.
INHERITED = Path("/dev/fd")
LONGEST_SECRET = 64 * 1024
# The library stretches a passphrase only 2,048 times, so the passphrase itself must carry the strength: 128 random bits.
SHORTEST_PASSPHRASE = 22
LONGEST_PASSPHRASE = 1023
RUN = "Run: "
MAKE_ONE = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
# What bytes.strip takes away.
ASCII_SPACE = " \t\n\r\x0b\x0c"


class Signer(Protocol):
    """Something that holds one Ed25519 key and signs with it."""

    @property
    def public(self) -> PublicKey:
        """The screened public key."""

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of the signature."""


@dataclass(frozen=True)
class FileSigner:
    """A key that was read from a file."""

    _private: Ed25519PrivateKey
    public: PublicKey

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> FileSigner:
        """A signer for a key in memory."""
        return cls(private, keys.from_raw(private.public_key().public_bytes_raw()))

    @classmethod
    def fresh(cls) -> FileSigner:
        """A new key, in memory alone. Its thumbprint begins with no hyphen: on a command line that would be an option."""
        while (signer := cls.of(Ed25519PrivateKey.generate())).public.kid.startswith("-"):
            pass
        return signer

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        return f"FileSigner({self.public.kid})"


@dataclass(frozen=True, slots=True)
class Retired:
    """Since when a key signs nothing new (aware, whole seconds), and whether it may be in other hands."""

    at: datetime
    is_stolen: bool


@dataclass(eq=False)
class KeyRing:
    """The authority's own keys by use and thumbprint, and those among them that are retired, by thumbprint.

    A retired key makes again, byte for byte, what it signed before, and signs nothing else.
    """

    signers: dict[tuple[KeyUse, str], FileSigner]
    retired: dict[str, Retired] = field(default_factory=dict)

    def signer(self, use: KeyUse, kid: str) -> Signer:
        """The key with this thumbprint. Raises KeyUnusable when its file is not there."""
        if (use, kid) not in self.signers:
            raise KeyUnusable(f"the {use} key {kid} is not among the key files", kid=kid)
        return self.signers[use, kid]

    def kids(self, use: KeyUse) -> list[str]:
        """The thumbprints of all keys of one use that may sign what is new."""
        return [kid for key_use, kid in self.signers if key_use is use and kid not in self.retired]

    def every_kid(self, use: KeyUse) -> list[str]:
        """The thumbprints of all keys of one use, retired ones too."""
        return [kid for key_use, kid in self.signers if key_use is use]

    def use_of(self, kid: str) -> KeyUse:
        """What the key with this thumbprint is for. Raises NotFound."""
        for use, own_kid in self.signers:
            if own_kid == kid:
                return use
        raise NotFound(f"there is no key {kid[:80]} here", hint="carnet-authority key list shows those that are here.")

    def add(self, use: KeyUse) -> str:
        """Makes another key; returns its thumbprint."""
        signer = FileSigner.fresh()
        self.signers = {**self.signers, (use, signer.public.kid): signer}
        return signer.public.kid

    def retire(self, kid: str, retired: Retired) -> None:
        """From now on the key signs nothing new."""
        self.retired = {**self.retired, kid: retired}


def read_passphrase(path: Path | None) -> bytes | None:
    """The passphrase in a file, None without a file. Raises KeyUnusable when others can read it or it is too short.

    White space at its ends, such as the last line break, is no part of it, nor is a byte order mark; it is taken in NFC.
    Bytes that are no UTF-8 are taken as they are.
    """
    if path is None:
        return None
    data, mode = _read(path, "passphrase file")
    _check_private(path, "passphrase file", mode)
    passphrase, length = _passphrase(data)
    if length < SHORTEST_PASSPHRASE:
        raise KeyUnusable(
            f"the passphrase in {path} has {counted(length, 'character')}, at least {SHORTEST_PASSPHRASE} random ones are needed",
            hint=MAKE_ONE,
        )
    if len(passphrase) > LONGEST_PASSPHRASE:
        raise KeyUnusable(
            f"the passphrase in {path} has more than {LONGEST_PASSPHRASE} bytes, which OpenSSL does not take",
            hint=MAKE_ONE,
        )
    return passphrase


def _passphrase(data: bytes) -> tuple[bytes, int]:
    """The passphrase in the bytes of a file, and how many characters it has."""
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig").strip(ASCII_SPACE))
    except UnicodeDecodeError:
        return data.strip(), len(data.strip())
    return text.encode(), len(text)


def _former_passphrases(passphrase: bytes) -> Iterator[bytes]:
    """What keys were encrypted with while a passphrase was taken byte for byte: with a byte order mark, or decomposed."""
    try:
        decomposed = unicodedata.normalize("NFD", passphrase.decode()).encode()
    except UnicodeDecodeError:
        return
    yield from {decomposed, codecs.BOM_UTF8 + passphrase, codecs.BOM_UTF8 + decomposed} - {passphrase}


def create(folder: Path, name: str, passphrase: bytes | None) -> FileSigner:
    """Makes a key and writes it to `NAME-KID.pem`, readable by its owner alone, encrypted when there is a passphrase."""
    signer = FileSigner.fresh()
    write(folder, name, signer, passphrase)
    return signer


def write(folder: Path, name: str, signer: FileSigner, passphrase: bytes | None) -> Path:
    """Writes a key to `NAME-KID.pem` in the folder and returns the path."""
    with explained(folder, "made"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    path = folder / f"{name}-{signer.public.kid}.pem"
    with explained(path, "written"):
        write_atomically(path, signer._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))  # noqa: SLF001
    return path


def load(path: Path, passphrase: bytes | None, *, demonstration: bool = False) -> FileSigner:
    """The key in a file. Raises KeyUnusable (missing, open to others, wrong passphrase, another kind) or DemonstrationOnly.

    The published sample keys are no secret: a demonstration takes them from files that others can read.
    """
    data, mode = _read(path, "private key")
    private = _opened(data, path, passphrase)
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnusable(f"the private key {path} is not an Ed25519 key", path=str(path))
    signer = FileSigner.of(private)
    if signer.public.kid not in SAMPLE_KIDS:
        _check_private(path, "private key", mode)
    elif not demonstration:
        raise DemonstrationOnly(f"{path} is one of the published sample keys, which everybody has", path=str(path))
    return signer


def _opened(data: bytes, path: Path, passphrase: bytes | None) -> PrivateKeyTypes:
    """The key in the text of a file. Raises KeyUnusable."""
    is_encrypted = b"ENCRYPTED" in data
    candidates = [passphrase, *_former_passphrases(passphrase)] if is_encrypted and passphrase else [None]
    problem: Exception | None = None
    for candidate in candidates:
        try:
            return load_pem_private_key(data, candidate)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
            problem = problem or error
    why = "is encrypted, and the passphrase is missing or wrong" if is_encrypted else "is not a PEM key"
    raise KeyUnusable(f"the private key {path} {why}", path=str(path)) from problem


def _read(path: Path, what: str) -> tuple[bytes, int]:
    """The bytes of a small file and its permissions; a link leads to what is meant. Raises KeyUnusable, also for a pipe or device."""
    try:
        if path.parent == INHERITED:
            with open(path, "rb") as stream:
                return stream.read(LONGEST_SECRET), stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        return read_with_mode(path, follow=True)
    except Malformed as error:
        raise KeyUnusable(f"the {what} {error.message}", path=str(path)) from error
    except OSError as error:
        raise KeyUnusable(f"the {what} {path} cannot be read: {error.strerror}", path=str(path)) from error


def _check_private(path: Path, what: str, mode: int) -> None:
    if sys.platform != "win32" and mode & 0o077:
        raise KeyUnusable(
            f"the {what} {path} is open to other users (mode {mode:o})", hint=f"{RUN}chmod 600 {path}", path=str(path)
        )
