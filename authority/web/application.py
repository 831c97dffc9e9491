"""The Flask application: made by a function, given the authority that it serves."""

from __future__ import annotations

import atexit
import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Request, Response, g, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import BadRequest, RequestTimeout

from authority.domain.members import ANYBODY
from authority.domain.names import escaped
from authority.domain.refusals import Refusal, SettingsInvalid
from authority.services.context import Authority
from authority.services.overview import check_ready
from authority.services.unit import Secret, Unit
from authority.web import access, attempts, description, metrics, noting, problems, proxies, server_log
from authority.web.access import check_known, publisher_of
from authority.web.answers import JSON, public_file
from authority.web.api import (
    api_keys,
    authorization,
    borrows,
    carried,
    keys,
    licenses,
    log,
    me,
    members,
    notices,
    offline,
    overview,
    policies,
    pools,
    public,
    session_settings,
    sessions,
    sign_ins,
)
from authority.web.api.forms import Problem as ProblemBody
from authority.web.console import cookies, site
from authority.web.console.addresses import HOME
from authority.web.console.frame import check_visitor, is_page, problem_page
from authority.web.front import PAGE
from authority.web.gateway import BODY_IS_LATE, LARGEST_BODY, LARGEST_BY_PATH
from authority.web.problems import Problem
from authority.web.publishing import Publisher
from authority.web.reference import pages as reference
from authority.web.server_log import LogFormat
from authority.web.strictness import Expected, StrictJSON, check_form, check_headers, expected_of
from authority.wiring.app import open_authority
from authority.wiring.settings import Settings, from_process

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from authority.web.oidc import ProviderClient

# How long a cache may give the description without asking.
DESCRIPTION_SECONDS = 300
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Application(OpenAPI):
    """Flask asks of each function at each request whether it is asynchronous; none here is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func

    def log_exception(self, exc_info: Any) -> None:
        """Writes an error into the log as all others are written; Flask would write the path as it is."""
        server_log.write("request", exc_info[1], g.get("request_id", ""))

    def is_known(self, environ: WSGIEnvironment) -> bool:
        """Whether a request, looked at without its body, comes with a bearer token or a sign-in that is good."""
        with self.request_context(environ):
            try:
                of_page = is_page(request.path)
                secret = cookies.sign_in_secret() if of_page else access.secret()
                if secret is None:
                    return False
                with Unit(self.extensions["carnet"], Secret(secret, of_sign_in=of_page), open_over_limit=True).reading():
                    return True
            except Refusal:
                return False


def _answer(problem: Problem) -> Response:
    """A person gets a page of what went wrong, a program the one error body; a bare text where no page can be made."""
    request.environ[noting.CODE] = problem.code
    if not is_page(request.path):
        return problems.json_of(problem)
    if isinstance(request.routing_exception, BadRequest):
        # The host is no host's name, so that no page has an address.
        return _bare(problem)
    try:
        return problem_page(problem)
    except Exception as error:  # noqa: BLE001 - what tells of errors makes none
        server_log.write("request", error, g.get("request_id", ""))
        return _bare(problem)


def _bare(problem: Problem) -> Response:
    text = f"{problem.status} {problem.code}: {escaped(problem.detail)}\n{problem.hint}\n"
    return Response(text, problem.status, content_type="text/plain; charset=utf-8")


def create_app(
    authority: Authority,
    trusted_proxies: Sequence[str] = (),
    providers: Sequence[ProviderClient] = (),
    metrics_networks: Sequence[str] = (),
) -> OpenAPI:
    """The WSGI application that serves this authority, with the providers by which members sign in.

    A request that comes from a trusted proxy, an address or a network, has the address that the proxy names (X-Forwarded-For).
    From the networks of metrics `/metrics` is given without a bearer token.
    """
    app = _Application(
        "carnet",
        info=Info(title="Carnet", version=version("carnet"), description="An offline license authority."),
        security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
        validation_error_status=400,
        validation_error_model=ProblemBody,
        validation_error_callback=problems.invalid,
        doc_ui=False,
    )
    # A path is a route or it is none: a redirect would go to whatever host a client names.
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.json = StrictJSON(app)
    app.json.sort_keys = False
    app.extensions["carnet"] = authority
    app.extensions["carnet-providers"] = {client.provider.name: client for client in providers}
    app.extensions["carnet-publisher"] = Publisher(authority)
    problems.register(app, _answer)
    site.register(app)
    for blueprint in (
        borrows.api,
        public.api,
        sessions.api,
        pools.api,
        policies.api,
        authorization.api,
        api_keys.api,
        session_settings.api,
        members.api,
        licenses.api,
        me.api,
        offline.api,
        overview.api,
        log.api,
        keys.api,
        notices.api,
        carried.api,
        sign_ins.api,
    ):
        app.register_api(blueprint, url_prefix="/api/v1")
    _add_plain_routes(app, authority)
    metrics.register(app, metrics_networks)
    app.register_blueprint(reference.blueprint(lambda: description.complete(app.api_doc)))
    _look_at_requests(app)
    attempts.register(app)
    application: WSGIApplication = app.wsgi_app
    if trusted_proxies:
        application = proxies.behind(application, trusted_proxies)
    app.wsgi_app = _with_headers(application)  # type: ignore[assignment, method-assign]
    return app


def _look_at_requests(app: OpenAPI) -> None:
    """Adds what is done before and after every request."""
    described = expected_of(app.paths, app.components_schemas)

    @app.before_request
    def number_request() -> None:
        # The request itself: each look through Flask's stand-in for it costs several calls.
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the documented way to it
        environ = asked.environ
        g.request_id = environ[noting.REQUEST_ID] = secrets.token_hex(8)
        environ[noting.ROUTE] = getattr(asked.url_rule, "rule", noting.OTHER)
        # A field of a form may be as large as the whole.
        asked.max_content_length = asked.max_form_memory_size = LARGEST_BY_PATH.get(asked.path, LARGEST_BODY)
        check_headers(environ)
        if BODY_IS_LATE in environ:
            raise RequestTimeout
        check_form(asked, described.get(_operation(asked)), is_page=asked.path.startswith(HOME))

    @app.after_request
    def set_headers(response: Response) -> Response:
        if HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            response = _authenticated_first(app, described, response)
        if "attempt" in g:
            attempts.keep(response)
        unit = g.get("unit")
        if unit is not None and unit.excess:
            response.headers["X-Carnet-Over-Limit"] = unit.excess
        return response


def _operation(asked: Request) -> tuple[str, str]:
    """Method and rule of a request, as operations are known by; a rule is empty where no path fits."""
    return "GET" if asked.method == "HEAD" else asked.method, "" if asked.url_rule is None else asked.url_rule.rule


def _authenticated_first(app: OpenAPI, described: Mapping[tuple[str, str], Expected], refused: Response) -> Response:
    """A refusal for who has a credential; whatever is wrong with a request, a stranger is told of the missing credential alone.

    The framework reads path, query and body before it calls a view, where a unit of work begins. Only a request that is refused
    pays for this second look.
    """
    expected = described.get(_operation(request))
    is_closed_page = is_page(request.path) and request.url_rule is not None
    is_protected = request.path == metrics.PATH or (expected is not None and expected.is_protected)
    if refused.status_code == HTTPStatus.UNAUTHORIZED or not (is_closed_page or is_protected):
        return refused
    try:
        if is_closed_page:
            check_visitor()
        else:
            check_known()
    except Refusal as refusal:
        unknown = app.make_response(app.handle_user_exception(refusal))
        # Where a body did not come in time the line is closed, whoever asks.
        unknown.headers.extend({name: value for name, value in refused.headers.items() if name == "Connection"})
        return unknown
    return refused


def _with_headers(application: WSGIApplication) -> WSGIApplication:
    """The application with the number of the request and the HEADERS in every answer, whatever made it; Flask would copy each of them several times."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        usual = site.HEADERS if environ["PATH_INFO"].startswith(HOME) else HEADERS
        began_at = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], error: Any = None, /) -> Callable[[bytes], object]:
            noting.note(environ, int(status[:3]), time.perf_counter() - began_at)
            own = {name for name, _ in headers}
            rest = [pair for pair in usual.items() if pair[0] not in own]
            return start_response(status, [*headers, ("X-Request-Id", environ.get(noting.REQUEST_ID, "")), *rest], error)

        try:
            return application(environ, start)
        except Exception as error:  # noqa: BLE001 - whoever asks is to have an answer, with all headers
            server_log.write("a request", error)
            start("500 INTERNAL SERVER ERROR", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"500 internal-error: something went wrong here\n"]

    return answer


