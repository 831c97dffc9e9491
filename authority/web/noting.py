"""What is noted of each request once it is answered, whatever answered it: how long it took, and how it ended."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from authority.web import server_log
from authority.web.request_times import FOLDER

# Where the application says, in the environ of a request, what it learned of it: the rule of its route, the code of a refusal, and
# the number by which the answer names it.
ROUTE, CODE, REQUEST_ID = "carnet.route", "carnet.code", "carnet.request_id"
# Whatever a client writes: the labels are few.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
LONGEST_METHOD = 32
# Seconds. A borrow takes some hundredths, a page of a large organization some tenths.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

# Of a counter its value is enough: workers that share folders do not say when each began.
disable_created_metrics()  # type: ignore[no-untyped-call]
_REGISTRY = CollectorRegistry()
_SECONDS = Histogram(
    "carnet_http_request_duration_seconds",
    "Seconds from a request that has come whole to the beginning of its answer, by the rule of its route.",
    ["route", "method"],
    buckets=BUCKETS,
    registry=_REGISTRY,
)
_ANSWERS = Counter("carnet_http_answers", "Answers by their status.", ["status"], registry=_REGISTRY)
_REFUSALS = Counter("carnet_http_refusals", "Answers that are errors, by their code.", ["code"], registry=_REGISTRY)


def note(environ: Mapping[str, Any], status: int, seconds: float) -> None:
    """Keeps that a request was answered with this status after so many seconds."""
    method, route, code = environ["REQUEST_METHOD"], environ.get(ROUTE, OTHER), None
    _seconds(route, method if method in METHODS else OTHER).observe(seconds)
    _answers(status).inc()
    if status >= HTTPStatus.BAD_REQUEST:
        code = environ.get(CODE, OTHER)
        _REFUSALS.labels(code).inc()
    if server_log.Lines.json is not None:
        server_log.request(
            environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace"),
            status,
            method=method[:LONGEST_METHOD],
            route=route,
            code=code,
            seconds=round(seconds, 6),
            request_id=environ.get(REQUEST_ID, ""),
            address=environ.get("REMOTE_ADDR", ""),
        )


# What prometheus-client would look up under a lock at each request; there are as many as routes and statuses.
_seconds, _answers = cache(_SECONDS.labels), cache(_ANSWERS.labels)


def collected() -> Iterable[Metric]:
    """What was noted since the server started, by all of its workers; where they share no folder (any more), by this process."""
    folder = os.environ.get(FOLDER, "")
    return MultiProcessCollector(None, folder).collect() if os.path.isdir(folder) else _REGISTRY.collect()  # type: ignore[no-untyped-call]
