"""The authority's own keys are replaced and retired while borrows that they signed are out."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from authority.domain.catalogue import KeyUse
from authority.domain.members import CONSOLE
from authority.domain.refusals import KeyUnusable, LastKey, NotAllowed, NotFound, SpecificationInvalid
from authority.services import authorizations, borrow, endings, keys, status_lists
from authority.services.keys import OwnKey
from authority.services.unit import Unit
from authority.signing import key_folder
from authority.signing.keyring import FileSigner
from authority.signing.vendor import public_keys
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console
from tests.support.database_contents import log_rows
from tests.support.vendors import RealVendor, sample_toml
from verifier.core.files import parse
from verifier.core.opening import open_borrow, open_status
from verifier.core.steps import verify
from verifier.core.trust import Authorization, TrustStore
from verifier.errors import KeyNotValid
from verifier.workstation.carry import Wish


def by_console(bench: Bench) -> Unit:
    return Unit(bench.authority, CONSOLE)


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def key_now(bench: Bench, use: KeyUse = KeyUse.BORROW) -> OwnKey:
    (item,) = [key for key in keys.every(by_console(bench)) if key.use is use and key.signs_now]
    return item


def authorize(bench: Bench, vendor: RealVendor) -> Authorization:
    """The vendor's next authorization in force; as a workstation sees it."""
    bench.clock.turn(seconds=1)
    made = vendor.authorize(bench.authority, sample_toml())
    installation = authorizations.install(by_console(bench), made.file)
    assert installation.consequences == ()
    return TrustStore.read(bench.trust_file).authorize(parse(made.file)[1]["authorization"])


def test_a_new_key_signs_once_it_is_authorized_and_the_old_one_until_then(sqlite_bench: Bench, vendor: RealVendor) -> None:
    bench = sqlite_bench
    old = key_now(bench).kid
    made = keys.rotate(by_console(bench), KeyUse)
    assert {(item.use, item.signs_now, item.is_authorized) for item in made} == {(use, False, False) for use in KeyUse}
    assert key_now(bench).kid == old
    before = issued_to(bench, bench.member("ada"), workstation("laptop"))
    newest = authorize(bench, vendor)
    assert key_now(bench).kid == made[0].kid
    after = issued_to(bench, bench.member("eve"), workstation("tower"))
    for issued in (before, after):
        open_borrow(issued.file, TrustStore.read(bench.trust_file), known=newest)
    assert [row["reason"] for row in log_rows(bench.authority.database, "key-added")] == [
        f"{item.use} key {item.kid}" for item in made
    ]


def test_a_retired_key_signs_nothing_new_and_what_it_signed_stays_good_and_is_made_again(
    sqlite_bench: Bench, vendor: RealVendor
) -> None:
    bench, trust = sqlite_bench, TrustStore.read(sqlite_bench.trust_file)
    old, ada, laptop = key_now(bench).kid, bench.member("ada"), workstation("laptop")
    request = laptop.request(Wish("arcgis-pro", days=10), bench.clock())
    issued = borrow.issue(Unit(bench.authority, ada), request)
    with pytest.raises(LastKey, match="there is no other borrow key"):
        keys.retire(by_console(bench), old)
    keys.rotate(by_console(bench), [KeyUse.BORROW])
    with pytest.raises(LastKey, match="no other borrow key is authorized yet"):
        keys.retire(by_console(bench), old)
    authorize(bench, vendor)
    assert keys.retire(by_console(bench), old, dry_run=True).retired_at == bench.clock()
    assert all(key.retired_at is None for key in keys.every(by_console(bench)))
    retired = keys.retire(by_console(bench), old)
    assert (retired.retired_at, retired.needed_until) == (bench.clock(), issued.borrow.expires_at)
    bench.clock.turn(days=1)
    newest = authorize(bench, vendor)
    open_borrow(issued.file, trust, known=newest)
    again = borrow.issue(Unit(bench.authority, ada), request)
    assert (again.is_new, again.file) == (False, issued.file)
    with pytest.raises(KeyNotValid, match="not in use"):
        newest.check_key_at(old, int(bench.clock().timestamp()), None)
    # Once the last borrow that needs it has ended, no authorization names it any more.
    bench.clock.turn(days=10)
    assert old not in authorize(bench, vendor).keys
    assert [row["reason"] for row in log_rows(bench.authority.database, "key-retired")] == [
        f"borrow key {old}, no longer wanted"
    ]


def test_a_retired_status_key_is_named_as_long_as_a_borrow_may_lie_beside_its_list(
    sqlite_bench: Bench, vendor: RealVendor
) -> None:
    bench = sqlite_bench
    old = key_now(bench, KeyUse.STATUS).kid
    carried = status_lists.export(by_console(bench))
    keys.rotate(by_console(bench), [KeyUse.STATUS])
    authorize(bench, vendor)
    retired = keys.retire(by_console(bench), old)
    assert retired.needed_until == bench.clock() + timedelta(days=365)
    bench.clock.turn(days=364)
    newest = authorize(bench, vendor)
    newest.check_key_at(old, open_status(carried, TrustStore.read(bench.trust_file)).status_list.iat, None)
    bench.clock.turn(days=2)
    assert old not in authorize(bench, vendor).keys


