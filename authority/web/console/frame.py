"""What every page stands in: who looks at it, its unit of work, its answer, and what is done when something goes wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec
from urllib.parse import urlencode, urlsplit

from flask import Response, abort, current_app, g, render_template, request, url_for
from werkzeug.urls import iri_to_uri

from authority.domain.refusals import NotAuthenticated, Refusal
from authority.services.attempts import DoneBefore
from authority.web import problems
from authority.web.console import cookies, mistakes, navigation, packing, typed, unsent
from authority.web.console.addresses import HOME, is_step, page_of
from authority.web.console.cookies import Notice
from authority.web.console.formats import MOST_NAMED, utc, with_codes
from authority.web.console.forms import check_query
from authority.web.console.hints import hint_on_page
from authority.web.console.visiting import Visitor, signed_in, visitor
from authority.web.problems import InvalidValues, Problem
from authority.web.strictness import SAFE

View = ParamSpec("View")
# Blueprints and endpoints below "console" that strangers may open.
OPEN = ("console.sign_in", "console.oidc", "console.static")
# Files have their digest in the address; what a provider adds to its answer is its own affair.
FREE_OF_CHECKS = ("console.static", "console.oidc.answer")
NO_PAGE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
FORM_NOT_TRUSTED = Problem(
    400,
    "form-not-trusted",
    "this form was not sent from a page of this console, or you signed in anew since it was opened",
    "Nothing was changed. Look at what is sent below, and send it once more; or open the page anew.",
)
SIGN_IN_ENDED = Problem(
    401,
    NotAuthenticated.code,
    "your sign-in has ended, and nothing was done",
    "Sign in again, with your password: what you typed is kept, and you see it again before anything is done. "
    "Passwords and files have to be given once more.",
)
A_STEP = "The address was that of a step, which cannot be opened again. Nothing was changed; begin here."
# The pages that show the forms of those who take them.
_FORMS: dict[object, Callable[..., Response]] = {}


def is_page(path: str) -> bool:
    """True for the address of a page: people are answered there, and not programs."""
    return path.startswith("/console/")


def admit() -> Response | None:
    """Before every page: who it is for, whether they may open it, and whether a form is one of ours.

    Who may not open the first page is led to the one that their role is for. Raises NotAuthenticated, OrganizationOverLimit, NotAllowed.
    """
    if request.method == "POST":
        packing.unpack()
    if not _is_open():
        g.visitor = signed_in()
        if request.path == HOME and not _entry().is_open_to(g.visitor.actor):
            return see_other(url_for(navigation.first(g.visitor.actor).endpoint))
        _entry().check(g.visitor.actor)
    if request.method not in SAFE:
        _check_form()
    return None


def check_visitor() -> None:
    """Raises NotAuthenticated or OrganizationOverLimit when strangers may not open this page and nobody is known to look at it."""
    if not _is_open() and "visitor" not in g:
        g.visitor = signed_in()


def _is_open() -> bool:
    return request.endpoint in OPEN or request.blueprint in OPEN


def begin_visit() -> Visitor:
    """Who is signed in and may open the page of this request. Raises NotAuthenticated, OrganizationOverLimit, NotAllowed."""
    g.visitor = signed_in()
    _entry().check(g.visitor.actor)
    return visitor()


def _entry() -> navigation.Entry:
    return navigation.BY_NAME[(request.blueprint or "").removeprefix("console.")]


def _check_form() -> None:
    """Answers with a page unless the form was made for this sign-in and comes from this very site."""
    if _is_from_elsewhere():
        abort(problem_page(replace(FORM_NOT_TRUSTED, hint="Nothing was changed. Open the page anew and do it there.")))
    if not cookies.is_form_token(request.form.get("form_token", "")):
        abort(page("send_again.html", problem=FORM_NOT_TRUSTED))


def _is_from_elsewhere() -> bool:
    """True when the browser says that another site sends this; one that says nothing is told by the form's token alone."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host


