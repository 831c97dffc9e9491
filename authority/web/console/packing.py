"""Many values of one field, as those who were ticked: in one hidden field of a page that asks, so that a thousand weigh little."""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

PREFIX = "packed."
# Fewer stand in fields of their own.
FEWEST = 20


def packed(form: MultiDict[str, str]) -> dict[str, str]:
    """The fields that have many values, each with all of them as lines of one text."""
    many = {name: values for name, values in form.lists() if len(values) > FEWEST}
    return {name: "\n".join(values) for name, values in many.items() if not any(set(text) & set("\r\n") for text in values)}


def unpack() -> None:
    """Makes the values of the form that was sent of what `packed` made of them."""
    if any(name.startswith(PREFIX) for name in request.form):
        fields = []
        for name, text in request.form.items(multi=True):
            values = text.splitlines() if name.startswith(PREFIX) else [text]
            fields += [(name.removeprefix(PREFIX), value) for value in values]
        request.form = ImmutableMultiDict(fields)
