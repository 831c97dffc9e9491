"""What a form or the query of an address says, read into a model; every text is one that can be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, get_origin

from flask import g, has_request_context, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from werkzeug.datastructures import MultiDict

from authority.domain.names import spelled
from authority.domain.refusals import InvalidInput
from authority.web.problems import InvalidValues

LONGEST_TEXT = 256
# Ids are 128 random bits.
ID = re.compile(r"[A-Za-z0-9_-]{22}")
Model = TypeVar("Model", bound="Form")


def _shown(text: str) -> str:
    try:
        return spelled("the text", text, LONGEST_TEXT)
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _id(text: str) -> str:
    if ID.fullmatch(text) is None:
        raise ValueError("It is no id: those have 22 letters, digits, hyphens and underscores")
    return text


# A pattern would be told in the words of the program; these say what is allowed.
Id = Annotated[str, AfterValidator(_id)]
Text = Annotated[str, AfterValidator(_shown)]
Password = Annotated[str, Field(max_length=256)]
Version = Annotated[str, Field(max_length=256)]


class Form(BaseModel):
    """The fields of a form. What is left empty has its default; a box that is not ticked is not sent, and is False."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Changed(Form):
    version: Version | None = None

    def expected(self) -> list[str] | None:
        """The version that was seen when the form was opened, None when nothing was."""
        return None if self.version is None else [self.version]


class PasswordTwice(Form):
    """A new password, typed twice so that a slip is seen, and whether API keys end with the sign-ins."""

    new_password: Password = ""
    new_password_again: Password = ""
    revoke_keys: bool = False

    @field_validator("new_password_again")
    @classmethod
    def _is_same(cls, again: str, info: ValidationInfo) -> str:
        if again != info.data.get("new_password"):
            raise ValueError("The new password was typed in two ways")
        return again


def read(model: type[Model], values: MultiDict[str, str] | None = None) -> Model:
    """The form that was sent, or the `values` of a query. Raises InvalidValues, which names the fields.

    Raises InvalidInput for a query with another name than those of the model: a filter that is misspelt would let everything through.
    """
    sent = request.form if values is None else values
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if get_origin(field.annotation) in (list, tuple):
            fields[key] = [value for value in sent.getlist(key) if value]
        elif sent.get(key, "") != "":
            fields[key] = sent[key]
    if has_request_context() and sent is request.args:
        check_query([field.alias or name for name, field in model.model_fields.items()])
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise InvalidValues(error) from error


def check_query(names: Sequence[str]) -> None:
    """Raises InvalidInput for a parameter in the address of this page that has none of these names."""
    g.is_query_checked = True
    for name in request.args:
        if name not in names:
            known = f"It knows {', '.join(names)}." if names else "It takes none: open it from the menu."
            raise InvalidInput(
                f'this page has no parameter "{name[:LONGEST_TEXT]}", and shows nothing in its place', hint=known
            )


def as_typed(model: type[Form], values: MultiDict[str, str]) -> dict[str, str]:
    """The texts of a query by the names of a form's fields, "" for one that is not there: what a form of filters shows again."""
    return {name: values.get(name, "") for name in model.model_fields}
