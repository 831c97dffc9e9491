"""New members: adding one, and what each gets when nobody says otherwise."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response, url_for
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from authority.domain.members import Role
from authority.presentation import sheets
from authority.presentation.members import DefaultsShown
from authority.services import defaults, members
from authority.services.defaults import Defaults
from authority.services.members import NewMember
from authority.web.console.forms import Form, Password, Text, read
from authority.web.console.frame import done, page, shown_again
from authority.web.console.member_forms import ROLES, Email, FullName, Groups, UserName
from authority.web.console.visiting import unit

pages = Blueprint("member_new", __name__)

MOST_ADD_ONS = 256


class Addition(Form):
    username: UserName
    full_name: FullName = ""
    email: Email = ""
    user_type: Text | None = None
    role: Role | None = None
    # What is left empty has the default; the form of who is to have none says so.
    groups: Groups = ()
    no_groups: bool = False
    vendor_access: Literal["true", "false"] | None = None
    password: Password = ""
    password_again: Password = Field("", validate_default=True)

    @field_validator("password_again")
    @classmethod
    def _is_same(cls, again: str, info: ValidationInfo) -> str:
        if again != info.data.get("password", ""):
            raise ValueError("The password was typed in two ways")
        return again

    def member(self) -> NewMember:
        """The member to be added."""
        return NewMember(
            self.username,
            self.full_name,
            self.user_type,
            self.role,
            self.groups if self.groups or self.no_groups else None,
            self.password or None,
            None if self.vendor_access is None else self.vendor_access == "true",
            self.email,
        )


def _add_on(text: str) -> str:
    if not all(text.partition("=")):
        raise ValueError("It is a product and one of its levels with = between")
    return text


class DefaultsForm(Form):
    version: str = Field("", max_length=128)
    user_type: Text
    role: Role
    groups: Groups = ()
    add_ons: list[Annotated[Text, AfterValidator(_add_on)]] = Field(default_factory=list, max_length=MOST_ADD_ONS)
    vendor_access: bool = False

    def wanted(self) -> Defaults:
        """The defaults from now on."""
        pairs = (item.partition("=") for item in self.add_ons)
        add_ons = tuple((product, level) for product, _, level in pairs)
        return Defaults(self.user_type, self.role, self.groups, add_ons, self.vendor_access)


@pages.get("/members/add")
def add_form() -> Response:
    """The form for one new member, with what they get unless something else is chosen."""
    work = unit()
    usual = DefaultsShown.of(defaults.show(work))
    return page("member_add.html", usual=usual, types=list(work.authorization.user_types), roles=ROLES)


@pages.post("/members/add")
@shown_again(add_form)
def add() -> Response:
    """Adds a member; what the user type includes, and the default add-ons, are assigned at once."""
    added = members.add(unit(), read(Addition).member())
    then = [("Add another", url_for(".add_form")), ("All members", url_for("console.members.index"))]
    return done(url_for("console.member.index", username=added.username), f"{added.username} is a member now.", then)


@pages.get("/members/defaults")
def defaults_form() -> Response:
    """What new members get, to be changed."""
    work = unit()
    usual = DefaultsShown.of(defaults.show(work))
    return page(
        "member_defaults.html",
        usual=usual,
        groups=sheets.joined(usual.groups),
        types=sorted({usual.user_type, *work.authorization.user_types}),
        roles=ROLES,
        named=[product for product in work.authorization.products.values() if not product.is_concurrent],
    )


@pages.post("/members/defaults")
@shown_again(defaults_form)
def set_defaults() -> Response:
    """Sets all of the defaults, unless another administrator changed them since the form was made."""
    form, work = read(DefaultsForm), unit()
    work.expected = [form.version]
    defaults.put(work, form.wanted())
    then = [("Add a member", url_for(".add_form"))]
    return done(url_for(".defaults_form"), "New members get this from now on. Those who are there stay as they are.", then)
