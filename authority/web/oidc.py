"""OpenID Connect with a provider: where a browser is led, and what of its answer is believed (authorization code with PKCE).

The network is asked for the provider's description, its keys, the token of a code, and claims that the token lacks. All that one
sign-in asks has one deadline, each answer a largest size, and so many are asked at once: a provider that is down or slow stops
nobody but who signs in by it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException

from authority.domain.oidc import Provider, Transaction
from authority.domain.refusals import NotAuthenticated, ProviderUnavailable, TooManyRequests
from authority.web.provider_line import Bounded, Deadline
from authority.wiring.provider_settings import is_address

# What a provider signs with: keys of its own that it publishes, never a secret that both have, and never nothing.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
DEADLINE_SECONDS = 8.0
AT_ONCE = 4
CLOCKS_DIFFER_SECONDS = 60
# How long a description and its keys are believed, how long a failure is not tried again, and how often keys are asked for anew.
DESCRIPTION_LASTS_SECONDS = 3600.0
FAILURE_LASTS_SECONDS = 15.0
KEYS_ANEW_SECONDS = 60.0
# Before a browser is led to a provider, it has answered within so long.
LATELY_SECONDS = 60.0
LONGEST_SUBJECT = 255
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderClient:
    """One provider, as this server talks with it; threads can share it."""

    def __init__(self, provider: Provider, public_url: str, clock: Callable[[], datetime]) -> None:
        self.provider = provider
        self._redirect_uri = f"{public_url}/console/sign-in/oidc/{provider.name}/answer"
        self._clock = clock
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._description: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._failed_at = -FAILURE_LASTS_SECONDS

    def begin(self, following: str) -> tuple[str, Transaction]:
        """The address at the provider to lead a browser to, and what the browser keeps; `following` is where it goes then.

        Raises ProviderUnavailable, TooManyRequests.
        """
        with self._place(), self._session() as session:
            # The browser is led there next, and would find nobody: lately it was there.
            endpoint = self._described(session, LATELY_SECONDS)["authorization_endpoint"]
            state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
            transaction = Transaction(self.provider.name, state, nonce, verifier, following)
            address, _ = session.create_authorization_url(
                endpoint, state=transaction.state, nonce=transaction.nonce, code_verifier=transaction.verifier
            )
        return str(address), transaction

    def claims(self, transaction: Transaction, answer: Mapping[str, str]) -> dict[str, Any]:
        """Who the provider says is there, by its answer to this very transaction.

        Raises NotAuthenticated for an answer that is not to be believed, ProviderUnavailable, TooManyRequests.
        """
        if not secrets.compare_digest(answer.get("state", "").encode(), transaction.state.encode()):
            raise self._refused("the answer is to another question than this browser's")
        if answer.get("iss", self.provider.issuer) != self.provider.issuer:
            raise self._refused("the answer is another provider's")
        if "code" not in answer:
            raise self._refused("it did not let you in")
        with self._place(), self._session() as session:
            description = self._described(session)
            try:
                token = session.fetch_token(
                    description["token_endpoint"],
                    grant_type="authorization_code",
                    code=answer["code"],
                    code_verifier=transaction.verifier,
                )
            except OAuthError as error:
                raise self._refused("it does not know the code any more") from error
            claims = self._verified(session, token, transaction.nonce)
            return self._with_more(session, description, claims)

    def _refused(self, what: str) -> NotAuthenticated:
        return NotAuthenticated(f"{self.provider.label}: {what}", hint="Begin again: sign in once more.")

    def _unavailable(self, what: str) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self.provider.label} {what}", provider=self.provider.name)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooManyRequests("too many are signing in at this moment: the next try is in 1 second", seconds=1)
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """A session whose failures are ours. The secret goes to the provider's own addresses, and follows no redirect."""
        with Deadline(DEADLINE_SECONDS) as deadline:
            session = self._new_session(deadline)
            try:
                yield session
            except (RequestException, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
                raise self._unavailable("does not answer as it should") from error
            finally:
                session.close()

    def _new_session(self, deadline: Deadline) -> Any:
        session = OAuth2Session(
            self.provider.client_id,
            self.provider.client_secret,
            scope=self.provider.scopes,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the name of a method
        )
        session.max_redirects = 0
        session.trust_env = False
        for scheme in ("https://", "http://"):
            session.mount(scheme, Bounded(deadline))
        return session

    def _get(self, session: Any, address: str, **options: Any) -> dict[str, Any]:
        response = session.request("GET", address, **({"withhold_token": True} | options))
        response.raise_for_status()
        value = response.json()
        if not isinstance(value, dict):
            raise TypeError("the answer is no object")
        return value

    def _described(self, session: Any, lasts: float = DESCRIPTION_LASTS_SECONDS) -> dict[str, Any]:
        """What the provider says of itself, asked for when it is older than that; a failure is told again for a while without asking.

        Nobody waits for who asks: until it is known, others ask as well.
        """
        now = time.monotonic()
        with self._lock:
            if self._description is not None and now - self._description[0] < lasts:
                return self._description[1]
            if now - self._failed_at < FAILURE_LASTS_SECONDS:
                raise self._unavailable("does not answer")
        try:
            description = self._asked_to_describe(session)
        except Exception:
            with self._lock:
                self._failed_at = time.monotonic()
            raise
        with self._lock:
            if self._description is None or self._description[1] != description:
                self._keys = None
            self._description = (now, description)
        return description

    def _asked_to_describe(self, session: Any) -> dict[str, Any]:
        description = self._get(session, f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        if description.get("issuer") != self.provider.issuer:
            raise self._unavailable("calls itself by another name than the setting")
        if not all(is_address(description.get(name), path=True) for name in NEEDED):
            raise self._unavailable("names no safe addresses")
        return description

    def _key_set(self, session: Any, *, anew: bool = False) -> KeySet:
        """The provider's keys. `anew` they are asked for again, once a minute at most: a token may name any key."""
        now = time.monotonic()
        with self._lock:
            lasts = KEYS_ANEW_SECONDS if anew else DESCRIPTION_LASTS_SECONDS
            if self._keys is not None and now - self._keys[0] < lasts:
                return self._keys[1]
            assert self._description is not None  # noqa: S101 - it was asked for before
            address = self._description[1]["jwks_uri"]
        published: Any = self._get(session, address)
        keys = KeySet.import_key_set(published)
        with self._lock:
            self._keys = (now, keys)
        return keys

    def _verified(self, session: Any, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token, signed by the provider, for this authority, of now, and for this very question."""
        try:
            decoded = self._decoded(session, str(token["id_token"]))
            options = {"iss": {"essential": True, "value": self.provider.issuer}, "aud": {"value": self.provider.client_id}}
            parameters = {"nonce": nonce, "client_id": self.provider.client_id, "access_token": token.get("access_token")}
            claims = CodeIDToken(decoded.claims, decoded.header, options, parameters)
            claims.validate(now=int(self._clock().timestamp()), leeway=CLOCKS_DIFFER_SECONDS)
        except JoseError as error:
            raise self._refused(f"what it says of you is not to be believed ({error.error})") from error
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
            raise self._refused("it does not say who you are")
        return dict(claims)

    def _decoded(self, session: Any, text: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        try:
            return jwt.decode(text, self._key_set(session), registry=registry)
        except InvalidKeyIdError:
            return jwt.decode(text, self._key_set(session, anew=True), registry=registry)

    def _with_more(self, session: Any, description: Mapping[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """The claims, with those that decide something and stand elsewhere; only what is said of the same subject counts."""
        address = description.get("userinfo_endpoint")
        if all(name in claims for name in self.provider.wanted_claims()) or not is_address(address, path=True):
            return claims
        more = self._get(session, str(address), withhold_token=False)
        return {**more, **claims} if more.get("sub") == claims["sub"] else claims
