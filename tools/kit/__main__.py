"""`python -m tools.kit [FOLDER] [--target NAME]...`: the install kit, by default for every target."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

from tools.kit.build import ROOT, SUMS, BuildFailed, build
from tools.kit.targets import TARGETS


def main() -> int:
    """Builds it, says where it is and by which digest it is known; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.kit", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist" / f"carnet-kit-{version('carnet')}")
    names = {target.name: target for target in TARGETS}
    parser.add_argument("--target", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    arguments = parser.parse_args()
    try:
        kit = build(arguments.folder, [names[name] for name in arguments.target or names])
    except BuildFailed as error:
        print(f"the kit could not be built: {error}")
        return 1
    files = [path for path in kit.rglob("*") if path.is_file()]
    print(
        f"{kit}: {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.0f} MB, for {len(arguments.target or names)} targets"
    )
    print(f"tell those who get it the digest of {SUMS} by another way: sha256sum {kit / SUMS}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
