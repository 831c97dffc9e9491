"""`carnet-authority authorization install` as administrators and vendors use it, from the first key to a borrow in the field."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.catalogue import end_warning
from tests.support.borrowing import workstation
from tests.support.console import Console, contents_of
from tests.support.values import NOW, an_authorization
from tests.support.vendors import documented_specification, sample_toml
from verifier import NotGood, check, verify
from verifier.core.files import render
from verifier.workstation import carry, install
from verifier.workstation.carry import Wish
from verifier.workstation.store import Store


class Chain:
    """What a test of the commands starts from: a vendor with a specification, beside an authority."""

    def __init__(self, console: Console, beside: Path) -> None:
        self.console, self.beside = console, beside
        self.thumbprint: str = console.good("root", "init", str(beside / "vendor"))["root_thumbprint"]
        console.good("key", "list", "--public", "-o", str(beside / "keys.json"))

    def authorize(self, specification: bytes, name: str = "new", folder: Path | None = None) -> str:
        """Authorizes; returns the path of the authorization file, beside which is the trust file."""
        (self.beside / "spec.toml").write_bytes(specification)
        output = str(self.beside / f"{name}.authorization")
        files = ("--spec", str(self.beside / "spec.toml"), "--keys", str(self.beside / "keys.json"))
        self.console.good("root", "authorize", str(folder or self.beside / "vendor"), *files, "-o", output)
        return output

    def trusting(self, name: str = "new") -> tuple[str, ...]:
        return ("--trust", str(self.beside / f"{name}.trust"), "--accept-root", self.thumbprint)

    def install(self, path: str, *more: str) -> Any:
        return self.console.good("authorization", "install", path, *more)


@pytest.fixture
def chain(console: Console, tmp_path: Path) -> Chain:
    return Chain(console, tmp_path)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.with_suffix(".target").write_bytes(render("authorization", {"authorization": "x"}))
    path.symlink_to(path.with_suffix(".target"))


def write(data: bytes) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(data), None)[1]


GOOD_FORM = render("authorization", {"authorization": "x"})
REFUSED: dict[str, Callable[[Path], object]] = {
    "pipe": fifo,
    "link": link,
    "empty": write(b""),
    "random": write(random.Random(7).randbytes(5000)),
    "3 MB": write(b'{"carnet": "authorization", "version": 1, "authorization": "' + b"x" * 3 * 1024 * 1024 + b'"}'),
    "half a file": write(GOOD_FORM[:-5]),
    "another kind": write(render("request", {"request": "x"})),
    "another version": write(GOOD_FORM.replace(b'"version": 1', b'"version": 2')),
    "more members": write(GOOD_FORM.replace(b'"version": 1', b'"version": 1, "more": 1')),
    "deep": write(b"[" * 100_000),
    "member a number": write(GOOD_FORM.replace(b'"x"', b"7")),
    "member null": write(GOOD_FORM.replace(b'"x"', b"null")),
    "no token": write(GOOD_FORM),
    "byte order mark": write(b"\xef\xbb\xbf" + GOOD_FORM),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("place", ["authorization", "trust"])
@pytest.mark.timeout(60)
def test_a_file_that_is_not_good_is_refused_and_changes_nothing(
    chain: Chain, tmp_path: Path, place: str, make: Callable[[Path], object]
) -> None:
    good, bad = chain.authorize(sample_toml(seq=2)), tmp_path / "bad"
    make(bad)
    before, trust = contents_of(chain.console), (chain.console.home / "organization.trust").read_bytes()
    arguments = (str(bad),) if place == "authorization" else (good, "--trust", str(bad), "--accept-root", chain.thumbprint)
    chain.console.refused("authorization-unusable", 1, "authorization", "install", *arguments)
    assert contents_of(chain.console) == before
    assert (chain.console.home / "organization.trust").read_bytes() == trust


def test_wrong_usage_exits_with_2(chain: Chain, tmp_path: Path) -> None:
    good = chain.authorize(sample_toml(seq=2))
    install = ("authorization", "install")
    for arguments in (
        (),
        (str(tmp_path / "missing"),),
        (str(tmp_path),),
        (good, "--accept-root", chain.thumbprint),
        (good, "--trust", str(tmp_path / "missing"), "--accept-root", chain.thumbprint),
        (good, "--colour", "red"),
    ):
        assert chain.console.run(*install, *arguments).status == 2, arguments


def test_an_authorization_for_the_keys_of_another_home_is_refused(chain: Chain, tmp_path: Path) -> None:
    other = Console(tmp_path / "other", chain.console.capture)
    other.good("init", "--org", "Field Survey")
    other.good("key", "list", "--public", "-o", str(tmp_path / "keys.json"))
    path = chain.authorize(sample_toml(seq=2))
    error = chain.console.refused("authorization-unusable", 1, "authorization", "install", path, *chain.trusting())
    assert "key list --public" in error["hint"]


def test_the_trust_file_of_another_vendor_alone_is_not_enough(chain: Chain, tmp_path: Path) -> None:
    install = ("authorization", "install", chain.authorize(sample_toml(seq=2)), "--trust", str(tmp_path / "new.trust"))
    assert "--accept-root" in chain.console.refused("authorization-unusable", 1, *install)["hint"]


def test_a_foreign_root_key_is_refused_with_the_way_to_accept_it(chain: Chain) -> None:
    path = chain.authorize(sample_toml(seq=2))
    error = chain.console.refused("authorization-unusable", 1, "authorization", "install", path)
    assert "--accept-root" in error["hint"]
    wrong = ("--trust", str(chain.beside / "new.trust"), "--accept-root", "A" * 43)
    error = chain.console.refused("authorization-unusable", 1, "authorization", "install", path, *wrong)
    assert chain.thumbprint in error["message"]


def test_the_first_authorization_of_a_vendor_is_above_what_the_organization_had_of_its_own(chain: Chain) -> None:
    path = chain.authorize(sample_toml())
    installed = chain.console.good("authorization", "install", path, *chain.trusting())
    assert (installed["seq_before"], installed["seq"]) == (1, 2)


def test_the_first_number_of_another_vendor_has_to_be_above(chain: Chain) -> None:
    keys = json.loads((chain.beside / "keys.json").read_bytes())
    # As an authority that does not say its number writes them.
    (chain.beside / "keys.json").write_text(json.dumps({name: keys[name] for name in ("organization", "keys")}))
    path = chain.authorize(sample_toml())
    error = chain.console.refused("authorization-unusable", 1, "authorization", "install", path, *chain.trusting())
    assert (error["evidence"]["seq"], error["evidence"]["in_force"]) == (1, 1)
    assert "above 1" in error["hint"]


def test_from_being_its_own_vendor_to_another_with_borrows_in_the_field(chain: Chain, tmp_path: Path) -> None:
    """The whole way, on this very machine: its state folders are two workstations, one of before and one of after."""
    console = chain.console
    console.good("member", "add", "eve", "--type", "GIS Professional")
    old, new = Store(tmp_path / "old-station"), Store(tmp_path / "new-station")

    def in_the_field(store: Store, trust: Path, member: str) -> str:
        """Carries the trust file, a request and the answer; returns the borrow's id."""
        install.install(store, trust.read_bytes())
        (tmp_path / "a.request").write_bytes(carry.request(store, Wish("arcgis-pro")))
        issued = console.good(
            "borrow", "issue", str(tmp_path / "a.request"), "--member", member, "-o", str(tmp_path / "a.borrow")
        )
        install.install(store, (tmp_path / "a.borrow").read_bytes())
        assert check("arcgis-pro", home=store.home).member == member
        return str(issued["borrow"]["id"])

    first = in_the_field(old, console.home / "organization.trust", "ada")
    request = (tmp_path / "a.request").read_bytes()
    answer = (tmp_path / "a.borrow").read_bytes()

    path = chain.authorize(documented_specification().replace('iss = "maker"', 'seq = 2\niss = "maker"').encode())
    tried = chain.install(path, *chain.trusting(), "--dry-run")
    assert (tried["installed"], tried["trust_replaced"]) == (False, False)
    installation = chain.install(path, *chain.trusting())
    assert (installation["installed"], installation["trust_replaced"], installation["seq"], installation["seq_before"]) == (
        True,
        True,
        2,
        1,
    )
    assert installation["members"] == {"current": 3, "maximum": 40}
    assert installation["changes"] == tried["changes"]
    assert (console.home / "organization.trust").read_bytes() == (tmp_path / "new.trust").read_bytes()
    console.good("trust", "export", "-o", str(tmp_path / "exported.trust"))
    assert (tmp_path / "exported.trust").read_bytes() == (tmp_path / "new.trust").read_bytes()

    second = in_the_field(new, tmp_path / "exported.trust", "eve")
    console.good("status-list", "export", "-o", str(tmp_path / "new.status"))
    install.install(new, (tmp_path / "new.status").read_bytes())
    with pytest.raises(NotGood, match="root key"):
        install.install(old, (tmp_path / "new.status").read_bytes())
    assert check("arcgis-pro", home=old.home).member == "ada"
    assert check("arcgis-pro", home=new.home).member == "eve"

    (tmp_path / "again.request").write_bytes(request)
    console.good("borrow", "issue", str(tmp_path / "again.request"), "--member", "ada", "-o", str(tmp_path / "again.borrow"))
    assert (tmp_path / "again.borrow").read_bytes() == answer

    for store, borrow_id in ((old, first), (new, second)):
        (tmp_path / "a.return").write_bytes(install.give_up(store, "arcgis-pro"))
        returned = console.good("borrow", "check-in", str(tmp_path / "a.return"))
        assert (returned["id"], returned["state"]) == (borrow_id, "checked-in")


