"""A provider of OpenID Connect that runs beside the tests, and that can be made to lie or to be slow."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

with warnings.catch_warnings():
    # It uses names of Authlib that Authlib is about to leave.
    warnings.simplefilter("ignore")
    import oidc_provider_mock

Claims = dict[str, Any]


@dataclass
class RunningProvider:
    """The provider as a client sees it; `change` is what it says wrongly, `alter` answers in its place."""

    issuer: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    change: Callable[[Claims], Claims] = dict
    sign: Callable[[RunningProvider, Claims], str] | None = None
    alter: Callable[[str], Response | None] = lambda _: None
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def be_honest(self) -> None:
        """Says nothing wrong any more."""
        self.change, self.sign, self.alter = dict, None, lambda _: None
        self.asked.clear()

    def user(self, subject: str, **claims: Any) -> None:
        """Makes or changes an account there."""
        requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=60).raise_for_status()

    def sign_in(self, address: str, subject: str, action: str = "authorize") -> str:
        """What a person does at the address: path and query to which the browser is led back."""
        answer = requests.post(address, data={"sub": subject, "action": action}, allow_redirects=False, timeout=60)
        parts = urlsplit(answer.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def signed(self, claims: Claims) -> str:
        """An ID token with these claims, by the provider's key."""
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def answer(self, application: Any, environ: Any, start_response: Any) -> Any:
        """What the provider answers, with an ID token signed anew after it was changed."""
        request = Request(environ)
        if (other := self.alter(request.path)) is not None:
            return other(environ, start_response)
        if request.path == "/jwks":
            return Response(json.dumps({"keys": [self.key.as_dict(private=False)]}), mimetype="application/json")(
                environ, start_response
            )
        if request.path == "/oauth2/token":
            body = request.get_data()
            environ["wsgi.input"] = io.BytesIO(body)
            self.asked.append((request.path, parse_qs(body.decode())))
        response = Response.from_app(application, environ)
        if request.path == "/.well-known/openid-configuration":
            described = json.loads(response.get_data()) | {"id_token_signing_alg_values_supported": ["ES256"]}
            response.set_data(json.dumps(described))
        if request.path == "/oauth2/token" and response.status_code == 200:
            token = json.loads(response.get_data())
            claims = self.change(json.loads(_payload(token["id_token"])))
            token["id_token"] = self.signed(claims) if self.sign is None else self.sign(self, claims)
            response.set_data(json.dumps(token))
        return response(environ, start_response)


def _payload(compact: str) -> bytes:
    return urlsafe_b64decode(compact.split(".")[1].encode())


def unsigned(_: RunningProvider, claims: Claims) -> str:
    """An ID token that nobody signed (`alg` none)."""
    head, body = (urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "none"}, claims))
    return f"{head}.{body}."


@contextlib.contextmanager
def running_provider() -> Iterator[RunningProvider]:
    """A provider on a free port of this machine."""
    application = oidc_provider_mock.app(require_nonce=True)
    provider = RunningProvider()
    server = make_server("127.0.0.1", 0, lambda environ, start: provider.answer(application, environ, start), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
