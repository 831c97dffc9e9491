"""What is asked of many logs is compiled once, and each log is answered from its own tables."""

from __future__ import annotations

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log import statements
from checkout_log.columns import NUMBER, TEXT, WHOLE, Column
from checkout_log.engine import Engine
from checkout_log.sizing import borrow_limit
from tests.notebooks.random_logs import BEGIN, many, open_log

COLUMNS = (Column("name", TEXT, True, ""), Column("count", WHOLE, False, ""))


def table(engine: Engine, *rows: tuple[str, int]) -> Table:
    return engine.numbers(pd.DataFrame(rows, columns=["name", "count"]), COLUMNS)


def joined(left: Table, right: Table) -> Table:
    return left.join(right, "name").select("name", count=_["count"] - _["count_right"])


def test_two_tables_of_one_form_keep_their_places() -> None:
    """Two tables of one form, under names that need quotes and in either order, are each read from their own place."""
    engine = Engine()
    engine.connection.con.execute("""CREATE TABLE "kept "" 0" AS SELECT 'a' AS name, 10::BIGINT AS count""")
    named, small = engine.connection.table('kept " 0'), table(engine, ("a", 3))
    for left, right, difference in ((named, small, 7), (small, named, -7), (small, small, 0)):
        for rows in (joined(left, right), engine.named(joined(left, right)), engine.built(joined, left, right)):
            assert engine.frame(rows, COLUMNS)["count"].tolist() == [difference]


def test_a_second_log_compiles_nothing_and_has_its_own_answer() -> None:
    frames: dict[tuple[int, int], tuple[pd.DataFrame, pd.DataFrame]] = {}
    for seed in (5, 6, 5):
        compiled = compilations()
        log = open_log(many(seed, count=3))
        frames[seed, len(frames)] = (log.sessions(), borrow_limit.what_if(log, 1))
    first, other, again = frames.values()
    assert compilations() == compiled
    for left, right, different in zip(first, again, other, strict=True):
        pd.testing.assert_frame_equal(left, right)
        assert not left.equals(different)


def test_a_log_at_another_time_is_paired_by_what_was_compiled() -> None:
    of = many(5, count=3)
    log, moments = open_log(of), [BEGIN + (of.end() - BEGIN) * share // 4 for share in (1, 2, 3)]
    counts = []
    for moment in moments:
        compiled = compilations()
        counts.append(len(log.until(moment).pairs.execute()))
    assert counts == sorted(set(counts))
    # The time itself is one small statement.
    assert compilations() == (compiled[0] + 1, compiled[1])


def compilations() -> tuple[int, int]:
    return statements._compiled.cache_info().misses, statements._built.cache_info().misses


def test_values_are_part_of_the_question() -> None:
    engine = Engine()
    rows = table(engine, ("a", 1), ("b", 2))
    assert [engine.frame(rows.filter(_["count"] == number), COLUMNS)["name"].tolist() for number in (1, 2)] == [["a"], ["b"]]
    texts = [rows.mutate(name=ibis.literal(value)) for value in (statements._SECRET, '"' + statements._SECRET + '"')]
    assert [set(engine.frame(one, COLUMNS)["name"]) for one in texts] == [
        {statements._SECRET},
        {'"' + statements._SECRET + '"'},
    ]


def test_what_is_kept_has_the_types_of_its_expression() -> None:
    """What DuckDB adds up is of 128 bits."""
    engine = Engine()
    rows = table(engine, ("a", 1), ("a", 2))
    sums = engine.materialized(rows.group_by("name").aggregate(count=_["count"].sum()))
    figures = Column("count", NUMBER, False, "")
    assert sums.schema()["count"] == rows.schema()["count"]
    assert engine.frame(sums, (COLUMNS[0], figures))["count"].tolist() == [3.0]
