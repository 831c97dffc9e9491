"""After a sign-in that had ended: the form that was typed, shown again to the same member, who presses its button anew."""

from __future__ import annotations

import io
from contextlib import suppress
from urllib.parse import urlencode

from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from authority.domain.refusals import Refusal
from authority.web.console.cookies import Notice
from authority.web.console.frame import begin_visit, form_of, page
from authority.web.console.unsent import Unsent

TEXT = (
    "You are signed in again, and nothing was done yet. Look at what you typed, give passwords and files once more, "
    "and press the button."
)


def form_again(unsent: Unsent, secret: str) -> Response | None:
    """The page with the form that was kept, for whom this secret signs in; None where it is not theirs, or cannot be shown."""
    number = g.get("request_id", "")
    with current_app.app_context(), current_app.request_context(_as_sent(unsent)):
        g.new_sign_in, g.request_id, g.keeps_typed, g.notice = secret, number, True, Notice(TEXT, is_done=False)
        with suppress(Refusal, HTTPException):
            if begin_visit().actor.member_id == unsent.member and request.endpoint is not None:
                view = form_of(request.endpoint)
                return page("send_again.html") if view is None else view(**(request.view_args or {}))
    return None


def _as_sent(unsent: Unsent) -> dict[str, object]:
    """The environment of the request that was sent, without what was not kept of it."""
    body = urlencode(unsent.fields, errors="surrogatepass").encode()
    own = {name: value for name, value in request.environ.items() if not name.startswith(("werkzeug.", "flask."))}
    return own | {
        # A path is bytes as text there (PEP 3333).
        "PATH_INFO": unsent.path.encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": unsent.query,
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
