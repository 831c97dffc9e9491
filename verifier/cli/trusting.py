"""The options by which an application says whom it trusts: check and verify have them."""

from __future__ import annotations

import argparse
import os
from typing import Any

from verifier.cli.output import UsageError
from verifier.core.trust import SAMPLE_ROOTS, thumbprints


def add_trusted(parser: argparse.ArgumentParser) -> None:
    """Adds --root, --root-file, --organization and --demonstration."""
    parser.add_argument(
        "--root",
        metavar="THUMBPRINT",
        action="append",
        default=[],
        dest="roots",
        help="a root key of the vendor; may be given again; default: CARNET_ROOTS",
    )
    parser.add_argument("--root-file", metavar="FILE", help="a file beside the application with a thumbprint on each line")
    parser.add_argument("--organization", metavar="ID", help="the only organization whose licenses are good here")
    parser.add_argument("--demonstration", action="store_true", help="take the published sample key as well")


def trusted(arguments: argparse.Namespace) -> dict[str, Any]:
    """`roots` and `organization` as `verifier.check` and `verify` take them. Raises UsageError, Malformed, NoTrust."""
    roots = set(arguments.roots)
    if arguments.root_file is not None:
        from verifier.workstation.roots import read_roots

        roots |= set(read_roots(arguments.root_file))
    # The environment is the user's: it says whom to trust only where the application does not.
    roots = roots or set(os.environ.get("CARNET_ROOTS", "").replace(",", " ").split())
    if arguments.demonstration:
        roots |= SAMPLE_ROOTS
    try:
        return {"roots": thumbprints(roots) if roots else None, "organization": arguments.organization}
    except ValueError as error:
        raise UsageError(f"{error}; carnet trust shows that of an organization") from error
