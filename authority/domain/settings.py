"""Settings that administrators change while the server runs: whole numbers by name, each within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from authority.domain import versions
from authority.domain.refusals import InvalidInput


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one subject. What a class adds as fields are they, each with what it is at first."""

    # What they are about, which is also the name under which they are kept; and the least and the most of each.
    subject: ClassVar[str]
    bounds: ClassVar[Mapping[str, tuple[int, int]]]

    @property
    def version(self) -> str:
        """The version of all of them."""
        return versions.of(asdict(self))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The settings kept under these names; what is left out is as at first. Raises InvalidInput."""
        for name, value in values.items():
            if name not in cls.bounds:
                raise InvalidInput(f'{cls.subject} have no setting "{name}", they have {", ".join(cls.bounds)}')
            least, most = cls.bounds[name]
            if type(value) is not int or not least <= value <= most:
                raise InvalidInput(f'the setting "{name}" of {cls.subject} is a whole number from {least} to {most}')
        return cls(**values)
