"""The server's log as JSON: a line for each request, whose number the answer has; nobody who sends a request writes into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from authority.services import overview
from authority.web import server_log
from authority.web.server_log import LogFormat
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.web import HOSTILE_TEXTS, make_web

pytestmark = ON_SQLITE


@pytest.fixture(autouse=True)
def json_lines() -> Iterator[None]:
    server_log.configure(LogFormat.JSON)
    yield
    server_log.configure(LogFormat.TEXT)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    text = capsys.readouterr().err
    assert text.isascii()
    assert all(char == "\n" or char.isprintable() for char in text)
    return [json.loads(line) for line in text.splitlines()]


def test_each_request_is_a_line_with_the_number_of_its_answer(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    web = make_web(bench)
    secret = next(iter(web.secrets.values()))
    capsys.readouterr()
    answers = [
        web.get("/me"),
        web.get("/borrows/AAAAAAAAAAAAAAAAAAAAAA"),
        web.send("GET", f"/nothing?token={secret}", None),
        web.client.post("/api/v1/sign-in", json={"username": "ada", "password": secret}),
        web.client.get("/console/members"),
    ]
    rows = lines(capsys)
    assert [row["request_id"] for row in rows] == [answer.headers["X-Request-Id"] for answer in answers]
    assert [(row["event"], row["status"]) for row in rows] == [("request", answer.status_code) for answer in answers]
    assert rows[0]["code"] is None
    assert [rows[number]["code"] for number in (1, 2, 3)] == [answers[number].get_json()["code"] for number in (1, 2, 3)]
    same = {name: rows[1][name] for name in ("time", "seconds", "request_id")}
    assert rows[1] == same | {
        "event": "request",
        "level": "info",
        "method": "GET",
        "path": "/api/v1/borrows/AAAAAAAAAAAAAAAAAAAAAA",
        "route": "/api/v1/borrows/<borrow_id>",
        "status": 404,
        "code": "not-found",
        "address": "127.0.0.1",
    }
    assert secret not in json.dumps(rows)


def test_nobody_makes_ends_or_colors_a_line(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    client = make_web(bench).client
    texts = [text for text in HOSTILE_TEXTS.values() if text.isprintable() or "\ud800" not in text]
    capsys.readouterr()
    for text in texts:
        client.open(f"/api/v1/borrows/{text}", method="GET", headers={"User-Agent": "agent"})
    client.get("/" + "a" * 100_000)
    for char in ("\U0001f600", "\u00e4", "\x01"):
        client.get("/a" + "a" * 100 + char * 5000)
    rows = lines(capsys)
    assert len(rows) == len(texts) + 4
    assert {row["event"] for row in rows} == {"request"}
    assert all(len(json.dumps(row)) < 4096 for row in rows)
    assert any("\u202e" in row["path"] for row in rows)


def test_a_mistake_is_one_line_with_its_traceback_and_the_number_of_the_answer(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    web = make_web(bench)
    capsys.readouterr()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a\nb\u202e\u001b[2J")

    monkeypatch.setattr(overview, "trust_file_since", broken)
    answer = web.client.get("/api/v1/trust")
    mistake, request = lines(capsys)
    assert (mistake["event"], mistake["level"], request["level"]) == ("mistake", "error", "error")
    assert mistake["request_id"] == request["request_id"] == answer.get_json()["request_id"]
    assert (request["status"], request["code"]) == (500, "internal-error")
    assert mistake["lines"][0].startswith("Traceback")


def test_as_text_requests_are_no_lines(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    server_log.configure(LogFormat.TEXT)
    web = make_web(bench)
    capsys.readouterr()
    assert web.get("/borrows/AAAAAAAAAAAAAAAAAAAAAA").status_code == 404
    assert capsys.readouterr().err == ""
