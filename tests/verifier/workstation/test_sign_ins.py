"""Where a sign-in is remembered: in the system's keyring where there is one, else in a file for its user alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.systems import ON_POSIX
from verifier.errors import StateDamaged
from verifier.workstation import sign_ins

NAME = "https://licenses.example.org /home/ada/.local/share/carnet"


class Kept:
    """A keyring in memory; a `broken` one refuses everything, as one that nobody unlocks does."""

    def __init__(self, *, broken: bool = False) -> None:
        self.secrets: dict[tuple[str, str], str] = {}
        self.broken = broken

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.secrets[service, username]

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("locked")


@ON_POSIX
def test_a_keyring_has_the_secret_and_no_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring, path = Kept(), tmp_path / "home" / "sign-in"
    path.parent.mkdir()
    path.write_text("an older one")
    monkeypatch.setattr("keyring.get_keyring", lambda: ring)
    assert sign_ins.keep(path, NAME, "secret") == sign_ins.IN_KEYRING
    assert ring.secrets == {("carnet", NAME): "secret"}
    assert not path.exists()
    assert sign_ins.secret_of(path, NAME) == "secret"
    assert sign_ins.secret_of(path, "another home") is None
    sign_ins.forget(path, NAME)
    assert ring.secrets == {}
    assert sign_ins.secret_of(path, NAME) is None
    sign_ins.forget(path, NAME)


@ON_POSIX
def test_a_keyring_that_nobody_opens_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends import fail, null

    path = tmp_path / "home" / "sign-in"
    rings: list[Any] = [Kept(broken=True), fail.Keyring(), null.Keyring()]  # type: ignore[no-untyped-call]
    for ring in rings:
        monkeypatch.setattr("keyring.get_keyring", lambda ring=ring: ring)
        assert "0600" in sign_ins.keep(path, NAME, "secret")
        assert path.stat().st_mode & 0o777 == 0o600
        assert sign_ins.secret_of(path, NAME) == "secret"
        sign_ins.forget(path, NAME)
        assert not path.exists()


def test_without_a_keyring_a_file_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_ins, "_keyring", lambda: None)
    path = tmp_path / "sign-in"
    assert sign_ins.secret_of(path, NAME) is None
    where = sign_ins.keep(path, NAME, "secret")
    assert ("Windows" if sys.platform == "win32" else "0600") in where
    assert sign_ins.secret_of(path, NAME) == "secret"
    for data in (b"\xff\xfe", b""):
        path.write_bytes(data)
        if data or sys.platform == "win32":
            with pytest.raises(StateDamaged, match="sign-in"):
                sign_ins.secret_of(path, NAME)


@ON_POSIX
def test_a_file_that_others_can_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_ins, "_keyring", lambda: None)
    path = tmp_path / "sign-in"
    sign_ins.keep(path, NAME, "secret")
    path.chmod(0o640)
    with pytest.raises(StateDamaged, match="640") as caught:
        sign_ins.secret_of(path, NAME)
    assert "carnet sign-in" in caught.value.hint
