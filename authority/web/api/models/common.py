"""What many routes share: bodies, names and forms, pages and problems."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A body with exactly the members that are documented, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Refuses a body that is a JSON string, which the framework would read once more as JSON."""
        return cls.model_validate(json_data, **options)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters")
    return text


Text = Annotated[str, AfterValidator(_printable)]
# The forms of a signed request, for what comes without one.
ProductId = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$")]
Feature = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$")]
Label = Annotated[Text, Field(min_length=1, max_length=256)]


def _different(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("no repetition")
    return names


Features = Annotated[list[Feature], AfterValidator(_different), Field(max_length=64)]


class MachineShown(BaseModel):
    id: str
    alias: str | None
    source: str


class UserShown(BaseModel):
    id: str
    name: str


# The answer is a file, byte for byte as it is to be written down; docs/token-format.md has its form.
FILE: dict[str, Any] = {"description": "a file", "content": {"application/json": {"schema": {"type": "object"}}}}


class Problem(BaseModel):
    """RFC 9457, with a stable code and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    errors: list[dict[str, Any]]
    request_id: str
