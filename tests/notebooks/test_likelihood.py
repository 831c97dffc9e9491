"""How likely a use is stuck is what was measured elsewhere, until a site's own past outweighs it."""

from __future__ import annotations

import pytest

from checkout_log.likelihood import MEASURED, WEIGHT, Past, confidence


@pytest.mark.parametrize("sign", MEASURED)
def test_without_a_past_it_is_what_was_measured_and_never_certain(sign: str) -> None:
    right, count = MEASURED[sign]
    assert 0 <= right <= count
    assert confidence(sign) == pytest.approx((right + 1) / (count + 2))
    assert confidence(sign, Past()) == pytest.approx(confidence(sign))
    assert 0 < confidence(sign) < 1


@pytest.mark.parametrize("sign", MEASURED)
def test_a_long_past_says_it_alone(sign: str) -> None:
    assert confidence(sign, Past(ended=1_000, returned=970)) == pytest.approx(0.03, abs=WEIGHT / 1_000)
    assert confidence(sign, Past(ended=1_000, returned=0)) == pytest.approx(1, abs=WEIGHT / 1_000)


@pytest.mark.parametrize("sign", MEASURED)
def test_each_use_that_came_back_makes_it_less_likely(sign: str) -> None:
    likely = [confidence(sign, Past(ended, ended)) for ended in range(6)]
    assert likely == sorted(likely, reverse=True)
