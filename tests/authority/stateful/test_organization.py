"""The organization, driven at random against a model in plain Python, on both databases.

CI takes the same steps each time. `make check-long` takes 200,000 others and prints the seeds that bring a failure back.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.authority.stateful.administration import Administration
from tests.authority.stateful.machine import Prepared
from tests.authority.stateful.using import Using
from tests.conftest import new_postgres_database
from tests.support.authorities import make_bench

# On both databases together. Where it is set the steps are new ones each time, unless a seed is given too.
STEPS = int(os.environ.get("CARNET_MODEL_STEPS", "0"))
SEED = os.environ.get("CARNET_MODEL_SEED")
STEPS_IN_CI = 6400
STEPS_OF_AN_EXAMPLE, EXAMPLES_OF_A_ROUND = 80, 30
SEEDS = {"sqlite": 1, "postgresql": 2}

# What has to have happened in CI, and how often at least: a rule that never speaks is not tested.
OUTCOMES = Counter(
    dict.fromkeys(("checkout", "renewal", "pool-exhausted", "product-overallocated", "organization-over-limit", "negative"), 20)
    | dict.fromkeys(("again", "full", "already-borrowed", "type-not-compatible", "session-ended", "member-limit-reached"), 5)
    | dict.fromkeys(("too full", "not-assigned", "level-not-assigned", "extension-not-assigned", "product-expired"), 2)
    | dict.fromkeys(("offline-not-allowed", "duration-too-long", "session-limit", "member-disabled", "no-such-product"), 1)
    | dict.fromkeys(("member-has-borrow", "borrow-already-ended", "overlap-not-accepted", "authorization-unusable"), 1)
    | dict.fromkeys(("already-exists", "not-found", "not-allowed", "not-authenticated", "invalid-input"), 1)
    | dict.fromkeys(("request-replayed", "expired", "revoked"), 1)
)


class Organization(Administration, Using):
    """All rules."""


def drive(prepared: Prepared, number: int) -> None:
    """One run of the state machine; the same number gives the same steps."""

    @seed(number)
    class Driven(Organization):
        pass

    Driven.prepared = prepared
    # Every other long run goes deeper into few of the rules.
    Driven.leaves_rules_out = bool(STEPS) and number % 2 == 1
    run_state_machine_as_test(
        Driven,
        settings=settings(
            max_examples=EXAMPLES_OF_A_ROUND,
            stateful_step_count=STEPS_OF_AN_EXAMPLE,
            deadline=None,
            derandomize=True,
            print_blob=True,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(0 if STEPS else 1200)
def test_the_authority_does_what_the_model_says(postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    urls = {"sqlite": f"sqlite:///{tmp_path / 'authority.db'}", "postgresql": new_postgres_database(postgres)}
    steps, outcomes = 0, Counter[str]()
    for database, url in urls.items():
        prepared = Prepared(make_bench(url, tmp_path / database))
        while prepared.steps < (STEPS or STEPS_IN_CI) // 2:
            number = SEEDS[database] + prepared.steps if not STEPS else int(SEED) if SEED else secrets.randbits(32)
            try:
                drive(prepared, number)
            finally:
                with capsys.disabled():
                    print(f"\n{database}, seed {number}: {summary(prepared)}")
        prepared.bench.authority.database.close()
        steps += prepared.steps
        outcomes += counts_of(prepared)
    assert steps >= (STEPS or STEPS_IN_CI)
    assert outcomes >= OUTCOMES, f"too seldom: {OUTCOMES - outcomes}"


def counts_of(prepared: Prepared) -> Counter[str]:
    """How often each outcome was expected, and came about."""
    counts: Counter[str] = Counter()
    for (_, outcome), count in prepared.outcomes.items():
        counts[outcome] += count
    return counts


def summary(prepared: Prepared) -> str:
    """Steps, how often each rule fired, and what came of it."""

    def in_words(counts: Counter[str]) -> str:
        return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))

    return f"{prepared.steps} steps: {in_words(prepared.fired)}; outcomes: {in_words(counts_of(prepared))}"
