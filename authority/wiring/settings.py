"""Settings: command line over environment over `authority.toml` in the home. Every wrong one is reported at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from platformdirs import user_data_path

from authority.domain.disk import NoHome, refusal_of
from authority.domain.oidc import Provider
from authority.domain.refusals import RequestInvalid, SettingsInvalid
from authority.domain.texts import NotText, text_of
from authority.signing import floors, issued_log
from authority.signing.inbox import read_plain
from authority.wiring import provider_settings
from authority.wiring.provider_settings import is_address

PREFIX = "CARNET_AUTHORITY_"
# Every setting with what it means; the documentation is held to this table.
SETTINGS = {
    "home": "folder with settings, keys and the SQLite database",
    "database_url": "SQLAlchemy URL; default: a SQLite file in the home",
    "key_passphrase_file": "file with the passphrase of the private keys; default: keys are protected by file permissions alone",
    "demonstration": "true to allow the published sample keys; default: false",
    "warn_days": "how many days before its end a borrow's holder is warned, at most half of its time; 0: never; default: 3; "
    "each new status list carries it",
    "containers": "false to lend nothing to containers, WSL and user namespaces, of which others may have copies; default: true",
    "trusted_proxies": "addresses and networks of the proxies before this server, with commas between, whose X-Forwarded-For and X-Forwarded-Proto are believed; "
    "default: none, a request comes from whoever is connected",
    "log_format": "text or json: what the server writes to stderr, mistakes alone or as JSON each request too; default: text",
    "metrics_networks": "addresses and networks from which GET /metrics needs no bearer token, with commas between, where no proxy is between; "
    "default: none, it needs one of a member who may read the log",
    "public_url": "the address at which browsers reach this server, like https://licenses.example.org; sign-in by a provider leads back there, "
    "and notices lead to its pages",
    "oidc": "providers of OpenID Connect, each a table [oidc.NAME] in authority.toml and nowhere else: docs/sign-in.md",
}
LOG_FORMATS = ("text", "json")
OF_NETWORKS = ("trusted_proxies", "metrics_networks")
# Those that are yes or no.
FLAGS: Mapping[str, bool] = {"demonstration": False, "containers": True}
USUAL_WARN_DAYS, MOST_WARN_DAYS = 3, 365


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one authority."""

    home: Path
    database_url: str
    key_passphrase_file: Path | None
    demonstration: bool
    warn_days: int = USUAL_WARN_DAYS
    containers: bool = True
    trusted_proxies: tuple[str, ...] = ()
    metrics_networks: tuple[str, ...] = ()
    log_format: str = "text"
    public_url: str | None = None
    providers: tuple[Provider, ...] = ()

    @property
    def key_folder(self) -> Path:
        """Where the private keys are."""
        return self.home / "keys"

    @property
    def trust_copy(self) -> Path:
        """Where the organization's trust file lies to be carried to workstations."""
        return self.home / "organization.trust"

    @property
    def root_folder(self) -> Path:
        """Where an organization that is its own vendor has its root key."""
        return self.home / "root"

    def is_own(self, path: Path) -> bool:
        """Whether a file at this path is, or would be, one that the authority lives on, and that no output may take the place of. Raises SettingsInvalid."""
        from authority.storage.db.database import sqlite_file

        place, home = path.parent.resolve() / path.name, self.home.resolve()
        own = [self.home / "authority.toml", self.home / floors.FILE, self.home / floors.LOCK]
        own += [] if self.key_passphrase_file is None else [self.key_passphrase_file]
        folders = ("keys", "root", issued_log.FOLDER)
        if place in {item.resolve() for item in own} or any(place.is_relative_to(home / folder) for folder in folders):
            return True
        database = sqlite_file(self.database_url)
        return database is not None and place in {Path(f"{database}{end}").resolve() for end in ("", "-wal", "-shm", ".queue")}


