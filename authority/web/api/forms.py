"""What many routes take in one form: bodies, queries, names; and the documented forms of files and problems."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from flask import Response, after_this_request, request
from flask_openapi3.models.data_type import DataType
from flask_openapi3.models.media_type import MediaType
from flask_openapi3.models.schema import Schema
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from authority.domain.members import username_form
from authority.domain.names import spelled
from authority.domain.refusals import InvalidInput
from authority.presentation.shown import with_escapes

LONGEST_TEXT = 256
# The other form in which a list is answered, for the documentation.
ALSO_CSV: Any = {"openapi_extra": {"content": {"text/csv": MediaType(schema=Schema(type=DataType.STRING))}}}
ListFormat = Literal["json", "csv"]


RFC3339 = re.compile(r"\A\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})\Z")


def _moment(text: object) -> object:
    """Raises ValueError for what is no RFC 3339: a number would be taken for seconds since 1970."""
    if isinstance(text, str) and RFC3339.match(text) is None:
        raise ValueError("a time like 2026-03-01T00:00:00Z")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class Body(BaseModel):
    """A body with exactly the members that are documented, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Refuses a body that is a JSON string, which the framework would read once more as JSON."""
        return cls.model_validate(json_data, **options)


class Query(BaseModel):
    """A query with no parameter but the documented ones."""

    model_config = ConfigDict(extra="forbid")


class DryRunQuery(Query):
    """A query of a route that changes something."""

    dry_run: bool = Field(False, description="true: make every check, say what would be, and change nothing")


class Several(Body):
    """A body that names several things."""

    one_by_one: bool = Field(
        False, description="true: do what can be done, and say of each what became of it; false: all or none"
    )
    dry_run: bool = Field(False, description="true: make every check, say what would be, and change nothing")


class PageQuery(Query):
    """A query whose answer comes in pages."""

    limit: int = Field(100, ge=1, le=1000)


def _one_spelling(text: str) -> str:
    return _valid(lambda: spelled("the text", text, LONGEST_TEXT))


def _shown(text: str) -> str:
    _valid(lambda: spelled("the text", text))
    return text


def _user_name(text: str) -> str:
    return _valid(lambda: username_form(text))


def _valid(read: Callable[[], str]) -> str:
    """What is read, with a refusal as pydantic wants it."""
    try:
        return read()
    except InvalidInput as error:
        raise ValueError(with_escapes(error.message)) from error


def different(names: list[str]) -> list[str]:
    """The names. Raises ValueError when one stands there twice."""
    if len(set(names)) != len(names):
        raise ValueError("no repetition")
    return names


Text = Annotated[str, AfterValidator(_one_spelling)]
Name = Annotated[Text, Field(max_length=128)]
# Kept as it was typed, for a rule that says in its own words what is wrong with it.
Typed = Annotated[str, AfterValidator(_shown), Field(max_length=128)]
UserName = Annotated[str, AfterValidator(_user_name), Field(max_length=128)]
Password = Annotated[str, Field(max_length=256)]
GroupName = Annotated[Name, Field(min_length=1)]
UserTypeName = Annotated[Text, Field(min_length=1, max_length=64)]
# The forms of a signed request, for what comes without one.
ProductId = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$")]
Feature = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$")]
Features = Annotated[list[Feature], AfterValidator(different), Field(max_length=64)]
# Far more than anybody ticks in a list, and an end for what one transaction does.
MOST_AT_ONCE = 1000
# Ids are 128 random bits; pages that follow a name have it in their cursor.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
IdCursor = Annotated[Id, Field(description="`next` of the page before")]
Ids = Annotated[list[Id], AfterValidator(different), Field(min_length=1, max_length=MOST_AT_ONCE)]
NameCursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,1024}$", description="`next` of the page before")]


def wants_csv(form: ListFormat | None) -> bool:
    """Whether a list is wanted as CSV: the parameter says so, or without it the header Accept."""
    if form is not None:
        return form == "csv"

    @after_this_request
    def varies(response: Response) -> Response:
        response.vary.add("Accept")
        return response

    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"


class MemberPath(BaseModel):
    """The path of what belongs to a member."""

    username: UserName = Field(description="percent-encoded where it has more than letters, digits and . _ @ -")


def file_answer(kind: str, **members: dict[str, Any]) -> dict[str, Any]:
    """The description of an answer that is a carried file, byte for byte as it is to be written down; docs/token-format.md has it."""
    properties = {"carnet": {"type": "string", "const": kind}, "version": {"type": "integer", "const": 1}, **members}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"description": f"a file of the kind {kind}", "content": {"application/json": {"schema": schema}}}


COMPACT: dict[str, Any] = {"type": "string", "description": "a compact JWS"}


class ProblemItem(BaseModel):
    """One thing that the problem is about: what was sent wrongly, or a value of the sentence."""

    name: str
    message: str | None
    value: Any


class Problem(BaseModel):
    """RFC 9457, with a stable code and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    errors: list[ProblemItem]
    request_id: str
