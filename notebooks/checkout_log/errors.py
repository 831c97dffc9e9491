"""What is said when a log cannot be read or a question makes no sense: a stable code, a sentence, and what to do next."""

from __future__ import annotations

from typing import ClassVar


class LogError(Exception):
    """Root of all errors of this library."""

    code: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]. {self.hint}"


class SourceNotFound(LogError):
    """No file, folder or database is there under that name."""

    code = "source-not-found"


class SourceNotRecognized(LogError):
    """A file is none of the logs that are known."""

    code = "source-not-recognized"


class SourceUnreadable(LogError):
    """A file or database is there, but cannot be read."""

    code = "source-unreadable"


class CacheUnusable(LogError):
    """A folder cannot hold what was read."""

    code = "cache-unusable"


class NothingDated(LogError):
    """Logs have events, and nobody can say of which day any of them is."""

    code = "nothing-dated"


class NothingLeft(LogError):
    """Of what the logs hold nothing is left by what was asked for."""

    code = "nothing-left"


class ColumnsWrong(LogError):
    """A table lacks columns, has others, or holds values that its contract forbids."""

    code = "columns-wrong"


class QuestionInvalid(LogError):
    """An argument of a measure makes no sense."""

    code = "question-invalid"