def load(environment: Mapping[str, str], home: str | None = None) -> Settings:
    """The settings in force. Raises SettingsInvalid with everything that is wrong; NoHome, NotPermitted or DiskFailed."""
    folder = Path(home or environment.get(f"{PREFIX}HOME") or _usual_home())
    values = _from_file(folder / "authority.toml") | _from_environment(environment)
    wrong = [f'there is no setting "{name}"' for name in sorted(values) if name not in SETTINGS]
    wrong += [
        f'"{name}" must be text'
        for name, value in sorted(values.items())
        if name in SETTINGS and name not in (*FLAGS, "warn_days", "oidc") and not isinstance(value, str)
    ]
    flags = {name: values.get(name, usual) for name, usual in FLAGS.items()}
    wrong += [f'"{name}" must be true or false' for name, value in flags.items() if value not in (True, False, "true", "false")]
    warn_days = _whole_number(values.get("warn_days", USUAL_WARN_DAYS))
    if warn_days is None:
        wrong.append(f'"warn_days" must be a whole number from 0 to {MOST_WARN_DAYS}')
    networks, wrong_networks = _networks_of(values)
    wrong += wrong_networks
    public_url = values.get("public_url")
    if isinstance(public_url, str) and not is_address(public_url, path=False):
        wrong.append('"public_url" must be an https address without a path (http on this machine alone)')
    log_format = values.get("log_format", "text")
    if isinstance(log_format, str) and log_format not in LOG_FORMATS:
        wrong.append(f'"log_format" must be {" or ".join(LOG_FORMATS)}')
    providers, wrong_providers = provider_settings.read(folder, values.get("oidc", {}))
    wrong += wrong_providers
    if providers and public_url is None:
        wrong.append('"public_url" is missing, which sign-in by a provider leads back to')
    if wrong:
        raise SettingsInvalid("; ".join(wrong))
    passphrase = values.get("key_passphrase_file")
    return Settings(
        home=folder,
        database_url=str(values.get("database_url") or f"sqlite:///{folder.absolute() / 'authority.db'}"),
        key_passphrase_file=Path(str(passphrase)) if passphrase else None,
        demonstration=flags["demonstration"] in (True, "true"),
        warn_days=warn_days or 0,
        containers=flags["containers"] in (True, "true"),
        trusted_proxies=networks["trusted_proxies"],
        metrics_networks=networks["metrics_networks"],
        log_format=str(log_format),
        public_url=str(public_url) if public_url is not None else None,
        providers=providers,
    )


def _networks_of(values: Mapping[str, object]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The addresses and networks of each setting that has some, and what is wrong with them."""
    networks: dict[str, tuple[str, ...]] = {}
    wrong: list[str] = []
    for name in OF_NETWORKS:
        networks[name], others = _networks(values.get(name, ""))
        wrong += [f'"{name}" has "{text}", which is no address and no network' for text in others]
    return networks, wrong


def _networks(value: object) -> tuple[tuple[str, ...], list[str]]:
    """The addresses and networks of a text, and what of it is none."""
    texts = [text.strip() for text in value.split(",") if text.strip()] if isinstance(value, str) else []
    networks, wrong = [], []
    for text in texts:
        try:
            networks.append(str(ip_network(text) if "/" in text else ip_address(text)))
        except ValueError:
            wrong.append(text)
    return tuple(networks), wrong


def _whole_number(value: object) -> int | None:
    """A number of days as a file or an environment has it, None when it is none."""
    text = str(value) if type(value) in (int, str) else ""
    days = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(10 * MOST_WARN_DAYS)) else -1
    return days if 0 <= days <= MOST_WARN_DAYS else None


def _usual_home() -> Path:
    try:
        return user_data_path("carnet-authority", appauthor=False)
    except RuntimeError as error:
        # HOME is not set, and the password database does not know this user.
        raise NoHome("no folder for the authority is known: this user has no home") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Everything that begins like one of our settings, so that a misspelled one is told."""
    names = {key.removeprefix(PREFIX).lower(): value for key, value in environment.items() if key.startswith(PREFIX)}
    return {name: value for name, value in names.items() if name != "home"}


def _from_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text_of(read_plain(path)))
    except FileNotFoundError:
        return {}
    except RequestInvalid as error:
        raise SettingsInvalid(error.message) from error
    except NotText as error:
        raise SettingsInvalid(f"{path} {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error}") from error
    except OSError as error:
        raise refusal_of(error, path, "read") from error


def from_process(home: str | None = None) -> Settings:
    """The settings of this process."""
    return load(os.environ, home)
