"""identity, alias, trust: this machine, and whom it trusts."""

from __future__ import annotations

import argparse

from verifier import sentences
from verifier.cli.output import UsageError, result, warn
from verifier.core.files import parse
from verifier.core.trust import SAMPLE_ROOTS, SAMPLE_SIGNED, TrustStore
from verifier.errors import Malformed
from verifier.workstation import identity
from verifier.workstation.alias import save_alias
from verifier.workstation.install import install
from verifier.workstation.places import read_input
from verifier.workstation.store import Store


def add_identity(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet identity`."""
    parser = commands.add_parser("identity", parents=[common], help="show machine id, OS user, alias and machine key")
    parser.set_defaults(run=show_identity)


def add_alias(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet alias`."""
    parser = commands.add_parser("alias", parents=[common], help="set the name by which people know this workstation")
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(run=set_alias)


def add_trust(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet trust`."""
    parser = commands.add_parser("trust", parents=[common], help="install or update the trust store")
    parser.add_argument("file", metavar="FILE", help="a trust file")
    parser.set_defaults(run=trust)


def show_identity(arguments: argparse.Namespace) -> int:
    """`carnet identity`: makes the machine key if there is none yet."""
    store = Store.open(arguments.home)
    system = identity.system()
    machine, user, key = system.machine(), system.user(), store.machine_key().public.kid
    alias = store.state().alias
    value = {
        "machine": {"id": machine.id, "source": machine.source, "secondary": machine.secondary, "alias": alias},
        "user": {"id": user.id, "name": user.name},
        "machine_key": key,
        "home": str(store.home),
        "notes": list(identity.notes(machine)),
    }
    lines = [
        f"machine      {machine.id}  (from {machine.source})",
        f"user         {user.id}  ({user.name})",
        f"alias        {alias or 'none; set one with: carnet alias NAME'}",
        f"machine key  {key}",
        f"state in     {store.home}",
    ]
    warn(arguments, identity.notes(machine))
    return result(arguments, value, lines)


def set_alias(arguments: argparse.Namespace) -> int:
    """`carnet alias NAME`: goes into the next request."""
    try:
        name = save_alias(Store.open(arguments.home), arguments.name)
    except Malformed as error:
        raise UsageError(error.message) from error
    return result(arguments, {"alias": name}, [f"this workstation is now known as {name}"])


def trust(arguments: argparse.Namespace) -> int:
    """`carnet trust FILE`."""
    data = read_input(arguments.file)
    parse(data, "trust")
    store, installed = TrustStore.read(data), sentences.installed(install(Store.open(arguments.home), data))
    value = {"installed": installed, "organization": store.organization, "roots": list(store.roots)}
    lines = [f"installed: {installed}", "compare the root key with what the administrator tells you by another way:"]
    if SAMPLE_ROOTS.intersection(store.roots):
        warn(arguments, (f"{SAMPLE_SIGNED}: applications refuse its licenses, but for demonstrations",))
    return result(arguments, value, lines + [f"  {kid}" for kid in store.roots])