def _add_plain_routes(app: OpenAPI, authority: Authority) -> None:
    installed_at = datetime.fromtimestamp(int(Path(__file__).stat().st_mtime), UTC)

    @app.route("/")
    def front() -> Response:
        if request.accept_mimetypes.best_match(("text/plain", "text/html")) == "text/html":
            return Response(status=303, headers={"Location": HOME, "Vary": "Accept"})
        return Response(PAGE, content_type="text/plain; charset=utf-8")

    @app.route("/openapi.json")
    def openapi() -> Response:
        data = json.dumps(description.complete(app.api_doc)).encode()
        return public_file(data, JSON, installed_at, DESCRIPTION_SECONDS)

    @app.route("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @app.route("/readyz")
    def ready() -> dict[str, str]:
        check_ready(Unit(authority, ANYBODY))
        return {"status": "ok"}


def _provider_clients(settings: Settings, authority: Authority) -> list[ProviderClient]:
    """Who speaks with each provider of the settings. Raises SettingsInvalid where what that takes is not installed."""
    if settings.public_url is None or not settings.providers:
        return []
    try:
        from authority.web.oidc import ProviderClient
    except ModuleNotFoundError as error:
        raise SettingsInvalid("sign-in by a provider needs the extra: pip install 'carnet[oidc]'") from error
    return [ProviderClient(provider, settings.public_url, authority.clock) for provider in settings.providers]


def serve() -> OpenAPI:
    """What each worker of the server runs: the authority of this process's settings, and a thread that keeps its status list fresh."""
    settings = from_process()
    server_log.configure(LogFormat(settings.log_format))
    authority = open_authority(settings)
    atexit.register(authority.database.close)
    app = create_app(authority, settings.trusted_proxies, _provider_clients(settings, authority), settings.metrics_networks)
    publisher_of(app).start()
    return app
