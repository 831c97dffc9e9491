"""What is compared in these modules fails with both sides, as in tests."""

import pytest

pytest.register_assert_rewrite("tests.authority.stateful.machine", "tests.authority.stateful.using")
