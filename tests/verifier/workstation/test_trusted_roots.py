"""Whom an application trusts is the application's to say: its pinned root keys, not the trust file in the user's folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import verifier
from tests.support.chains import ORGANIZATION, START, Chain, Signer, at, make_chain, refused
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.cli.main import main
from verifier.core import files, steps
from verifier.core.grant import Grant
from verifier.core.trust import SAMPLE_ROOTS
from verifier.workstation.check import licenses

OTHER = Signer()


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def check(here: RealWorkstation, **asked: Any) -> Grant:
    return verifier.check("arcgis-pro", home=here.home, now=at(START), **asked)


def of_the_sample_root(here: RealWorkstation) -> RealWorkstation:
    """The workstation, once everything on it was signed anew with the root key that everybody has."""
    seed = hashlib.sha256(b"carnet sample key, public knowledge: root").digest()
    here.chain.root = Signer(Ed25519PrivateKey.from_private_bytes(seed))
    (here.home / "organization.trust").write_bytes(here.chain.trust_file())
    (here.home / "newest.authorization").write_bytes(here.chain.authorization_file())
    (here.home / "borrows" / "arcgis-pro.borrow").write_bytes(here.chain.borrow_file())
    for path in (here.home / "status").iterdir():
        path.write_bytes(here.chain.status_file())
    return here


def test_t17_an_authority_of_the_users_own_is_believed_by_no_application_that_pins_its_roots(here: RealWorkstation) -> None:
    """Whoever sits at the machine can make a root key, trust it here, and grant himself everything."""
    with refused("untrusted-root"):
        check(here, roots=[OTHER.kid])
    with refused("untrusted-root"):
        check(here, roots=[])
    grant = check(here, roots=(OTHER.kid, here.chain.root.kid))
    assert (grant.organization, grant.root, grant.warnings) == (ORGANIZATION, here.chain.root.kid, ())
    assert grant.as_json()["root"] == here.chain.root.kid


def test_t17_a_second_root_in_the_users_trust_file_says_nothing_to_an_application(here: RealWorkstation) -> None:
    """Not even through a newer authorization or a newer status list, which would bring back what was revoked."""
    here.chain.set_status(1, seq=2)
    here.install(here.chain.status_file())
    (here.home / "organization.trust").write_bytes(here.chain.trust_file(here.chain.root, OTHER))
    own = make_chain(workstation=here.chain.workstation)
    own.root = OTHER
    own.authorization["seq"] = 9
    own.set_status(0, seq=9)
    for path in (here.home / "status").iterdir():
        path.write_bytes(own.status_file())
    with refused("untrusted-root"):
        here.check()


def test_t17_without_pinned_roots_the_grant_says_what_that_means(here: RealWorkstation) -> None:
    (warning,) = check(here).warnings
    assert here.chain.root.kid in warning
    assert "any authority" in warning
    (shown,) = licenses(here.store, at(START))
    assert shown.grant is not None
    assert shown.grant.warnings == ()


def test_t17_an_application_may_name_the_only_organization(here: RealWorkstation) -> None:
    roots = [here.chain.root.kid]
    assert check(here, roots=roots, organization=ORGANIZATION).organization == ORGANIZATION
    with refused("not-authorized"):
        check(here, roots=roots, organization="another")


@pytest.mark.parametrize("roots", [["short"], [""], "A" * 42, ["A" * 43 + "\n"]])
def test_what_is_no_thumbprint_is_a_mistake_of_the_application(here: RealWorkstation, roots: Any) -> None:
    with pytest.raises(ValueError, match="no thumbprint"):
        check(here, roots=roots)


def test_one_root_may_be_given_as_a_text(here: RealWorkstation) -> None:
    assert check(here, roots=here.chain.root.kid).warnings == ()


def test_t17_the_published_sample_root_is_refused_unless_it_is_named(here: RealWorkstation) -> None:
    of_the_sample_root(here)
    assert {here.chain.root.kid} == SAMPLE_ROOTS
    with refused("untrusted-root"):
        check(here)
    (warning,) = check(here, roots=SAMPLE_ROOTS).warnings
    assert "everybody" in warning


def test_a_pure_check_knows_the_pins_too() -> None:
    chain = make_chain()

    def verify(**asked: Any) -> Grant:
        asked |= {"trust": chain.trust_file(), "workstation": chain.workstation, "now": at(START)}
        return steps.verify(chain.borrow_file(), **asked)

    assert verify(roots=[chain.root.kid], organization=ORGANIZATION).warnings == ()
    assert len(verify().warnings) == 1
    with refused("untrusted-root"):
        verify(roots=[OTHER.kid])
    with refused("not-authorized"):
        verify(organization="another")


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """The object that a command prints, with its exit status."""
    status = main([*words, "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer | {"status": status}


def verified(chain: Chain, folder: Path) -> list[str]:
    """The words that verify the chain's borrow as it begins."""
    for name, data in (("trust", chain.trust_file()), ("borrow", chain.borrow_file())):
        (folder / name).write_bytes(data)
    return ["verify", str(folder / "borrow"), "--trust", str(folder / "trust"), "--at", at(START).isoformat()]


