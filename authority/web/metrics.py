"""GET /metrics: what is watched of this authority, in the text format of Prometheus, for who may read the log."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version

from flask import Flask, Response, request
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from authority.domain.disk import DiskFailed, NotPermitted
from authority.domain.refusals import AuthorizationUnusable, DatabaseLost, NotSetUp, StorageUnavailable
from authority.services import watching
from authority.services.licenses import Availability
from authority.services.unit import Unit
from authority.services.watching import WATCHER, Watched
from authority.web import noting
from authority.web.access import authority, unit
from authority.web.proxies import Proxies, address_in

PATH = "/metrics"
# What keeps the database from saying anything, whoever asks.
SILENT = (StorageUnavailable, DatabaseLost, NotSetUp, AuthorizationUnusable, DiskFailed, NotPermitted)
# What a proxy writes into what it passes on.
FORWARDED = ("X-Forwarded-For", "Forwarded")


def register(app: Flask, networks: Sequence[str]) -> None:
    """Adds the route. Who connects from one of the networks needs no secret."""
    near = Proxies(networks)

    @app.route(PATH)
    def metrics() -> Response:
        is_near = near.are_trusted(address_in(request.remote_addr or "")) and not any(
            name in request.headers for name in FORWARDED
        )
        watched = _watched(Unit(authority(), WATCHER) if is_near else unit())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(_Families(watched)), content_type=content_type)


def _watched(work: Unit) -> Watched | None:
    """What the database says; None when it says nothing now to somebody who may ask. Raises NotAuthenticated, NotAllowed and others."""
    try:
        return watching.read(work)
    except SILENT:
        if not work.is_begun:
            # Nobody can say who asks.
            raise
        return None


class _Families:
    """All metrics: those of the database where it answered, and those of this server."""

    def __init__(self, watched: Watched | None) -> None:
        self._watched = watched

    def collect(self) -> Iterable[Metric]:
        yield _gauge("build_info", "The version of this server, as a label.", {version("carnet"): 1}, "version")
        yield _gauge(
            "database_up", "1 when the database answered, 0 when figures of it are missing here.", self._watched is not None
        )
        if self._watched is not None:
            yield from families_of(self._watched)
        yield from noting.collected()


def _gauge(name: str, words: str, value: float | Mapping[str, float], *labels: str) -> Metric:
    """A gauge with one value, or one for each value of a label."""
    family = GaugeMetricFamily(f"carnet_{name}", words, labels=labels)
    for label, number in value.items() if isinstance(value, Mapping) else [("", value)]:
        family.add_metric([label] if labels else [], float(number))
    return family


def families_of(watched: Watched) -> Iterator[Metric]:
    """What the database says, as metrics; ages are in seconds, and infinite for what never happened."""
    yield from _uses(watched)
    yield from _ages(watched)
    yield _gauge("database_behind", "1 when the database lacks what went out from this server.", watched.is_behind)
    yield _gauge("log_unsealed_rows", "Rows of the log that are not sealed yet.", watched.unsealed_rows)
    yield _gauge("messages_waiting", "Messages about notices that are to be sent.", watched.messages_waiting)
    yield _gauge("messages_given_up", "Messages that were given up in the last 7 days.", watched.messages_given_up)
    yield _gauge("status_list_places", "Places of the status list.", watched.places)
    yield _gauge("status_list_places_taken", "Places of the status list that are taken.", watched.places_taken)


def _uses(watched: Watched) -> Iterator[Metric]:
    yield _gauge("borrows_out", "Borrows that are out.", watched.borrows_out, "product")
    yield _gauge("borrows_overdue", "Borrows that ended within 30 days and were not given back.", watched.borrows_overdue)
    yield _gauge("denials_last_day", "Borrows and sessions that a rule refused in the last 24 hours.", watched.denials, "code")
    of_seats: dict[str, tuple[str, Callable[[Availability], int]]] = {
        "seats": ("Seats that the authorization has.", lambda row: row.licensed),
        "seats_used": ("Seats that are assigned, or of a concurrent product in use.", lambda row: row.used),
        "seats_free": ("Seats that are left; negative when there are too few.", lambda row: row.available),
    }
    for name, (words, count) in of_seats.items():
        family = GaugeMetricFamily(f"carnet_{name}", words, labels=("product", "feature"))
        for row in watched.seats:
            family.add_metric([row.product, row.feature], count(row))
        yield family
    yield _gauge("members", "Members of the organization.", watched.membership.current)
    if watched.membership.maximum is not None:
        yield _gauge("members_limit", "Members that the authorization allows.", watched.membership.maximum)


def _ages(watched: Watched) -> Iterator[Metric]:
    def age(at: datetime | None) -> float:
        return math.inf if at is None else max((watched.at - at).total_seconds(), 0.0)

    yield _gauge("seal_age_seconds", "How long ago the log was sealed.", age(watched.sealed_at))
    oldest = 0.0 if watched.oldest_unsealed_at is None else age(watched.oldest_unsealed_at)
    yield _gauge(
        "log_oldest_unsealed_seconds", "How old the oldest row of the log is that is not sealed; 0 when all are.", oldest
    )
    yield _gauge("backup_age_seconds", "How long ago a backup was made.", age(watched.backed_up_at))
    yield _gauge("notification_run_age_seconds", "How long ago notices were looked for.", age(watched.notified_at))
    ends_in = (watched.authorization_ends_at - watched.at).total_seconds()
    yield _gauge("authorization_remaining_seconds", "How long the authorization holds; negative when it has ended.", ends_in)
    keys = {str(use): (ends_at - watched.at).total_seconds() for use, ends_at in watched.keys_end_at.items()}
    yield _gauge("key_remaining_seconds", "How long a key of this use signs; 0 or less when none does.", keys, "use")
