"""This very machine as a workstation: its own identity, a store in a folder of the test, and borrows made for it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import verifier
from tests.support.chains import START, Chain, at, make_chain
from verifier.core.grant import Grant, Workstation
from verifier.workstation import identity, install, second_copy
from verifier.workstation.installed import Installed
from verifier.workstation.store import Store


@dataclass
class RealWorkstation:
    """A store and the chain whose borrow is bound to this machine, this user and the store's machine key."""

    store: Store
    chain: Chain

    @property
    def home(self) -> Path:
        return self.store.home

    def install(self, data: bytes, now: int = START) -> Installed:
        return install.install(self.store, data, at(now))

    def check(self, now: int = START, product: str = "arcgis-pro") -> Grant:
        """The Grant for an application that trusts the chain's root key alone."""
        return verifier.check(product, roots=[self.chain.root.kid], home=self.home, now=at(now))

    def give_up(self, now: int = START) -> bytes:
        return install.give_up(self.store, "arcgis-pro", at(now))

    def next_borrow(self, letter: str) -> None:
        """The chain's next borrow is a new one."""
        self.chain.borrow |= {"bid": letter * 22, "jti": letter.lower() * 22}

    def forget(self, *, first: bool = True, second: bool = True) -> None:
        """Removes the copies of the state: that in the folder, and that away from it."""
        if first:
            (self.home / "state.json").unlink()
        if second:
            remove_second_copy(self.chain.workstation.machine_key or "")

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the state with its bytes."""
        return {str(path.relative_to(self.home)): path.read_bytes() for path in self.home.rglob("*") if path.is_file()}


def remove_second_copy(machine_key: str) -> None:
    """Removes the second copy of the state that this machine key signed."""
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, second_copy.KEY, 0, winreg.KEY_SET_VALUE) as key:
            winreg.DeleteValue(key, machine_key)
    else:
        Path(second_copy.places()[0], f"{machine_key}.json").unlink()


def read_second_copy(machine_key: str) -> bytes | None:
    """The second copy of the state that this machine key signed."""
    return next(iter(second_copy.copies(machine_key, None)), None)


def make_workstation(home: Path, begins: int = START, *, installed: bool = True) -> RealWorkstation:
    """A store with trust in the chain's root and, unless told otherwise, its borrow installed as it begins."""
    store = Store(home)
    system = identity.system()
    bound = Workstation(system.machine().id, system.user().id, store.machine_key().public.kid)
    workstation = RealWorkstation(store, make_chain(begins, bound))
    workstation.install(workstation.chain.trust_file(), begins)
    if installed:
        workstation.install(workstation.chain.borrow_file(), begins)
    return workstation
