"""A vendor on a machine of its own: a folder with a root key, specifications, and what it signs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from authority.domain.members import CONSOLE
from authority.services import keys
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.signing.keyring import FileSigner
from authority.signing.vendor import authorizing, root_folder
from authority.signing.vendor.root_folder import Made
from tools.documentation import DOCS
from verifier.core import files


def documented_specification() -> str:
    """The complete example in the documentation."""
    text = (DOCS / "vendor.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(example)


def sample_toml(change: Callable[[dict[str, Any]], None] = lambda _: None, **more: object) -> bytes:
    """The sample specification as TOML, with `more` members and after `change` of them; None leaves one out."""
    members = authorizing.sample_specification("field-survey", "Field Survey", "maker") | {"exp": "2099-01-01"} | more
    change(members)
    return "\n".join(f"{name} = {_toml(value)}" for name, value in members.items() if value is not None).encode()


def _toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = [f"{json.dumps(name)} = {_toml(item)}" for name, item in value.items() if item is not None]
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


@dataclass
class RealVendor:
    """A vendor's folder with its root key."""

    folder: Path
    root: FileSigner

    @classmethod
    def make(cls, folder: Path) -> RealVendor:
        return cls(folder, root_folder.make(folder, None))

    @property
    def thumbprint(self) -> str:
        return self.root.public.kid

    def authorize(self, authority: Authority, specification: bytes, now: datetime | None = None) -> Made:
        """What the vendor makes of a specification and this authority's public keys."""
        public_keys = json.dumps(keys.public(Unit(authority, CONSOLE))).encode()
        return root_folder.authorize(self.root, self.folder, specification, public_keys, now or authority.now())


def authorization_file(compact: str) -> bytes:
    """The file of an authorization."""
    return files.render("authorization", {"authorization": compact})
