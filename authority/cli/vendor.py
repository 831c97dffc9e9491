"""root: the vendor's side, on its own machine. No authority is opened."""

from __future__ import annotations

import json
from pathlib import Path

import click

from authority.cli.files import check_output, read_input, write_output
from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import show
from authority.domain.refusals import RequestInvalid, SpecificationInvalid
from authority.presentation.shown import rfc3339
from authority.signing import keyring
from authority.signing.vendor import root_folder
from authority.signing.vendor.root_folder import Made
from authority.wiring.app import system_clock


@click.group(cls=Group, name="root")
def root_group() -> None:
    """The vendor's side: a root key, what takes its place, and authorizations made with it."""


_PASSPHRASE = click.option(
    "--passphrase-file", metavar="FILE", help="File with the passphrase of the root key, which only its owner can read."
)


@root_group.command("init")
@click.argument("folder", metavar="DIR")
@_PASSPHRASE
@pass_frame
def init_root(frame: Frame, folder: str, passphrase_file: str | None) -> None:
    """Make the root key of a vendor in a folder that has none."""
    passphrase = _passphrase(passphrase_file)
    wanted = Path(folder).absolute()
    nearest = next(path for path in (wanted, *wanted.parents) if path.exists())
    if not nearest.is_dir():
        raise click.UsageError(f"{folder} can be no folder: {nearest} is a file")
    signer = root_folder.make(wanted, passphrase)
    kid = signer.public.kid
    path = Path(folder) / f"root-{kid}.pem"
    lines = [f"root key   {kid}", f"wrote {path}; keep it, and copies of it, off every network"]
    if passphrase is None:
        lines.append("it is not encrypted: file permissions alone protect it (--passphrase-file)")
    show(frame, {"folder": folder, "file": str(path), "root_thumbprint": kid, "encrypted": passphrase is not None}, lines)


@root_group.command("authorize")
@click.argument("folder", metavar="DIR")
@click.option("--spec", required=True, metavar="SPEC.toml", help="What the organization may give.")
@click.option("--keys", required=True, metavar="KEYS.json", help="The authority's public keys: key list --public.")
@click.option("-o", "--output", metavar="FILE", help="The authorization file to write.")
@click.option("--trust-file", metavar="FILE", help="Default: beside the authorization file, with the suffix .trust.")
@click.option("--dry-run", is_flag=True, help="Print what would be signed, and write nothing.")
@_PASSPHRASE
@pass_frame
def authorize(
    frame: Frame,
    folder: str,
    spec: str,
    keys: str,
    output: str | None,
    trust_file: str | None,
    dry_run: bool,
    passphrase_file: str | None,
) -> None:
    """Sign an authorization for a specification and an authority's public keys."""
    paths = None if dry_run else _outputs(output, trust_file)
    wanted, public_keys = _read(spec), _read(keys)
    signer = root_folder.load(Path(folder), _passphrase(passphrase_file))
    made = root_folder.authorize(signer, Path(folder), wanted, public_keys, system_clock(), record=not dry_run)
    value = {
        "organization": made.authorization.organization,
        "seq": made.authorization.seq,
        "ends_at": rfc3339(made.authorization.ends_at),
        "root_thumbprint": made.root,
    }
    if paths is None:
        lines = [_line(made), *json.dumps(made.claims, indent=2, ensure_ascii=False).splitlines(), "nothing was written"]
        show(frame, value | {"claims": made.claims}, lines)
        return
    write_output(paths[0], made.file)
    write_output(paths[1], made.trust_file)
    lines = [
        _line(made),
        f"wrote {paths[0]} and {paths[1]}; send both to the organization",
        f"root key   {made.root}; tell it by another way, to be compared",
    ]
    show(frame, value | {"file": paths[0], "trust_file": paths[1]}, lines)


@root_group.command("rotate")
@click.argument("folder", metavar="DIR")
@click.option("-o", "--output", required=True, metavar="FILE", help="The trust update to write, for every organization.")
@click.option("--again", is_flag=True, help="Replace nothing: write the file of earlier replacements once more.")
@_PASSPHRASE
@pass_frame
def rotate(frame: Frame, folder: str, output: str, again: bool, passphrase_file: str | None) -> None:
    """Replace the root key by a new one, and write the trust update that both sign.

    Authorizations that were issued from the folder and have not ended stay good, and nothing else that the former key signed does.
    """
    check_output(output)
    passphrase = _passphrase(passphrase_file)
    if again:
        file = root_folder.trust_updates(Path(folder), passphrase)
        if file is None:
            raise click.UsageError(f"the root key of {folder} was never replaced: leave out --again")
        write_output(output, file)
        show(frame, {"folder": folder, "file": output}, [f"wrote {output}; nothing was replaced"])
        return
    rotated = root_folder.rotate(Path(folder), passphrase, system_clock())
    write_output(output, rotated.file)
    value = {
        "folder": folder,
        "file": output,
        "seq": rotated.seq,
        "root_thumbprint": rotated.root,
        "former_root_thumbprint": rotated.former,
    }
    lines = [
        f"root key   {rotated.root}; wrote {Path(folder) / rotated.path.name}",
        f"           {rotated.former} before, which signs nothing any more: destroy root-{rotated.former}.pem and its copies",
        f"wrote {output}; send it to every organization, with a new authorization: carnet-authority root authorize",
        "tell the new thumbprint by another way, to be compared, and to those whose applications name the root keys they trust",
    ]
    show(frame, value, lines)


def _line(made: Made) -> str:
    signed = made.authorization
    begins, ends = rfc3339(signed.begins_at), rfc3339(signed.ends_at)
    return f"{signed.organization_name} ({signed.organization}), seq {signed.seq}, from {begins} until {ends}"


def _outputs(output: str | None, trust_file: str | None) -> tuple[str, str]:
    """Where to write both files. Wrong usage when they cannot be written, said before a number is used up."""
    if output is None:
        raise click.UsageError("say where to write the authorization: -o FILE")
    beside = str(Path(output).with_suffix(".trust")) if trust_file is None else trust_file
    if Path(beside).absolute() == Path(output).absolute():
        raise click.UsageError("the authorization and the trust file need different names: --trust-file FILE")
    check_output(output)
    check_output(beside)
    return output, beside


def _passphrase(name: str | None) -> bytes | None:
    return keyring.read_passphrase(None if name is None else Path(name))


def _read(name: str) -> bytes:
    """The bytes of a file. Raises SpecificationInvalid for what is no regular file."""
    try:
        return read_input(name)
    except RequestInvalid as error:
        raise SpecificationInvalid(error.message) from error
