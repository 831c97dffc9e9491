"""What the window can do: each is one function of the verifier, and answers with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from verifier import sentences
from verifier.errors import CarnetError, NotChecked
from verifier.window import words
from verifier.workstation import alias, carry, install, intake
from verifier.workstation.carry import Wish
from verifier.workstation.check import licenses
from verifier.workstation.clock_reset import code_here
from verifier.workstation.intake import Carried
from verifier.workstation.overview import Overview, overview
from verifier.workstation.places import WrongPlace, check_output, path_of, write_output
from verifier.workstation.store import Store


class Choice(NamedTuple):
    """A product that may be taken offline, as far as is known here."""

    product: str
    name: str
    levels: tuple[str, ...]
    extensions: tuple[str, ...]
    longest_days: int


def look(store: Store) -> Overview | CarnetError:
    """What there is to see, or why nothing can be seen."""
    try:
        return overview(store)
    except NotChecked as error:
        return error


def alias_of(store: Store) -> str:
    """The alias, empty where there is none or it cannot be read."""
    try:
        return store.state().alias or ""
    except CarnetError:
        return ""


def reset_code(store: Store) -> str | None:
    """The code for a reset of this machine's clock; None where there is none, or it cannot be read."""
    try:
        return code_here(store)
    except CarnetError:
        return None


def choices(store: Store) -> list[Choice]:
    """The products of the newest authorization that is here, in order of their names; none where no file brought one yet."""
    try:
        trust = store.trust()
        known = [store.newest_authorization(trust), *(item.evidence.newest for item in licenses(store) if item.evidence)]
    except CarnetError:
        return []
    newest = max((item for item in known if item is not None), key=lambda item: item.seq, default=None)
    if newest is None:
        return []
    items = [
        Choice(product.id, product.name, product.levels, tuple(product.extensions), newest.max_borrow_days)
        for product in newest.products.values()
    ]
    return sorted(items, key=lambda item: item.name)


def set_alias(store: Store, text: str) -> str:
    """Keeps the alias. Raises Malformed for one that nobody could read."""
    return f"This workstation is now known as {alias.save_alias(store, text)}."


def save_request(store: Store, wish: Wish, name: str) -> str:
    """Writes the request file. Raises WrongPlace, CarnetError."""
    check_output(name)
    write_output(name, carry.request(store, wish))
    return f"Wrote {name}. Carry it to the administrator, and install the file that comes back."


def take_in(store: Store, names: list[str]) -> list[str]:
    """Installs files, or what is in folders; a sentence for each thing that was done, refused or is still needed.

    Of several names one that cannot be read hinders no other. Raises WrongPlace or CarnetError where it is the only one.
    """
    carried, lines = [], []
    for name in names:
        try:
            files, others = _read(name)
        except (CarnetError, WrongPlace) as error:
            if len(names) == 1:
                raise
            files, others = [intake.unreadable(name, error)], []
        carried += files
        lines += others
    taking = intake.take_in(store, carried)
    outcomes = [f"Installed: {sentences.installed(item.installed)}." for item in taking.taken]
    outcomes += [f"Not installed, {Path(item.name).name}: {words.refusal(item.error)}" for item in taking.refused]
    needs = [f"Still needed: {words.plain(sentences.needed(need))}." for need in taking.needs if need.error is None]
    return outcomes + lines + needs


def _read(name: str) -> tuple[list[Carried], list[str]]:
    """A file, or those in a folder, and sentences on what was left alone there. Raises WrongPlace, CarnetError."""
    path = path_of(name)
    if not path.is_dir():
        return [intake.read_named(name)], []
    files, others = intake.look_into(path)
    lines = [f"{line[:1].upper()}{line[1:]}." for line in sentences.passed_over(others)]
    return files, lines + ([] if files else [f"{name} has no file to install."])


def give_back(store: Store, product: str, name: str) -> str:
    """Gives a license back and writes its receipt. Raises WrongPlace, CarnetError; after a full disk it may be done again."""
    check_output(name)
    receipt = install.give_up(store, product)
    write_output(name, receipt, "; the license is given back here already: save the receipt again in another place")
    return f"{product} no longer works here. Wrote {name}: carry it to the administrator, so that others can use the license."
