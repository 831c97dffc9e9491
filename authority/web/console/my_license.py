"""My license: what a member has, and taking it offline and giving it back (seed S3)."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.plurals import counted
from authority.domain.refusals import InvalidInput, NotFound
from authority.presentation.borrows import BorrowShown
from authority.presentation.computers import name_of
from authority.presentation.exchange import FileShown
from authority.presentation.me import MeShown
from authority.presentation.sign_ins import SignIns
from authority.services import access, borrow, exchange, me, sessions
from authority.services.exchange import File
from authority.web.access import origin, publish_soon
from authority.web.answers import carried
from authority.web.console import cookies
from authority.web.console.formats import utc
from authority.web.console.forms import Form, Id, Password, PasswordTwice, Text, read
from authority.web.console.frame import done, page, see_other, shown_again
from authority.web.console.visiting import product_name, unit

pages = Blueprint("my_license", __name__)

USUAL_DAYS = 14
Days = Annotated[int, Field(ge=1, le=36_500)]


class Steps(Form):
    product: Text | None = None
    days: Days | None = None


class Taking(Form):
    request: str = Field("", max_length=8192)
    days: Days | None = None
    agreed: bool = False


class Wanted(Form):
    borrow: Id | None = None


class NewPassword(PasswordTwice):
    old_password: Password = ""


class EndedSignIns(Form):
    id: Id | None = None
    keep_current: bool = False


class SignInsPage(Form):
    cursor: Id | None = None


def _me() -> MeShown:
    work = unit()
    return MeShown.of(me.show(work), work.now)


@pages.get("/my-license")
def index() -> Response:
    """Each product with its levels and extensions, where it is offline and in use, and what to do about it."""
    return page("my_license.html", me=_me())


@pages.get("/my-license/file")
def file() -> Response:
    """The borrow file again, of the borrow that is named."""
    wanted = read(Wanted, request.args).borrow
    if wanted is None:
        return see_other(url_for("console.my_license.index"))
    work = unit()
    data, item = borrow.newest_file(work, wanted), borrow.show(work, wanted)
    return carried(data, item.member, item.product, ending="borrow")


@pages.get("/my-license/take-offline")
def take() -> Response:
    """The three steps, with the commands to type for the product and the days that are chosen."""
    return _steps(read(Steps, request.args))


def _steps(wanted: Steps) -> Response:
    products = [product for product in _me().products if product.offline_allowed and product.borrow is None]
    product = next((item for item in products if wanted.product in (None, item.id)), None)
    if product is None and wanted.product is not None:
        raise NotFound(
            f'there is no product "{wanted.product}" that you can take offline now',
            hint=f"You can take {', '.join(item.id for item in products) or 'none'}; the page My license says why others not.",
        )
    days = wanted.days or (product.default_days if product else None) or USUAL_DAYS
    return page("my_license_take.html", choices=[(item.id, item.name) for item in products], product=product, days=days)


def _taken_again() -> Response:
    """What is wrong is said where the days are chosen, or without a request where it is given in."""
    text = request.form.get("request", "")
    return _look(text, None) if text and not request.files.get("file") else _steps(Steps())


@pages.post("/my-license/take-offline")
@shown_again(_taken_again)
def take_offline() -> Response:
    """Looks at the request file first, and then takes the license offline as it was agreed to."""
    form = read(Taking)
    if form.request and form.agreed:
        work = unit()
        issued = borrow.issue(work, form.request, days=form.days)
        item = issued.borrow
        text = f"{product_name(item.product)} is yours offline until {utc(item.expires_at)}. Carry the borrow file to {name_of(item.machine)}, and type there: carnet install FILE"
        download = url_for("console.my_license.file", borrow=item.id)
        return done(url_for("console.my_license.index"), text, [("Download the borrow file", download)])
    return _look(form.request, form.days)


def _look(text: str, days: int | None) -> Response:
    work = unit()
    outcome = exchange.look_again(work, text, days) if text else exchange.look(work, [_uploaded()], days=days)[0]
    shown = FileShown.of(outcome, work.now)
    outcome.done()
    asked = None if shown.carried is None else shown.carried.request
    if asked is None:
        raise InvalidInput(
            f"this is no request, but a file of the kind {shown.kind}",
            hint="Choose the file that carnet request wrote.",
            about="file",
        )
    product = next((item for item in _me().products if item.id == asked.product), None)
    return page("my_license_look.html", file=shown, product=product, days=days)


def _uploaded() -> File:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise InvalidInput("no file was chosen", hint="Choose the file that the workstation wrote.", about="file")
    return sent.filename, sent.read()


@pages.get("/my-license/give-back")
def give() -> Response:
    """The steps of giving back, and where the receipt is given in."""
    mine = _me()
    return page("my_license_give.html", out=[item for item in mine.products if item.borrow is not None])


@pages.post("/my-license/give-back")
@shown_again(give)
def give_back() -> Response:
    """Takes the receipt of the workstation in; another file changes nothing."""
    work = unit(open_over_limit=True)
    ended = BorrowShown.of(exchange.give_back(work, _uploaded()[1]), work.now)
    publish_soon()
    text = f"{product_name(ended.product)} on {name_of(ended.machine)} is given back; its seat is free."
    return done(url_for("console.my_license.index"), text)


@pages.post("/my-license/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    """Ends one's own session."""
    ended = sessions.check_in(unit(open_over_limit=True), session_id)
    text = f"The session of {product_name(ended.product)} on {name_of(ended.machine)} is ended. Its seat is free at {utc(ended.seat_free_at)}, when the last grant has ended."
    return done(url_for("console.my_license.index"), text)


@pages.post("/my-license/download-permission")
def request_download() -> Response:
    """Asks for the permission to download."""
    me.request_download(unit())
    return done(
        url_for("console.my_license.index"), "You asked for the permission to download; an administrator grants or denies it."
    )


@pages.get("/my-license/sign-ins")
def sign_ins() -> Response:
    """Where one is signed in, and the form for another password."""
    rows, cursor = access.sign_ins_of(unit(), after=read(SignInsPage, request.args).cursor)
    return page("my_license_sign_ins.html", sign_ins=SignIns.of(rows, cursor))


@pages.post("/my-license/sign-ins/end")
@shown_again(sign_ins)
def end_sign_ins() -> Response:
    """Ends one sign-in, or all of them; of all, the one that asks stays if that is wanted."""
    form = read(EndedSignIns)
    ended = access.end_sign_ins(unit(), None, None if form.id is None else [form.id], keep_current=form.keep_current)
    if any(sign_in.is_current for sign_in in ended):
        return see_other(url_for("console.sign_in.index"))
    return done(
        url_for("console.my_license.sign_ins"), f"{counted(len(ended), 'sign-in')} ended. What is out offline stays good."
    )


@pages.post("/my-license/password")
@shown_again(sign_ins)
def change_password() -> Response:
    """Sets another password, for who types the one of now."""
    form = read(NewPassword)
    place = origin(cookies.sign_in_secret())
    result = me.change_password(unit(), form.old_password, form.new_password, place, revoke_keys=form.revoke_keys)
    keys = ", ".join(key.name for key in result.api_keys)
    text = f"Your password is changed, and {counted(result.ended_sign_ins, 'other sign-in')} ended."
    return done(url_for("console.my_license.sign_ins"), text + (f" These API keys of yours go on: {keys}." if keys else ""))
