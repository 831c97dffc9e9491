"""Passwords: what an authority in earnest hashes them with; the tests themselves take the least cost."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from authority.domain.members import ANYBODY
from authority.domain.refusals import InvalidInput, KeyUnusable
from authority.services import access, passwords
from authority.services.unit import Unit
from authority.signing import keyring
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.console import Console

SCRIPT = "from authority.services.passwords import hash_password; print(hash_password('a long password'))"


def test_a_password_is_hashed_by_argon2id_at_a_cost_that_guessing_feels() -> None:
    """RFC 9106, second recommended option: 64 MiB, three passes."""
    process = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert process.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


COMPOSED = "Grün-Fläche-2026"
FORMS = {
    "composed": COMPOSED,
    "decomposed": unicodedata.normalize("NFD", COMPOSED),
    "mixed": "Gru\u0308n-Fläche-2026",
}
each_form = pytest.mark.parametrize("typed", FORMS.values(), ids=FORMS)


@each_form
@pytest.mark.parametrize("set_as", FORMS.values(), ids=FORMS)
def test_a_password_is_right_in_whatever_form_it_is_typed(set_as: str, typed: str) -> None:
    assert passwords.is_right(typed, passwords.hash_password(set_as))


@pytest.mark.parametrize("stored", FORMS.values(), ids=FORMS)
def test_what_was_hashed_as_it_was_typed_opens_with_what_was_typed(stored: str) -> None:
    """A hash of before passwords had one form."""
    assert passwords.is_right(stored, passwords._hasher.hash(stored))
    assert not passwords.is_right(stored + "x", passwords._hasher.hash(stored))


def test_a_password_hashed_on_a_mac_before_opens_from_elsewhere() -> None:
    assert passwords.is_right(COMPOSED, passwords._hasher.hash(FORMS["decomposed"]))


@pytest.mark.parametrize(
    ("one", "other"), [("correct horse 9", "correct\u00a0horse\u30009"), ("blank at end ", "blank at end\u3000")]
)
def test_every_white_space_of_a_password_is_one_and_counts(one: str, other: str) -> None:
    assert passwords.is_right(other, passwords.hash_password(one))
    assert not passwords.is_right(one.replace(" ", ""), passwords.hash_password(one))


@pytest.mark.parametrize("other", ["grün-fläche-2026", "Grun-Flache-2026", "Grün-Fläche-２０２６", "\ufeff" + COMPOSED])
def test_what_only_looks_like_a_password_is_wrong(other: str) -> None:
    """Case, accents and width are part of a password (RFC 8265, 4.2.2)."""
    assert not passwords.is_right(other, passwords.hash_password(COMPOSED))


def test_a_password_is_as_long_as_its_one_form() -> None:
    assert passwords.hash_password("u\u0308" * 256)
    for text in ("u\u0308" * 9, "ü" * 257):
        with pytest.raises(InvalidInput, match="10 to 256"):
            passwords.hash_password(text)


def test_what_is_no_unicode_is_no_password_and_no_mistake() -> None:
    with pytest.raises(InvalidInput):
        passwords.hash_password("\udcff" * 12)
    assert not passwords.is_right("\udcff" * 12, passwords.hash_password(COMPOSED))


FILES = {
    "a line break": b"correct-horse-9\n",
    "that of Windows": b"correct-horse-9\r\n",
    "no line break": b"correct-horse-9",
    "a byte order mark": b"\xef\xbb\xbfcorrect-horse-9\r\n",
    "a second line": b"correct-horse-9\r\nnot this one\r\n",
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
@pytest.mark.parametrize("command", ["add", "set"])
def test_a_password_file_is_read_whoever_wrote_it(console: Console, tmp_path: Path, data: bytes, command: str) -> None:
    (tmp_path / "password").write_bytes(data)
    name = "ada" if command == "set" else "bert"
    console.good("member", command, name, "--password-file", str(tmp_path / "password"))
    authority = open_authority(load({}, str(console.home)))
    assert access.sign_in(Unit(authority, ANYBODY), name, "correct-horse-9")
    authority.database.close()


def test_a_password_file_that_is_no_utf_8_is_wrong_usage_that_says_so(console: Console, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes("correct-hörse-9\r\n".encode("utf-16"))
    ended = console.run("member", "add", "bert", "--password-file", str(tmp_path / "password"))
    assert (ended.status, ended.out) == (2, "")
    assert "save it as UTF-8" in ended.err


PASSPHRASE = "grün-long-random-passphrase-2026"
SAME_PASSPHRASE = {
    "as it is": PASSPHRASE.encode(),
    "a line break": PASSPHRASE.encode() + b"\n",
    "Notepad": b"\xef\xbb\xbf" + PASSPHRASE.encode() + b"\r\n",
    "decomposed": unicodedata.normalize("NFD", PASSPHRASE).encode() + b"\n",
}


def private_file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("data", SAME_PASSPHRASE.values(), ids=SAME_PASSPHRASE)
def test_a_passphrase_file_is_read_whoever_wrote_it(tmp_path: Path, data: bytes) -> None:
    assert keyring.read_passphrase(private_file(tmp_path / "passphrase", data)) == PASSPHRASE.encode()


@pytest.mark.parametrize("made_with", SAME_PASSPHRASE.values(), ids=SAME_PASSPHRASE)
@pytest.mark.parametrize("data", SAME_PASSPHRASE.values(), ids=SAME_PASSPHRASE)
def test_a_key_that_was_encrypted_byte_for_byte_opens_with_the_same_text(tmp_path: Path, made_with: bytes, data: bytes) -> None:
    """Keys of before a passphrase had one form: the mark and the form of its letters are part of theirs."""
    keyring.create(tmp_path, "borrow", made_with.strip())
    (key,) = tmp_path.glob("borrow-*.pem")
    passphrase = keyring.read_passphrase(private_file(tmp_path / "passphrase", data))
    assert keyring.load(key, passphrase).public.kid in key.name
    with pytest.raises(KeyUnusable, match="missing or wrong"):
        keyring.load(key, b"another-passphrase-of-many-characters")


def test_bytes_that_are_no_text_are_a_passphrase_as_they_are(tmp_path: Path) -> None:
    data = bytes(range(128, 160)) + b"\n"
    passphrase = keyring.read_passphrase(private_file(tmp_path / "passphrase", data))
    assert passphrase == data[:-1]
    keyring.create(tmp_path, "borrow", passphrase)
    (key,) = tmp_path.glob("borrow-*.pem")
    assert keyring.load(key, passphrase).public.kid in key.name
    with pytest.raises(KeyUnusable):
        keyring.load(key, bytes(range(129, 161)))


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + b"x" * 21, "ü".encode() * 21, b"\xef\xbb\xbf\r\n"])
def test_a_passphrase_is_as_long_as_it_has_characters(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(KeyUnusable, match="at least 22"):
        keyring.read_passphrase(private_file(tmp_path / "passphrase", data))
