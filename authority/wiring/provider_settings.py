"""The tables `[oidc.NAME]` of `authority.toml`: providers by which members sign in, with everything that is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from authority.domain.members import Role
from authority.domain.oidc import Provider

# Every setting of a provider with what it means; the documentation is held to this table.
PROVIDER_SETTINGS = {
    "issuer": "the address of the provider, exactly as it names itself",
    "client_id": "what this authority is called there",
    "client_secret_file": "file with the secret of this authority there, readable by its owner alone",
    "label": "what stands on the button; default: the name of the table",
    "match": "the claim that is the user name here when somebody comes for the first time: preferred_username, email (only where "
    "the provider verified it) or another one; default: nobody new gets in",
    "make_members": "true: who is no member yet is made one, with the defaults of new members; default: false",
    "roles": "a table of groups there to roles here; then the role follows the groups at each sign-in",
    "groups_claim": "the claim with the groups; default: groups",
    "scopes": "what is asked for, with spaces between; default: openid profile email",
}
REQUIRED = ("issuer", "client_id", "client_secret_file")
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
OWN_MACHINE = ("127.0.0.1", "::1", "localhost")
LONGEST_SECRET_FILE = 4096


def is_address(text: object, *, path: bool) -> bool:
    """Whether a text is an https address without query; http is for this very machine alone."""
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in OWN_MACHINE)
    is_bare = not (parts.query or parts.fragment or parts.username or parts.password or "?" in text or "#" in text)
    return bool(host) and is_safe and is_bare and (path or parts.path == "")


def read(home: Path, tables: object) -> tuple[tuple[Provider, ...], list[str]]:
    """The providers of the setting `oidc`, and what is wrong with it; paths of files are taken from the home."""
    if not isinstance(tables, Mapping):
        return (), ['"oidc" must be tables in authority.toml, one for each provider: [oidc.NAME]']
    providers, wrong = [], []
    for name, values in tables.items():
        where = f"oidc.{name}"
        if not NAME.fullmatch(name):
            wrong.append(f'"{where}": a name has small letters, digits and hyphens')
        elif not isinstance(values, Mapping):
            wrong.append(f'"{where}" must be a table')
        else:
            problems = _problems(where, values)
            secret, problem = _secret(home, where, values.get("client_secret_file"))
            wrong += [*problems, *([problem] if problem else [])]
            if not problems and secret is not None:
                providers.append(_provider(name, values, secret))
    return tuple(providers), wrong


def _problems(where: str, values: Mapping[str, object]) -> list[str]:
    texts = [name for name in PROVIDER_SETTINGS if name not in ("make_members", "roles")]
    wrong = [f'there is no setting "{where}.{name}"' for name in sorted(values) if name not in PROVIDER_SETTINGS]
    wrong += [f'"{where}.{name}" is missing' for name in REQUIRED if name not in values]
    wrong += [
        f'"{where}.{name}" must be text'
        for name in texts
        if name in values and not (isinstance(values[name], str) and values[name])
    ]
    if isinstance(values.get("issuer"), str) and not is_address(values["issuer"], path=True):
        wrong.append(f'"{where}.issuer" must be an https address (http on this machine alone)')
    if not isinstance(values.get("make_members", False), bool):
        wrong.append(f'"{where}.make_members" must be true or false')
    if values.get("make_members") is True and "match" not in values:
        wrong.append(f'"{where}.make_members" needs "{where}.match", the claim that is the user name')
    roles = values.get("roles", {})
    if not isinstance(roles, Mapping):
        return [*wrong, f'"{where}.roles" must be a table of groups to roles']
    known = ", ".join(Role)
    wrong += [
        f'"{where}.roles" gives "{group}" no role that there is: {known}' for group in roles if roles[group] not in list(Role)
    ]
    if isinstance(scopes := values.get("scopes"), str) and "openid" not in scopes.split():
        wrong.append(f'"{where}.scopes" must have openid')
    return wrong


def _secret(home: Path, where: str, name: object) -> tuple[str | None, str | None]:
    """The secret of a file, or what is wrong; it is told nowhere."""
    if not isinstance(name, str) or not name:
        return None, None
    path = home / name
    try:
        if path.stat().st_mode & 0o077:
            return None, f'"{where}.client_secret_file": {path} is open to others: chmod 600'
        secret = path.read_bytes()[:LONGEST_SECRET_FILE].decode("utf-8-sig").strip()
    except OSError as error:
        return None, f'"{where}.client_secret_file": {path} cannot be read: {error.strerror}'
    except UnicodeDecodeError:
        return None, f'"{where}.client_secret_file": {path} is no text'
    if not secret or not secret.isprintable():
        return None, f'"{where}.client_secret_file": {path} has no secret in its one line'
    return secret, None


def _provider(name: str, values: Mapping[str, object], secret: str) -> Provider:
    roles = values.get("roles")
    return Provider(
        name=name,
        label=str(values.get("label", name)),
        issuer=str(values["issuer"]),
        client_id=str(values["client_id"]),
        client_secret=secret,
        match=str(values["match"]) if "match" in values else None,
        make_members=values.get("make_members") is True,
        roles={str(group): Role(str(role)) for group, role in roles.items()} if isinstance(roles, Mapping) else {},
        groups_claim=str(values.get("groups_claim", "groups")),
        scopes=str(values.get("scopes", "openid profile email")),
    )
