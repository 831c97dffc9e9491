"""install: files that were carried here, and folders of them."""

from __future__ import annotations

import argparse
from typing import Any

from verifier import sentences
from verifier.cli.output import UsageError, failure, result, safe, say
from verifier.core.times import rfc3339_of
from verifier.errors import CarnetError
from verifier.workstation import intake
from verifier.workstation.installed import Installed
from verifier.workstation.intake import Carried, Intake, PassedOver, Refused
from verifier.workstation.places import WrongPlace, path_of
from verifier.workstation.store import Store


def add_install(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet install`."""
    parser = commands.add_parser("install", parents=[common], help="check and take in files that were carried here")
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file, or a folder with files, such as a whole stick")
    parser.set_defaults(run=install_files)


def install_files(arguments: argparse.Namespace) -> int:
    """`carnet install PATH...`: every file that passes is installed; the status is that of the first that does not.

    A file that is not there is told as a damaged one is, unless nothing else is named: that is wrong usage. In a folder a file
    that is only old is told, and is no failure as long as anything was taken in.
    """
    store = Store.open(arguments.home)
    named, in_folders, passed_over = _read(arguments.paths)
    taking = intake.take_in(store, [*named, *in_folders])
    names = {file.name for file in in_folders}
    old = [item for item in taking.refused if taking.taken and item.name in names and item.is_old]
    refused = [item for item in taking.refused if item not in old]
    value = {
        "installed": [
            {"file": name, "installed": sentences.installed(item), **item._asdict(), **_times(item)}
            for name, item in taking.taken
        ],
        "old": [{"file": item.name, "code": item.error.code, "message": item.error.message} for item in old],
        "passed_over": [item._asdict() for item in passed_over],
        "refused": [{"file": item.name, "code": item.error.code, "message": item.error.message} for item in refused],
        "needs": [_need(item) for item in taking.needs],
    }
    lines = _lines(taking, old, passed_over)
    if not refused:
        return result(arguments, value, lines)
    total = len(named) + len(in_folders)
    count = [f"installed {len(taking.taken)} of {total}"] if total > 1 else []
    return _refuse(arguments, refused, value, [*(lines if taking.taken else []), *count])


def _times(item: Installed) -> dict[str, str]:
    """What of it is a time, as programs read times."""
    return {name: rfc3339_of(value) for name, value in item._asdict().items() if name.endswith("_at")}


def _refuse(arguments: argparse.Namespace, refused: list[Refused], value: dict[str, Any], lines: list[str]) -> int:
    """Tells what was refused. An object speaks of the first, and has each in its evidence. People read the others before it."""
    first, *others = refused
    if not arguments.json:
        for line in lines:
            say(safe(line))
        for item in others:
            failure(arguments, item.error, file=item.name)
    return failure(arguments, first.error, file=first.name, **value)


def _read(paths: list[str]) -> tuple[list[Carried], list[Carried], list[PassedOver]]:
    """The files that are named, those in the folders that are named, and what was left alone there."""
    named, in_folders, passed_over = [], [], []
    for name in paths:
        try:
            if not path_of(name).is_dir():
                named.append(intake.read_named(name))
                continue
            files, others = _look_into(name)
        except (CarnetError, UsageError, WrongPlace) as error:
            if len(paths) == 1:
                raise
            named.append(intake.unreadable(name, error))
        else:
            in_folders += files
            passed_over += others
    return named, in_folders, passed_over


def _look_into(name: str) -> tuple[list[Carried], list[PassedOver]]:
    """The files of a folder that is named, and what was left alone there. Raises UsageError where there is none to install."""
    files, others = intake.look_into(path_of(name))
    if not files:
        raise UsageError(f"{name} has no file to install" + "".join(f"; {line}" for line in sentences.passed_over(others)))
    return files, others


def _lines(taking: Intake, old: list[Refused], passed_over: list[PassedOver]) -> list[str]:
    lines = [f"installed: {sentences.installed(item.installed)}" for item in taking.taken]
    lines += [f"no longer of use, {item.name}: {item.error.message}" for item in old]
    lines += sentences.passed_over(passed_over)
    return lines + [f"still needed: {sentences.needed(need)}" for need in taking.needs]


def _need(need: intake.Need) -> dict[str, Any]:
    code = need.code if need.error is None else need.error.code
    return {"need": need.code, "code": code, "product": need.product, "message": sentences.needed(need)}