def test_t27_after_a_theft_the_borrows_that_are_out_stay_good_and_nothing_else_of_the_key(
    sqlite_bench: Bench, vendor: RealVendor
) -> None:
    bench, trust = sqlite_bench, TrustStore.read(sqlite_bench.trust_file)
    old, laptop = key_now(bench).kid, workstation("laptop")
    issued = issued_to(bench, bench.member("ada"), laptop, days=10)
    ended = issued_to(bench, bench.member("eve"), workstation("tower"), days=10)
    endings.revoke(by_console(bench), ended.borrow.id, "left")
    keys.rotate(by_console(bench), [KeyUse.BORROW])
    keys.retire(by_console(bench), old, is_stolen=True)
    # Until the vendor has answered, nothing can be signed: it would be refused afterwards.
    with pytest.raises(KeyUnusable, match="none of the borrow keys"):
        issued_to(bench, bench.member("bob"), workstation("desk"))
    newest = authorize(bench, vendor)
    assert (newest.keys[old].revoked, len(newest.keys[old].known)) == (True, 1)
    *_, row = log_rows(bench.authority.database, "authorization-installed")
    assert (
        f"borrow key {old}: revoked; 1 token that it signed stays good; borrow key {key_now(bench).kid}: new, signs from"
        in row["reason"]
    )
    open_borrow(issued.file, trust, known=newest)
    verify(issued.file, trust=trust, workstation=laptop.identity, now=bench.clock())
    with pytest.raises(KeyNotValid, match="revoked"):
        open_borrow(ended.file, trust, known=newest)
    assert keys.retire(by_console(bench), old).is_stolen, "what is stolen does not become less so"
    issued_to(bench, bench.member("joe"), workstation("bench"))


def test_who_may_not_look_after_the_authority_changes_no_key(sqlite_bench: Bench) -> None:
    ada, kid = sqlite_bench.member("ada"), key_now(sqlite_bench).kid
    with pytest.raises(NotAllowed):
        keys.rotate(Unit(sqlite_bench.authority, ada), KeyUse)
    with pytest.raises(NotAllowed):
        keys.retire(Unit(sqlite_bench.authority, ada), kid)
    with pytest.raises(NotFound, match="no key"):
        keys.retire(by_console(sqlite_bench), "x" * 43)
    assert len(keys.every(by_console(sqlite_bench))) == 2


def test_a_running_authority_knows_at_once_what_another_process_does_with_the_keys(sqlite_bench: Bench) -> None:
    folder = sqlite_bench.home / "keys"
    other = key_folder.load_ring(folder, None)
    kid = sqlite_bench.authority.ring.add(KeyUse.BORROW)
    assert kid in other.kids(KeyUse.BORROW)
    keys.retire(by_console(sqlite_bench), key_now(sqlite_bench).kid, is_stolen=True)
    assert other.kids(KeyUse.BORROW) == [kid]
    # While something in the folder cannot be read, what was there stays; the next start tells.
    (folder / "borrow-broken.pem").write_text("no key")
    assert other.kids(KeyUse.BORROW) == [kid]
    with pytest.raises(KeyUnusable):
        key_folder.load_ring(folder, None)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"x":1}', '{"x":{"retired_at":true,"stolen":false}}', '{"x":{"retired_at":1,"stolen":0}}']
)
def test_a_damaged_record_of_retired_keys_is_told(sqlite_bench: Bench, text: str) -> None:
    (sqlite_bench.home / "keys" / key_folder.RETIRED).write_text(text)
    with pytest.raises(KeyUnusable, match="record of retired keys"):
        key_folder.load_ring(sqlite_bench.home / "keys", None)


def test_what_is_said_of_a_retired_key_is_read_exactly(sqlite_bench: Bench) -> None:
    good = keys.public(by_console(sqlite_bench))
    more = FileSigner.fresh().public
    entry = {"use": "borrow", "kid": more.kid, **more.as_jwk()}
    for remarks in (
        {"retired_at": True},
        {"retired_at": -1},
        {"retired_at": 1, "revoked": False, "known": []},
        {"retired_at": 1, "revoked": True, "known": ["x"]},
        {"retired_at": 1, "revoked": True, "known": "x"},
        {"retired_at": 1, "revoked": True},
        {"revoked": True, "known": []},
        {"stolen": True},
    ):
        with pytest.raises(SpecificationInvalid, match="key 3"):
            public_keys.read(as_json(good | {"keys": [*good["keys"], entry | remarks]}), "field-survey")
    retired = [item | {"retired_at": 1} for item in good["keys"]]
    with pytest.raises(SpecificationInvalid, match='no key of the use "borrow"'):
        public_keys.read(as_json(good | {"keys": retired}), "field-survey")


def test_keys_by_command(console: Console) -> None:
    old = [item["kid"] for item in console.good("key", "list") if item["use"] == "borrow"]
    console.refused("last-key", 1, "key", "retire", *old)
    made = console.good("key", "rotate", "--use", "borrow")
    assert [(item["use"], item["authorized"]) for item in made] == [("borrow", False)]
    assert console.good("key", "retire", *old, "--stolen", "--dry-run")["stolen"]
    item = console.good("key", "retire", *old, "--stolen")
    assert (item["kid"], item["stolen"], item["signs_now"]) == (*old, True, False)
    assert "stolen" in console.run("key", "list").out
    assert console.run("key", "retire").status == 2
    console.refused("not-found", 1, "key", "retire", "x" * 43)
