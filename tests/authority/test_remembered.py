"""What a process remembers of rows that never change."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from authority.services.context import Cache


def test_a_value_is_read_once() -> None:
    cache: Cache[int, str] = Cache(2)
    read: list[int] = []

    def value() -> str:
        read.append(1)
        return "one"

    assert [cache.get(1), cache.get_or_read(1, value), cache.get_or_read(1, value), cache.get(1)] == [None, "one", "one", "one"]
    assert len(read) == 1


def test_what_was_used_longest_ago_goes_first() -> None:
    cache: Cache[int, str] = Cache(2)
    for key in (1, 2):
        cache.get_or_read(key, str(key).strip)
    cache.get(1)
    cache.get_or_read(3, lambda: "3")
    assert [cache.get(key) for key in (1, 2, 3)] == ["1", None, "3"]


def test_what_could_not_be_read_is_asked_for_again() -> None:
    cache: Cache[int, str] = Cache(2)

    def fail() -> str:
        raise LookupError

    with pytest.raises(LookupError):
        cache.get_or_read(1, fail)
    assert cache.get_or_read(1, lambda: "one") == "one"


def test_nothing_is_left_after_clearing() -> None:
    cache: Cache[int, str] = Cache(2)
    cache.get_or_read(1, lambda: "one")
    cache.clear()
    assert cache.get(1) is None


def test_two_who_read_at_once_do_not_wait_and_get_one_value() -> None:
    cache: Cache[int, object] = Cache(2)
    both = threading.Barrier(2, timeout=60)

    def value() -> object:
        both.wait()
        return object()

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: cache.get_or_read(1, value), range(2))
    assert first is second


def test_many_threads_use_a_small_cache_at_once() -> None:
    cache: Cache[int, int] = Cache(3)

    def use(number: int) -> bool:
        return all(cache.get_or_read(key, lambda key=key: key) == key for key in range(number % 7, 200))  # type: ignore[misc]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(64)))
