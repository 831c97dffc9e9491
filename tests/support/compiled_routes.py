"""What werkzeug compiles to build the address of a route, kept: a thousand applications of the tests have the same two hundred routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]
# As werkzeug has it.
COMPILE = Rule._compile_builder


def compile_once(patch: pytest.MonkeyPatch) -> None:
    """From now on each route is compiled once in this process; it took four fifths of the making of an application.

    The function is made of the parts of the route and of nothing else, and asks the rule that it is bound to for the rest. Where
    values are set by the route itself they are parts too, so that such a route is compiled each time.
    """
    builders: dict[Any, Builder] = {}

    def compiled(rule: Rule, append_unknown: bool = True) -> Builder:
        if rule.defaults:
            return COMPILE(rule, append_unknown)
        parts = (rule.rule, tuple(rule._trace), append_unknown)
        if parts not in builders:
            builders[parts] = COMPILE(rule, append_unknown)
        return builders[parts]

    patch.setattr(Rule, "_compile_builder", compiled)
