"""check: the question an application asks at start."""

from __future__ import annotations

import argparse

import verifier
from verifier.cli.output import result, warn
from verifier.cli.trusting import add_trusted, trusted
from verifier.core.grant import Grant
from verifier.core.times import rfc3339, time_left


def add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet check`."""
    parser = commands.add_parser("check", parents=[common], help="may I run? the question an application asks at start")
    add_license(parser)
    add_trusted(parser)
    parser.set_defaults(run=check)


def add_license(parser: argparse.ArgumentParser) -> None:
    """Adds what names a license: product, level and extensions."""
    parser.add_argument("product", metavar="PRODUCT")
    parser.add_argument("--level", metavar="L")
    parser.add_argument("--extension", metavar="E", action="append", default=[], dest="extensions")


def check(arguments: argparse.Namespace) -> int:
    """`carnet check PRODUCT`."""
    asked = (arguments.product, arguments.level, arguments.extensions)
    grant = verifier.check(*asked, home=arguments.home, **trusted(arguments))
    warn(arguments, grant.warnings)
    return result(arguments, {"grant": grant.as_json()}, [describe(grant)])


def describe(grant: Grant) -> str:
    """A Grant in one line."""
    extensions = f" with {', '.join(grant.extensions)}" if grant.extensions else ""
    until = rfc3339(grant.expires_at)
    return f"good: {grant.product} {grant.level}{extensions} for {grant.member} until {until}, {time_left(grant.seconds_left)} left"
