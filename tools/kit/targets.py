"""The machines that the kit is for: systems, processors and Pythons, with the wheels that each takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Where cryptography has wheels: none for Macs with Intel processors any more, and none for a Windows Python of ARM, which has x86-64 too.
# What pip calls the oldest system that a wheel may be for, and those that came before it.
PLATFORMS = {
    "windows-x86_64": ("win_amd64",),
    "linux-x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "linux-aarch64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "macos-aarch64": ("macosx_11_0_arm64",),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One Python on one kind of machine."""

    machine: str
    python: str

    @property
    def name(self) -> str:
        """What the zipapp calls it, such as `windows-x86_64-3.12`."""
        return f"{self.machine}-{self.python}"

    def pip_options(self) -> list[str]:
        """What pip downloads wheels for this target by."""
        platforms = [word for platform in PLATFORMS[self.machine] for word in ("--platform", platform)]
        return [*platforms, "--python-version", self.python, "--implementation", "cp"]


TARGETS = [Target(machine, python) for machine, python in product(PLATFORMS, PYTHONS)]
