"""Sign-in by a provider of OpenID Connect that runs beside the tests: who gets in, as whom, and which answers are not believed."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, OctKey
from joserfc.jwt import encode
from werkzeug.wrappers import Response

from authority.domain.members import CONSOLE, Role
from authority.domain.oidc import Provider
from authority.domain.refusals import ProviderUnavailable, SettingsInvalid
from authority.services import defaults, member_changes, members
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.web import oidc, provider_line
from authority.web.application import create_app
from authority.web.oidc import ProviderClient
from authority.wiring.provider_settings import PROVIDER_SETTINGS
from authority.wiring.settings import load
from tests.support import hostile_server
from tests.support.authorities import Bench
from tests.support.connecting import overfill
from tests.support.database_contents import log_rows, unchanged
from tests.support.provider import Claims, RunningProvider, running_provider, unsigned

SECRET = "a secret of the provider"
START = "/console/sign-in/oidc/corp"


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(shared: RunningProvider) -> RunningProvider:
    shared.be_honest()
    return shared


@dataclass
class Browser:
    """A browser at the authority, with the account `sub` at the provider."""

    bench: Bench
    provider: RunningProvider
    client: FlaskClient
    clients: list[ProviderClient]

    def leave(self) -> str:
        """The address at the provider."""
        answer = self.client.get(f"{START}?next=/console/members")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return answer.headers["Location"]

    def sign_in(self, subject: str = "s-1") -> Any:
        """There and back."""
        return self.answered(self.provider.sign_in(self.leave(), subject))

    def answered(self, address: str) -> Any:
        """The provider's answer; who is refused is on the page of the sign-in, whose address has nothing of the answer."""
        answer = self.client.get(address)
        location = answer.headers.get("Location", "")
        if not location.startswith("/console/sign-in?"):
            return answer
        assert (answer.status_code, "code=" in location, "state=" in location) == (303, False, False)
        return self.client.get(location)

    def who(self) -> str | None:
        """The user name of who is signed in."""
        cookie = self.client.get_cookie("carnet")
        if cookie is None:
            return None
        answer = self.client.get("/api/v1/me", headers={"Authorization": f"Bearer {cookie.value}"})
        return str(answer.get_json()["username"])


def browser(bench: Bench, provider: RunningProvider, **more: Any) -> Browser:
    settings = Provider(
        "corp", "Corporate account", provider.issuer, "carnet", SECRET, **({"match": "preferred_username"} | more)
    )
    clients = [ProviderClient(settings, "http://localhost", lambda: datetime.now(UTC))]
    return Browser(bench, provider, create_app(bench.authority, (), clients).test_client(), clients)


@pytest.fixture
def ada(sqlite_bench: Bench, provider: RunningProvider) -> Browser:
    """A member here and an account there, of one name."""
    sqlite_bench.member("ada")
    provider.user("s-1", preferred_username="ADA", name="Ada L.")
    return browser(sqlite_bench, provider)


def refused(answer: Any, status: int, sentence: str) -> None:
    text = answer.get_data(as_text=True)
    assert (answer.status_code, sentence in text) == (status, True), text
    assert "Sign in" in text
    assert SECRET not in text


def test_a_member_signs_in_and_is_known_by_issuer_and_subject_from_then_on(ada: Browser) -> None:
    answer = ada.sign_in()
    assert (answer.status_code, answer.headers["Location"], ada.who()) == (303, "/console/members", "ada")
    assert ada.client.get_cookie("carnet-provider") is None
    assert [row["reason"] for row in log_rows(ada.bench.authority.database, "signed-in")] == ["from 127.0.0.1 by corp"]
    assert [row["actor"] for row in log_rows(ada.bench.authority.database, "member-changed")] == ["oidc:corp"]
    # A new name there, or here, changes nothing.
    ada.provider.user("s-1", preferred_username="grace")
    member_changes.change(Unit(ada.bench.authority, CONSOLE), "ada", Change(username="lovelace"))
    ada.client.delete_cookie("carnet")
    ada.sign_in()
    assert ada.who() == "lovelace"