def test_an_organization_that_is_its_own_vendor_renews_its_authorization(chain: Chain, tmp_path: Path) -> None:
    """With the root key in its home; a borrow from before stays good where the new authorization is known."""
    laptop = workstation("laptop")
    chain.console.borrow(laptop, "ada")
    path = chain.authorize(sample_toml(iss="field-survey"), folder=chain.console.home / "root")
    installation = chain.install(path)
    assert (installation["seq"], installation["trust_replaced"], installation["consequences"]) == (2, False, [])
    chain.console.good("status-list", "export", "-o", str(tmp_path / "new.status"))
    grant = verify(
        (tmp_path / "machine-laptop.borrow").read_bytes(),
        trust=(chain.console.home / "organization.trust").read_bytes(),
        workstation=laptop.identity,
        now=datetime.now(UTC),
        status_list=(tmp_path / "new.status").read_bytes(),
    )
    assert grant.member == "ada"


def test_less_than_is_in_use_is_told_to_people_and_programs(chain: Chain) -> None:
    chain.console.good("member", "add", "eve", "--type", "GIS Professional")

    def less(members: dict[str, Any]) -> None:
        members["members"] = {"total": 2}
        members["products"][0]["seats"] = {"Advanced": 1}

    path = chain.authorize(sample_toml(less, seq=2))
    ended = chain.console.run("authorization", "install", path, *chain.trusting(), "--dry-run")
    assert ended.status == 0
    for text in ("would be installed", "members: 50 -> 2 (-48)", "3 members, 2 are allowed", "2 assigned, 1 licensed"):
        assert text in ended.out
    installation = chain.install(path, *chain.trusting())
    assert installation["members"] == {"current": 3, "maximum": 2}
    assert installation["shortages"] == [
        {"product": "arcgis-pro", "feature": "Advanced", "licensed": 1, "used": 2, "available": -1}
    ]
    assert len(installation["consequences"]) == 2
    assert chain.console.good("authorization", "show")["members"]["maximum"] == 2