def test_the_command_takes_roots_from_options_a_file_and_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chain = make_chain()
    words, own = verified(chain, tmp_path), chain.root.kid
    pins = tmp_path / "roots.txt"
    pins.write_text(f"# the vendor's\n\n{OTHER.kid}  # until 2027\n{own}\n")
    monkeypatch.delenv("CARNET_ROOTS", raising=False)
    assert any("any authority" in warning for warning in printed(capsys, *words)["grant"]["warnings"])
    for options in (["--root", own], ["--root", OTHER.kid, "--root", own], ["--root-file", str(pins)]):
        grant = printed(capsys, *words, *options)["grant"]
        assert (grant["root"], grant["organization"]) == (own, ORGANIZATION)
        assert not any("any authority" in warning for warning in grant["warnings"])
    refusal = printed(capsys, *words, "--root", OTHER.kid)
    assert (refusal["status"], refusal["code"], refusal["evidence"]) == (
        1,
        "untrusted-root",
        {"kid": own, "pinned": [OTHER.kid]},
    )
    monkeypatch.setenv("CARNET_ROOTS", f"{OTHER.kid},{OTHER.kid}")
    assert printed(capsys, *words)["code"] == "untrusted-root"
    assert printed(capsys, *words, "--root", own)["status"] == 0
    assert printed(capsys, *words, "--root", own, "--organization", "another")["code"] == "not-authorized"
    assert printed(capsys, *words, "--root", "x")["status"] == 2


def test_the_sample_root_is_taken_by_its_own_option(capsys: pytest.CaptureFixture[str], here: RealWorkstation) -> None:
    of_the_sample_root(here)
    (here.home / "sample.trust").write_bytes(here.chain.trust_file())
    assert main(["trust", str(here.home / "sample.trust"), "--home", str(here.home)]) == 0
    assert "everybody can sign" in capsys.readouterr().err
    words = ["check", "arcgis-pro", "--home", str(here.home)]
    assert printed(capsys, *words)["code"] == "untrusted-root"
    # Whom to trust comes before the time, which for this borrow is long over.
    assert printed(capsys, *words, "--demonstration")["code"] == "expired"


BAD_FILES = {"empty": b"", "comments alone": b"# none\n", "no thumbprint": b"root\n", "no text": b"\xff\xfe\x00"}


@pytest.mark.parametrize("data", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_without_roots_trusts_nobody(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "roots.txt").write_bytes(data)
    with refused("malformed"):
        verifier.read_roots(tmp_path / "roots.txt")


def test_a_file_of_roots_that_is_not_there_trusts_nobody(tmp_path: Path) -> None:
    for path in (tmp_path / "roots.txt", tmp_path):
        with refused("no-trust"):
            verifier.read_roots(path)


def test_a_file_of_roots_may_have_the_mark_of_an_editor(tmp_path: Path) -> None:
    (tmp_path / "roots.txt").write_bytes(files.UTF8_MARK + f"{OTHER.kid}\r\n".encode())
    assert verifier.read_roots(str(tmp_path / "roots.txt")) == (OTHER.kid,)