def test_the_question_has_state_nonce_and_a_challenge_and_the_secret_stands_in_no_address(ada: Browser) -> None:
    query = parse_qs(urlsplit(ada.leave()).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://localhost/console/sign-in/oidc/corp/answer"]
    assert min(len(query[name][0]) for name in ("state", "nonce", "code_challenge")) >= 43
    assert query["scope"] == ["openid profile email"]
    cookie = json.loads(urlsafe_b64decode(ada.client.get_cookie("carnet-provider").value))  # type: ignore[union-attr]
    assert cookie["verifier"] not in str(query)
    ada.sign_in()
    path, form = ada.provider.asked[-1]
    assert (path, set(form)) == ("/oauth2/token", {"grant_type", "code", "code_verifier", "redirect_uri"})
    assert "Sign in with Corporate account" in ada.client.get("/console/sign-in").get_data(as_text=True)


LIES: dict[str, tuple[Callable[[Claims], Claims], str]] = {
    "another nonce": (lambda claims: claims | {"nonce": "x" * 43}, "not to be believed"),
    "no nonce": (lambda claims: {name: claims[name] for name in claims if name != "nonce"}, "not to be believed"),
    "another issuer": (lambda claims: claims | {"iss": "https://evil.example"}, "not to be believed"),
    "for another": (lambda claims: claims | {"aud": "somebody else"}, "not to be believed"),
    "for another too": (lambda claims: claims | {"aud": ["carnet", "else"], "azp": "else"}, "not to be believed"),
    "over": (lambda claims: claims | {"exp": int(time.time()) - 120}, "not to be believed"),
    "no end": (lambda claims: {name: claims[name] for name in claims if name != "exp"}, "not to be believed"),
    "of the future": (lambda claims: claims | {"iat": int(time.time()) + 900}, "not to be believed"),
    "another access token": (lambda claims: claims | {"at_hash": "x" * 22}, "not to be believed"),
    "nobody": (lambda claims: claims | {"sub": ""}, "who you are"),
    "a number": (lambda claims: claims | {"sub": 7}, ""),
}


@pytest.mark.parametrize("name", LIES)
def test_t34_a_token_that_says_something_wrong_is_not_believed(ada: Browser, name: str) -> None:
    ada.provider.change, sentence = LIES[name]
    with unchanged(ada.bench.authority.database):
        refused(ada.sign_in(), 401, sentence)
    assert ada.who() is None


SIGNATURES: dict[str, Callable[[RunningProvider, Claims], str]] = {
    "nobody": unsigned,
    "another key": lambda _, claims: encode({"alg": "ES256", "kid": "one"}, claims, ECKey.generate_key("P-256")),
    "a key that nobody knows": lambda _, claims: encode({"alg": "ES256", "kid": "two"}, claims, ECKey.generate_key("P-256")),
    "the secret": lambda _, claims: encode(
        {"alg": "HS256"}, claims, OctKey.import_key(SECRET.ljust(32, "x")), algorithms=["HS256"]
    ),
    "cut short": lambda provider, claims: provider.signed(claims)[:-4],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_t34_a_token_that_the_provider_did_not_sign_is_not_believed(ada: Browser, name: str) -> None:
    ada.provider.sign = SIGNATURES[name]
    with unchanged(ada.bench.authority.database):
        answer = ada.sign_in()
    assert answer.status_code in {401, 503}
    assert ada.who() is None


def test_keys_that_the_provider_changed_are_asked_for_anew(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.sign_in()
    before, ada.provider.key = ada.provider.key, ECKey.generate_key("P-256", {"kid": "two"})
    monkeypatch.setattr(oidc, "KEYS_ANEW_SECONDS", 0.0)
    try:
        assert ada.sign_in().status_code == 303
    finally:
        ada.provider.key = before


def test_t34_an_answer_to_another_question_is_not_taken(ada: Browser) -> None:
    path = ada.provider.sign_in(ada.leave(), "s-1")
    code = parse_qs(urlsplit(path).query)["code"][0]
    for query in (f"code={code}&state=other", f"code={code}", f"code={code}&state=", "", "error=access_denied"):
        ada.leave()
        refused(ada.answered(f"{START}/answer?{query}"), 401, "another question")
    state = json.loads(urlsafe_b64decode(ada.client.get_cookie("carnet-provider").value)) if ada.leave() else {}  # type: ignore[union-attr]
    refused(
        ada.answered(f"{START}/answer?state={state['state']}&code={code}&iss=https://evil.example"), 401, "another provider"
    )
    ada.leave()
    assert ada.who() is None


def test_t34_an_answer_is_taken_once_by_the_browser_that_asked(ada: Browser) -> None:
    path = ada.provider.sign_in(ada.leave(), "s-1")
    other = browser(ada.bench, ada.provider)
    refused(other.answered(path), 401, "asked for no such answer")
    cookie = ada.client.get_cookie("carnet-provider")
    assert ada.answered(path).status_code == 303
    refused(ada.answered(path), 401, "asked for no such answer")
    # The code itself is good once, whatever the browser kept.
    assert cookie is not None
    ada.client.set_cookie("carnet-provider", cookie.value)
    refused(ada.answered(path), 401, "does not know the code any more")


def test_who_is_not_let_in_there_is_told_here(ada: Browser) -> None:
    address = ada.leave()
    state = parse_qs(urlsplit(address).query)["state"][0]
    refused(ada.answered(f"{START}/answer?error=access_denied&state={state}"), 401, "did not let you in")


@pytest.mark.parametrize(
    "content",
    ["", "x", "{}", "[]", '{"provider": 1}', json.dumps(dict.fromkeys(("provider", "state", "nonce", "verifier", "next"), 7))],
)
def test_a_cookie_that_says_nothing_is_none(ada: Browser, content: str) -> None:
    ada.client.set_cookie("carnet-provider", urlsafe_b64encode(content.encode()).decode())
    refused(ada.answered(f"{START}/answer?state=7&code=7"), 401, "asked for no such answer")


def test_who_is_no_member_is_told_so_and_nothing_is_written(sqlite_bench: Bench, provider: RunningProvider) -> None:
    provider.user("s-2", preferred_username="eve", email="ada", email_verified=True)
    sqlite_bench.member("ada")
    matching, other = browser(sqlite_bench, provider), browser(sqlite_bench, provider, match=None)
    with unchanged(sqlite_bench.authority.database):
        refused(matching.sign_in("s-2"), 403, "you are &#34;eve&#34; there, and no member here")
        refused(other.sign_in("s-2"), 403, "no member here")


def test_an_address_counts_only_when_it_was_verified(sqlite_bench: Bench, provider: RunningProvider) -> None:
    sqlite_bench.member("ada@example.org")
    for number, verified in enumerate((False, "true", None, True)):
        provider.user(f"e-{number}", email="Ada@example.org", email_verified=verified)
        at = browser(sqlite_bench, provider, match="email")
        at.sign_in(f"e-{number}")
        assert at.who() == ("ada@example.org" if verified is True else None)


def test_t34_a_name_that_went_to_somebody_else_there_opens_nothing(ada: Browser) -> None:
    ada.sign_in()
    ada.provider.user("s-9", preferred_username="ada")
    other = browser(ada.bench, ada.provider)
    with unchanged(ada.bench.authority.database):
        refused(other.sign_in("s-9"), 403, "somebody else there")
    member_changes.change(Unit(ada.bench.authority, CONSOLE), "ada", Change(forget_identities=True))
    other.sign_in("s-9")
    assert other.who() == "ada"


def test_a_disabled_member_and_one_over_the_limit_stay_out(ada: Browser) -> None:
    ada.sign_in()
    member_changes.change(Unit(ada.bench.authority, CONSOLE), "ada", Change(disabled=True))
    refused(ada.sign_in(), 403, "is disabled")
    member_changes.change(Unit(ada.bench.authority, CONSOLE), "ada", Change(disabled=False))
    overfill(ada.bench)
    answer = ada.sign_in()
    assert answer.status_code == 403
    assert "cannot sign in" in answer.get_data(as_text=True) or "administrator" in answer.get_data(as_text=True)


def test_newcomers_are_made_members_with_the_defaults_where_that_is_allowed(
    sqlite_bench: Bench, provider: RunningProvider
) -> None:
    defaults.change(Unit(sqlite_bench.authority, CONSOLE), {"user_type": "Viewer", "groups": ("new",)})
    provider.user("n-1", preferred_username="grace", name="Grace H.", email="g@example.org", email_verified=True)
    at = browser(sqlite_bench, provider, make_members=True)
    at.sign_in("n-1")
    member, _ = members.show(Unit(sqlite_bench.authority, CONSOLE), "grace")
    assert (at.who(), member.full_name, member.email, member.user_type, member.groups, member.role) == (
        "grace",
        "Grace H.",
        "g@example.org",
        "Viewer",
        ("new",),
        Role.MEMBER,
    )
    provider.user("n-3", preferred_username="joan", email="j@example.org", email_verified=False)
    at = browser(sqlite_bench, provider, make_members=True)
    at.sign_in("n-3")
    assert members.show(Unit(sqlite_bench.authority, CONSOLE), "joan")[0].email == ""
    provider.user("n-2", preferred_username="not a name!")
    at = browser(sqlite_bench, provider, make_members=True)
    with unchanged(sqlite_bench.authority.database):
        answer = at.sign_in("n-2")
    refused(answer, 403, "cannot be a user name")
    text = answer.get_data(as_text=True)
    assert ("Ask an administrator" in text, "Correct the named values" in text, "-error" in text) == (True, False, False)
    # It is said once.
    assert "cannot be a user name" not in at.client.get("/console/sign-in").get_data(as_text=True)


def test_t34_roles_follow_groups_and_the_last_administrator_stays(sqlite_bench: Bench, provider: RunningProvider) -> None:
    roles = {"admins": Role.ADMINISTRATOR, "desk": Role.LICENSE_MANAGER}
    at = browser(sqlite_bench, provider, roles=roles)
    sqlite_bench.member("ada")

    def role_with(name: str, subject: str, groups: Any) -> Role:
        provider.user(subject, preferred_username=name, groups=groups)
        at.sign_in(subject)
        return members.show(Unit(sqlite_bench.authority, CONSOLE), name)[0].role

    assert role_with("ada", "r-1", ["desk", "other"]) is Role.LICENSE_MANAGER
    assert role_with("ada", "r-1", ["desk", "admins"]) is Role.ADMINISTRATOR
    # Where there is no list of them they decide nothing: the provider could not say them just now.
    assert role_with("ada", "r-1", "admins") is Role.ADMINISTRATOR
    provider.change = lambda claims: {name: claims[name] for name in claims if name != "groups"}
    provider.alter = at_path("/userinfo", lambda: Response(json.dumps({"sub": "another", "groups": []})))
    assert role_with("ada", "r-1", ["desk"]) is Role.ADMINISTRATOR
    provider.be_honest()
    assert role_with("ada", "r-1", [7, {}]) is Role.MEMBER
    assert role_with("admin", "r-2", []) is Role.ADMINISTRATOR


def test_claims_that_the_token_lacks_are_asked_for_and_count_for_the_same_subject_alone(ada: Browser) -> None:
    ada.provider.change = lambda claims: {name: claims[name] for name in claims if name != "preferred_username"}
    ada.sign_in()
    assert ada.who() == "ada"
    other = browser(ada.bench, ada.provider)
    ada.provider.user("s-5", preferred_username="ada")
    ada.provider.change = lambda claims: (
        {name: claims[name] for name in claims if name != "preferred_username"} | {"sub": "s-6"}
    )
    refused(other.sign_in("s-5"), 403, "no member here")


def at_path(path: str, answer: Callable[[], Response]) -> Callable[[str], Response | None]:
    return lambda asked: answer() if asked == path else None


DESCRIPTION = "/.well-known/openid-configuration"


def test_t34_a_provider_that_is_down_is_told_at_once_and_not_asked_by_every_stranger(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    count: list[str] = []

    def down(path: str) -> Response:
        count.append(path)
        return Response(status=502)

    ada.provider.alter = down
    for _ in range(5):
        answer = ada.client.get(START)
        refused(answer, 503, "does not answer")
        assert answer.headers["Retry-After"]
    assert count == [DESCRIPTION]
    ada.provider.be_honest()
    monkeypatch.setattr(oidc, "FAILURE_LASTS_SECONDS", 0.0)
    ada.sign_in()
    assert ada.who() == "ada"


def test_a_provider_that_went_down_after_it_was_known_is_told_before_the_browser_is_led_there(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.sign_in()
    ada.provider.alter = lambda _: Response(status=502)
    assert ada.client.get(START).status_code == 303
    monkeypatch.setattr(oidc, "LATELY_SECONDS", 0.0)
    refused(ada.client.get(START), 503, "does not answer")


BAD_ANSWERS: dict[str, Callable[[], Response]] = {
    "another name": lambda: Response(json.dumps({"issuer": "https://evil.example"})),
    "no JSON": lambda: Response("<html>"),
    "a list": lambda: Response("[]"),
    "deep": lambda: Response("[" * 100_000),
    "too large": lambda: Response(b" " * (provider_line.LARGEST_ANSWER + 1)),
    "a redirect": lambda: Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_description_that_is_none_is_an_error_of_ours(ada: Browser, name: str) -> None:
    ada.provider.alter = at_path(DESCRIPTION, BAD_ANSWERS[name])
    refused(ada.client.get(START), 503, "Corporate account")


def test_addresses_that_are_not_safe_are_not_used(ada: Browser) -> None:
    described = dict.fromkeys(oidc.NEEDED, "http://evil.example/x") | {"issuer": ada.provider.issuer}
    ada.provider.alter = at_path(DESCRIPTION, lambda: Response(json.dumps(described)))
    refused(ada.client.get(START), 503, "no safe addresses")


@pytest.mark.parametrize("path", ["/oauth2/token", "/jwks"])
def test_a_provider_that_breaks_on_the_way_is_an_error_of_ours(ada: Browser, path: str) -> None:
    address = ada.provider.sign_in(ada.leave(), "s-1")
    for answer in (lambda: Response(status=500), lambda: Response("x"), lambda: Response("{}")):
        ada.provider.alter = at_path(path, answer)
        assert ada.answered(address).status_code in {401, 503}
        ada.provider.be_honest()
        address = ada.provider.sign_in(ada.leave(), "s-1")
    assert ada.answered(address).status_code == 303


def dripping_description() -> dict[str, Callable[[Any], None]]:
    """A provider whose description never ends: in its headers, by its length, in a chunk, in its length, until the line is closed."""
    json_head = [b"Content-Type: application/json"]
    beginnings = {
        "headers": b"HTTP/1.1 200 OK\r\nX-Long: ",
        "length": hostile_server.head(b"200 OK", *json_head, b"Content-Length: 16000"),
        "chunk": hostile_server.head(b"200 OK", *json_head, b"Transfer-Encoding: chunked") + b"3e80\r\n",
        "chunk-size": hostile_server.head(b"200 OK", *json_head, b"Transfer-Encoding: chunked"),
        "close": hostile_server.head(b"200 OK", *json_head, b"Connection: close"),
    }
    return {name: hostile_server.dripping(beginning) for name, beginning in beginnings.items()}


def test_t34_a_provider_that_is_slow_has_a_deadline_and_keeps_nobody_else_waiting(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every read of these has something to read, long before any time-out of a read."""
    monkeypatch.setattr(oidc, "DEADLINE_SECONDS", 0.3)
    answers = dripping_description()
    (client,) = ada.clients
    with hostile_server.serving(answers) as server:
        for name in answers:
            provider = replace(client.provider, issuer=f"http://127.0.0.1:{server.port}/{name}")
            slow = ProviderClient(provider, "http://localhost", ada.bench.clock)
            with pytest.raises(ProviderUnavailable, match="does not answer as it should"):
                slow.begin("/console/")
            assert not slow._lock.locked()
            assert slow._places.acquire(blocking=False)
    for thread in [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]:
        thread.join(60)
        assert not thread.is_alive()
    for _ in range(oidc.AT_ONCE):
        client._places.acquire(blocking=False)
    refused(ada.client.get(START), 429, "many are signing in")
    assert ada.client.get("/healthz").status_code == 200


def test_t34_what_one_sign_in_asks_has_one_deadline_and_no_lock_is_held_meanwhile(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several requests, each of them within the time, and all of them not."""
    address = ada.provider.sign_in(ada.leave(), "s-1")
    (client,) = ada.clients
    asked: list[tuple[str, bool]] = []

    def slow(path: str) -> Response | None:
        asked.append((path, client._lock.locked()))
        threading.Event().wait(0.25)
        return None

    ada.provider.alter = slow
    monkeypatch.setattr(oidc, "DESCRIPTION_LASTS_SECONDS", 0.0)
    monkeypatch.setattr(oidc, "DEADLINE_SECONDS", 0.4)
    refused(ada.answered(address), 503, "does not answer as it should")
    assert asked
    assert not any(is_locked for _, is_locked in asked)


def test_a_provider_that_is_not_set_is_not_found(ada: Browser) -> None:
    for path in ("/console/sign-in/oidc/other", "/console/sign-in/oidc/other/answer"):
        assert ada.answered(path).status_code == 404


GOOD = """\
public_url = "https://licenses.example.org"
[oidc.corp]
issuer = "https://login.example.org/realms/corp"
client_id = "carnet"
client_secret_file = "corp.secret"
label = "Corporate account"
match = "preferred_username"
make_members = true
scopes = "openid profile groups"
groups_claim = "memberOf"
[oidc.corp.roles]
carnet-admins = "administrator"
"""


def settings_of(folder: Path, text: str, mode: int = 0o600) -> Any:
    (folder / "authority.toml").write_text(text)
    secret = folder / "corp.secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(mode)
    return load({}, str(folder))


def test_settings_of_a_provider_are_read_and_the_secret_is_shown_nowhere(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, GOOD)
    (provider,) = settings.providers
    expected = Provider(
        name="corp",
        label="Corporate account",
        issuer="https://login.example.org/realms/corp",
        client_id="carnet",
        client_secret=SECRET,
        match="preferred_username",
        make_members=True,
        roles={"carnet-admins": Role.ADMINISTRATOR},
        groups_claim="memberOf",
        scopes="openid profile groups",
    )
    assert provider == replace(expected)
    assert SECRET not in repr(settings)
    assert settings_of(tmp_path, "").providers == ()


def test_every_wrong_setting_of_a_provider_is_told_at_once(tmp_path: Path) -> None:
    text = """\
[oidc.corp]
issuer = "http://login.example.org"
client_id = 7
secret = "in the open"
make_members = "yes"
scopes = "profile"
[oidc.corp.roles]
staff = "king"
[oidc.Other]
[oidc.third]
issuer = "https://a.example/?x=1"
client_id = "x"
client_secret_file = "nothing"
make_members = true
"""
    with pytest.raises(SettingsInvalid) as caught:
        settings_of(tmp_path, text)
    sentences = caught.value.message.split("; ")
    assert sentences == [
        'there is no setting "oidc.corp.secret"',
        '"oidc.corp.client_secret_file" is missing',
        '"oidc.corp.client_id" must be text',
        '"oidc.corp.issuer" must be an https address (http on this machine alone)',
        '"oidc.corp.make_members" must be true or false',
        '"oidc.corp.roles" gives "staff" no role that there is: administrator, license-manager, analyst, member',
        '"oidc.corp.scopes" must have openid',
        '"oidc.Other": a name has small letters, digits and hyphens',
        '"oidc.third.issuer" must be an https address (http on this machine alone)',
        '"oidc.third.make_members" needs "oidc.third.match", the claim that is the user name',
        f'"oidc.third.client_secret_file": {tmp_path / "nothing"} cannot be read: No such file or directory',
    ]


@pytest.mark.parametrize(
    ("text", "mode", "sentence"),
    [
        (GOOD, 0o644, "is open to others"),
        (GOOD.replace("public_url", "# "), 0o600, '"public_url" is missing'),
        (GOOD.replace('example.org"\n[oidc', 'example.org/x"\n[oidc'), 0o600, '"public_url" must be'),
        ('oidc = "x"', 0o600, '"oidc" must be tables'),
        ('[oidc]\ncorp = "x"', 0o600, '"oidc.corp" must be a table'),
        (GOOD.split("[oidc.corp.roles]", maxsplit=1)[0] + "roles = 7", 0o600, '"oidc.corp.roles" must be a table'),
    ],
)
def test_a_setting_of_a_provider_that_is_wrong_is_refused(tmp_path: Path, text: str, mode: int, sentence: str) -> None:
    with pytest.raises(SettingsInvalid, match=sentence.replace(".", r"\.")):
        settings_of(tmp_path, text, mode)


def test_every_setting_of_a_provider_stands_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sign-in.md").read_text()
    assert [name for name in PROVIDER_SETTINGS if f"| `{name}` |" not in page] == []


def test_signing_in_by_a_provider_ends_the_earlier_sign_in_of_this_browser(ada: Browser) -> None:
    ada.sign_in()
    first = ada.client.get_cookie("carnet")
    ada.sign_in()
    second = ada.client.get_cookie("carnet")
    assert first is not None
    assert second is not None
    good = [ada.client.get("/api/v1/me", headers={"Authorization": f"Bearer {cookie.value}"}) for cookie in (first, second)]
    assert [answer.status_code for answer in good] == [401, 200]


def test_a_deep_cookie_of_a_question_is_none(ada: Browser) -> None:
    deep = urlsafe_b64encode(b"[" * 2_500).decode()
    ada.client.set_cookie("carnet-provider", deep)
    refused(ada.answered(f"{START}/answer?code=x&state=x"), 401, "asked for no such answer")