def test_the_very_same_file_again_says_that_nothing_changed(chain: Chain) -> None:
    path = chain.authorize(sample_toml(seq=2))
    chain.install(path, *chain.trusting())
    again = chain.install(path)
    assert (again["installed"], again["changes"]) == (False, [])
    assert "nothing was changed" in chain.console.run("authorization", "install", path).out


def test_the_end_is_announced_from_thirty_days_before(chain: Chain) -> None:
    soon = datetime.now(UTC) + timedelta(days=20, hours=12)
    installation = chain.install(chain.authorize(sample_toml(seq=2, exp=soon)), *chain.trusting())
    assert "in 21 days: ask the vendor" in installation["warning"]
    shown = chain.console.good("authorization", "show")
    assert shown["warning"] == installation["warning"]
    assert shown["days_left"] == 21
    assert f"warning: {installation['warning']}" in chain.console.run("authorization", "show").out
    (finding,) = [row for row in chain.console.good("doctor") if row["subject"] == "authorization"]
    assert finding["ok"]
    assert "21 days from now: ask the vendor" in finding["message"]
    later = datetime.now(UTC) + timedelta(days=40)
    assert chain.install(chain.authorize(sample_toml(exp=later)))["warning"] is None


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=30, seconds=1), None),
        (timedelta(days=30), "in 30 days"),
        (timedelta(days=1), "in 1 day:"),
        (timedelta(hours=5), "in less than a day"),
        (timedelta(0), "ended at"),
        (timedelta(days=-3), "ended at"),
    ],
)
def test_the_warning_counts_the_days(left: timedelta, words: str | None) -> None:
    warning = end_warning(an_authorization(ends_at=NOW + left), NOW)
    assert warning is None if words is None else words in (warning or "")


def test_init_takes_what_the_vendor_made_for_keys_that_are_there(empty: Console, tmp_path: Path) -> None:
    """The vendor authorizes the keys of an authority that was only made for them, and the real home begins with the files."""
    first = Console(tmp_path / "first", empty.capture)
    first.good("init", "--org", "Field Survey")
    chain = Chain(first, tmp_path)
    path = chain.authorize(sample_toml())
    files = ("--authorization", path, "--trust", str(tmp_path / "new.trust"), "--keys", str(first.home / "keys"))
    made = empty.good("init", "--org", "Field Survey", *files)
    assert made["root_thumbprint"] == chain.thumbprint
    assert empty.good("authorization", "show")["vendor"] == "maker"