def page(template: str, status: int = 200, problem: Problem | None = None, **values: object) -> Response:
    """The page of a template. A problem, of its own or of the form that is shown again, gives it its status."""
    problem = problem or g.get("problem")
    who: Visitor | None = g.get("visitor")
    html = render_template(
        template,
        visitor=who,
        menu=navigation.menu(who.actor) if who else [],
        notice=g.get("notice") or cookies.notice(),
        problem=problem,
        hint=hint_on_page(problem.code, problem.hint) if problem else "",
        **values,
    )
    response = Response(with_codes(html), problem.status if problem else status, content_type="text/html; charset=utf-8")
    if problem is not None and problem.headers:
        response.headers.update(problem.headers)
    cookies.remove(response, cookies.NOTICE)
    cookies.write_new_form_key(response)
    return response


def check_parameters(response: Response) -> Response:
    """After every page that was found: one that asks for no parameter of its address says so when there are some."""
    is_checked = g.get("is_query_checked", False) or request.endpoint in FREE_OF_CHECKS
    if is_checked or request.method not in SAFE or response.status_code != HTTPStatus.OK or not request.args:
        return response
    try:
        check_query(())
    except Refusal as error:
        return problem_page(problems.of_refusal(error))
    return response


def providers() -> list[tuple[str, str]]:
    """Name and label of each provider by which members sign in."""
    clients = current_app.extensions["carnet-providers"]
    return [(name, client.provider.label) for name, client in clients.items()]


def here(changes: Mapping[str, str | None], path: str | None = None) -> str:
    """The address of this page, or of another `path`, with other parameters, None for without.

    A cursor is left out: with other filters or in another order the list begins anew.
    """
    values = {**request.args, "cursor": None, **changes}
    query = urlencode({name: value for name, value in values.items() if value})
    path = path or own_path()
    return f"{path}?{query}" if query else path


def own_path() -> str:
    """The path of this page; where a form is shown again that has no page of its own, that of the list it stands on."""
    if request.method in SAFE:
        return request.path
    endpoint = f"{request.blueprint}.index"
    if endpoint not in current_app.view_functions:
        return request.path
    expecting = current_app.url_map.is_endpoint_expecting
    return url_for(endpoint, **{name: value for name, value in (request.view_args or {}).items() if expecting(endpoint, name)})


def address_of(name: str, **parameters: Any) -> str:
    """The address of a page of the menu, with parameters; "" for a visitor who may not open it."""
    return navigation.address_of(visitor().actor, name, **parameters)


