"""Settings that are each right, and do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy.engine import make_url

from authority.domain.refusals import Refusal
from authority.signing.sample_keys import SAMPLE_KIDS
from authority.storage.db.database import sqlite_file
from authority.wiring.settings import Settings

ENCRYPTED = b"ENCRYPTED"
ALL_ONE_ADDRESS = (
    "public_url is https, which a proxy speaks, and trusted_proxies is empty: here everybody has the proxy's address, and waits for "
    "everybody's wrong passwords"
)


def check(settings: Settings) -> None:
    """Raises Refusal with everything that contradicts something else, and what to do about each."""
    pairs = list(_contradictions(settings))
    if pairs:
        raise Refusal("; ".join(sentence for sentence, _ in pairs), hint=" ".join(dict.fromkeys(hint for _, hint in pairs)))


def _contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each contradiction with what to do."""
    texts = _key_texts(settings.key_folder)
    plain = [str(path) for path, data in texts.items() if ENCRYPTED not in data]
    if settings.key_passphrase_file is not None and plain:
        yield (
            f"key_passphrase_file is set, and these keys are not encrypted: {', '.join(plain)}",
            "Encrypt them with that passphrase: openssl pkcs8 -topk8 -scrypt -in OLD.pem -out NEW.pem; or leave the setting out.",
        )
    if settings.demonstration and texts and not any(path.stem.partition("-")[2] in SAMPLE_KIDS for path in texts):
        yield (
            "demonstration is true, and no key here is a sample key: one that everybody has would be taken as well",
            "Set demonstration to false.",
        )
    database = make_url(settings.database_url)
    if sqlite_file(settings.database_url) is not None and not Path(str(database.database)).is_absolute():
        yield (
            f"database_url is relative to the folder in which a command runs, now {Path.cwd()}: elsewhere it is another database",
            "Write it with four slashes and the whole path: sqlite:////srv/carnet/authority.db.",
        )
    if settings.public_url is not None and settings.public_url.startswith("https:") and not settings.trusted_proxies:
        yield ALL_ONE_ADDRESS, 'Name where the proxy connects from: trusted_proxies = "127.0.0.1" where it is on this machine.'


def _key_texts(folder: Path) -> Mapping[Path, bytes]:
    """The key files of a folder that can be read; what is wrong with the others is told elsewhere."""
    texts = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            texts[path] = path.read_bytes()
        except OSError:
            continue
    return texts
