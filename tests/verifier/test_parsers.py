"""Every parser of the verifier takes what is good, and ends in an error of ours for all else; nothing changed is taken for good."""

from __future__ import annotations

import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chains import refused
from tests.support.mutations import mutated
from tests.support.parsers import CHAIN, PARSERS, SIGNED, TRUST, refusal
from tests.support.succeeding import update_file
from verifier.core import files
from verifier.core.jose import strict_object
from verifier.core.succession import TRUST_UPDATE_TYP
from verifier.errors import CarnetError

# In all, over the kinds of files that somebody signs; under Wine each takes ten times as long.
MUTATIONS = 10_000 if sys.platform == "win32" else 100_000


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_takes_what_is_good(name: str) -> None:
    parser = PARSERS[name]
    assert [refusal(parser, data) for data in parser.good] == [None] * len(parser.good)


@settings(deadline=None, max_examples=500)
@given(
    name=st.sampled_from(sorted(PARSERS)),
    data=st.binary(max_size=400) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
def test_no_bytes_bring_a_parser_to_an_error_that_is_not_ours(name: str, data: bytes) -> None:
    _check(refusal(PARSERS[name], data))


@settings(deadline=None, max_examples=500)
@given(name=st.sampled_from(sorted(PARSERS)), random=st.randoms(use_true_random=False))
def test_no_change_of_good_input_brings_a_parser_to_an_error_that_is_not_ours(name: str, random: Random) -> None:
    parser = PARSERS[name]
    _check(refusal(parser, mutated(random, parser.good)))


@pytest.mark.parametrize("kid", [[], {}, None, 1, "short"])
def test_a_trust_update_whose_key_is_no_name_is_malformed(kid: object) -> None:
    text = CHAIN.root.sign(CHAIN.root.header(TRUST_UPDATE_TYP, kid=kid), {})
    with refused("malformed"):
        SIGNED["trust-update"].parse(update_file([text]))


@pytest.mark.parametrize("name", SIGNED)
def test_of_100_000_changed_files_none_is_accepted(name: str) -> None:
    """A part of them for each kind. What only stands otherwise in its file, a blank, a letter as \\u0041, is no changed file."""
    parser = SIGNED[name]
    random, outcomes = Random(f"changed {name}"), Counter[str]()
    results = [parser.parse(data) for data in parser.good]
    meanings = [_meaning(data) for data in parser.good]
    while outcomes["refused"] < MUTATIONS // len(SIGNED):
        data = mutated(random, parser.good)
        try:
            result = parser.parse(data)
        except CarnetError:
            outcomes["refused"] += 1
            continue
        outcomes["the same"] += 1
        assert _meaning(data) in meanings or (name == "trust-update" and result in (None, TRUST)), data
        assert result in results or result in (None, TRUST), data
    assert outcomes["the same"] < outcomes["refused"] // 10, outcomes


def _meaning(data: bytes) -> object:
    """What is in the file, whatever stands around it."""
    return strict_object(files.unmarked(data))


def _check(error: CarnetError | None) -> None:
    assert error is None or (error.code and error.message)