def see_other(address: str) -> Response:
    """Leads to an address of our own."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})


def done(address: str, text: str, then: Sequence[tuple[str, str]] = (), *, is_done: bool = True) -> Response:
    """Leads to the page at the address, which says what was done, or why nothing, and what to do next as texts with addresses.

    What is longer than a cookie may be is said at once, on a page that leads there.
    """
    response, notice = see_other(address), Notice(text, tuple(then), is_done)
    if not cookies.write_notice(response, notice):
        g.notice = notice
        return page("done.html", address=address)
    return response


def done_before(error: DoneBefore) -> Response:
    """Leads to the page that a form which was sent before belongs to."""
    text = (
        f"This was done already at {utc(error.at)}, and nothing was done a second time. What was shown once is not shown again."
    )
    return done(page_of(request.path), text, is_done=False)


def confirm(
    question: str,
    *,
    who: str | Sequence[str],
    what: str | Sequence[str],
    until: datetime | str | None = None,
    consequences: Sequence[str | Sequence[str]] = (),
    action: str,
    back: str,
    asked: Mapping[str, str] | None = None,
    carried: Mapping[str, str] | None = None,
    is_dangerous: bool = False,
) -> Response | None:
    """The page before a change that others will feel: who, what, until when, what follows, and a button that does it.

    None when the visitor saw exactly this and pressed the button, unless there is a problem to be shown. Who saw something else,
    for another administrator was quicker, is asked again, and told so. What moves with the clock stands in `until` alone.
    Of several names, and of sentences about each of many that stand together in `consequences`, all are shown: the first ones,
    and the others folded.
    Its form has all that was sent, what is `carried` beside it (of files, which forms do not send again), and what is still
    `asked`, as labels by name: `reason` is a text, all else a box to tick.
    """
    seen = hashlib.sha256(json.dumps([question, who, what, *consequences]).encode()).hexdigest()
    confirmed = request.form.get("confirmed")
    # What is wrong with the answers is said on this page, too.
    if confirmed == seen and not typed.is_shown_again():
        return None
    return page(
        "confirm.html",
        question=question,
        who=[who] if isinstance(who, str) else who,
        what=[what] if isinstance(what, str) else what,
        until=until,
        most=MOST_NAMED,
        packed=packing.packed(request.form),
        consequences=consequences,
        action=action,
        back=back,
        asked=asked or {},
        carried=carried or {},
        is_dangerous=is_dangerous,
        seen=seen,
        is_changed=confirmed not in (None, seen),
    )


def shown_again(
    view: Callable[..., Response], left: Callable[..., Response] | None = None
) -> Callable[[Callable[View, Response]], Callable[View, Response]]:
    """Decorates what takes a form: what is wrong with it is said on the page of the form, which keeps what was typed.

    `view` shows that page, and has the arguments of the address alone; `left` the one that keeps what was ticked or typed when
    somebody leaves a question as it is, where that is more than a link.
    """

    def decorate(take: Callable[View, Response]) -> Callable[View, Response]:
        @wraps(take)
        def attempt(*args: View.args, **kwargs: View.kwargs) -> Response:
            g.can_leave = left is not None
            if left is not None and "leave" in request.form:
                g.keeps_typed = True
                return left(*args, **kwargs)
            try:
                return take(*args, **kwargs)
            except (InvalidValues, Refusal) as error:
                problem = problems.of_refusal(error) if isinstance(error, Refusal) else problems.of_http(error)
                ended = isinstance(error, NotAuthenticated) and "visitor" in g
                if ended or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
                _note(error, problem)
                return view(*args, **kwargs)

        _FORMS[attempt] = view
        return attempt

    return decorate


def form_of(endpoint: str) -> Callable[..., Response] | None:
    """The page that shows the form which this endpoint takes, as it is shown again; None where there is none."""
    return _FORMS.get(current_app.view_functions[endpoint])


def _note(error: InvalidValues | Refusal, problem: Problem) -> None:
    """Keeps what is wrong for the page that is shown again: each at its field, and on top what there is to correct."""
    mistakes.note(error)
    if isinstance(error, InvalidValues):
        first, *others = mistakes.of_page()
        # A sentence about "it" stands where it is said what it is about.
        one = "one value has to be corrected" if first.is_about_it else first.message
        text = "several values have to be corrected" if others else one
        problem = replace(problem, detail=text, hint="Correct what is named, and try again.")
    g.problem = problem


def problem_page(problem: Problem) -> Response:
    """What went wrong, as a page; who is not signed in is led to the sign-in, and from there back to a page that was asked for.

    An address that only takes a form leads to the page that it belongs to.
    """
    if problem.status != HTTPStatus.UNAUTHORIZED:
        if "visitor" not in g:
            # No page was found, or none was asked yet: the menu leads on who is signed in.
            with suppress(Refusal):
                g.visitor = signed_in()
        if request.method in SAFE and problem.status in NO_PAGE and is_step(request.path):
            address = page_of(request.path)
            return done(address, A_STEP, is_done=False) if "visitor" in g else see_other(address)
        return page("problem.html", problem=problem)
    if request.method in SAFE:
        return see_other(url_for("console.sign_in.index", next=iri_to_uri(request.full_path.rstrip("?"))))
    text = "" if _is_from_elsewhere() else unsent.sealed()
    return page("sign_in.html", problem=SIGN_IN_ENDED, next=page_of(request.path), unsent=text)
