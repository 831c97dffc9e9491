"""Refusals for who runs the authority: its keys, its authorization, its settings, its database and its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from authority.domain.refusals.refusal import Refusal


@dataclass(eq=False, repr=False, kw_only=True)
class LastKey(Refusal):
    """Without this key of the authority none would be left that signs."""

    code = "last-key"
    default_hint = "Make another key first, and have the vendor authorize it."

    kid: str


@dataclass(eq=False, repr=False, kw_only=True)
class AuthorizationUnusable(Refusal):
    """The authorization or trust file does not verify or cannot be used here."""

    code = "authorization-unusable"
    default_hint = "Ask the vendor for a new authorization file."

    # The verifier's code for what is wrong.
    cause: str | None = None
    roots: list[str] | None = None
    seq: int | None = None
    in_force: int | None = None
    path: str | None = None
    kid: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class SpecificationInvalid(Refusal):
    """The vendor's specification, or the file with the public keys to authorize, is wrong."""

    code = "specification-invalid"
    default_hint = "Correct what is named; docs/vendor.md has a complete specification."

    problems: list[str] | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class KeyUnusable(Refusal):
    """A private key is missing, open to others, not decrypted or not authorized now."""

    code = "key-unusable"
    default_hint = "carnet-authority doctor says what is wrong with the keys."

    path: str | None = None
    kid: str | None = None


class ClockInDoubt(Refusal):
    """The clock of the server shows a time that cannot be."""

    code = "clock-in-doubt"
    default_hint = "Whoever runs the server sets its clock right; then try again."


class NotSetUp(Refusal):
    """The home has no authority, or its tables are of another version."""

    code = "not-set-up"
    default_hint = "Run: carnet-authority init --org NAME"
    no_home_hint: ClassVar[str] = (
        "Name the home that there is (--home DIR, or CARNET_AUTHORITY_HOME), or make one: carnet-authority init --org NAME"
    )
    # For a home that is there: `init` makes no second authority in it.
    empty_database_hint: ClassVar[str] = (
        "Name the database that this home was set up with (database_url), or put it back from a backup: docs/operations.md, "
        "When the database is gone."
    )


class SettingsInvalid(Refusal):
    """A setting is wrong."""

    code = "settings-invalid"
    default_hint = "docs/settings.md describes every setting."


@dataclass(eq=False, repr=False, kw_only=True)
class DemonstrationOnly(Refusal):
    """The published sample keys are used in earnest."""

    code = "demonstration-only"
    default_hint = "Run carnet-authority init to get keys of your own, or allow them to look around: demonstration = true in authority.toml."

    path: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class SigningFailed(Refusal):
    """The verifier would not take what was just signed."""

    code = "signing-failed"
    default_hint = "Nothing was lost: send the same request again, and tell the administrator."

    # The verifier's code for what is wrong.
    cause: str


class CheckpointUnusable(Refusal):
    """A text is no checkpoint of the log's seal, or the file of a sealed log cannot be read."""

    code = "checkpoint-unusable"
    default_hint = "Take the file as the authority wrote it, unchanged."


class LogNotIntact(Refusal):
    """The log is not what was sealed, and what would be done would hide it."""

    code = "log-not-intact"
    default_hint = "carnet-authority log verify says what is wrong; what to do: docs/operations.md, The seal of the log."


class BackupUnusable(Refusal):
    """The file is no backup, was cut or changed, or is of another organization or a newer program."""

    code = "backup-unusable"
    default_hint = "Nothing was changed. Take another backup, or another copy of this one."


class StorageUnavailable(Refusal):
    """The database did not answer in time or is not reachable."""

    code = "storage-unavailable"
    default_hint = "Nothing was changed: try again in a moment."


class DatabaseLost(StorageUnavailable):
    """The file of the database is not there, or another one took its place."""

    code = "database-lost"
    default_hint = (
        "The administrator stops the server, puts the database back where it was, from the last backup if need be, "
        "and starts the server again: docs/operations.md, When the database is gone."
    )
    # Where this process never had it open, its name may be all that is wrong.
    never_opened_hint: ClassVar[str] = (
        "Is its path right? It is the setting database_url, or the file authority.db in the home. If it is, put the database back "
        "there, from the last backup if need be: docs/operations.md, When the database is gone."
    )


class DatabaseBehind(StorageUnavailable):
    """The database does not know of what went out: an older copy of it was put back, or a replica that lagged took over."""

    code = "database-behind"
    default_hint = (
        "Nothing was signed. Take in what is missing: carnet-authority catch-up; with --dry-run it shows what that is. "
        "See docs/operations.md, A database that is behind."
    )
