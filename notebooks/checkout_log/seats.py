"""How many seats there are, where a source says it or denials tell it, who may have them, and how many of them are needed.

`lmstat`, LM-X's `lmxendutil` and RLM's report log say how many are issued, and so does a debug log of FlexNet whose vendor has more told with each use; a
license file beside a log says how many were bought, and what counts as one. An options file says who may have which of them; debug
logs repeat parts of it.
"""

from __future__ import annotations

import pandas as pd

from checkout_log import full_levels, sizing, usage
from checkout_log.columns import NUMBER, OF_FEATURE, TEXT, TIME, WHOLE, Column, typed
from checkout_log.log import Log
from checkout_log.measuring import duplicates, levels
from checkout_log.measuring.questions import DAY

DENIALS = "denials"
# Less likely numbers are not told.
LEAST_CERTAINTY = 0.5
ISSUED = (
    *OF_FEATURE,
    Column("since", TIME, True, "since when there are so many; empty: since before the log began"),
    Column("seats", WHOLE, False, "seats that are issued"),
    Column("change", WHOLE, False, "by how many that is more or less than before; 0 for the first row of a feature"),
    Column(
        "source",
        TEXT,
        False,
        "what says it: lmstat, lmx, rlm, flexnet, license-file, or denials, which came while so many were in use",
    ),
    Column(
        "certainty",
        NUMBER,
        False,
        "1 where a source says it; of denials the least share of them that came at this number (95 %, Wilson)",
    ),
)
OPTION_KINDS = {
    "reserve": "so many seats are kept for some; others cannot have them",
    "max": "so many at most for some",
    "include": "only some may have it",
    "exclude": "some may not have it",
    "borrow": "may be borrowed for so many hours at most",
    "max-borrow-hours": "the site allows so many hours at most",
    "borrow-lowwater": "so many seats cannot be borrowed",
    "include-borrow": "only some may borrow it",
    "exclude-borrow": "some may not borrow it",
    "max-overdraft": "so many more than there are may be used",
    "linger": "stays taken for so many seconds after its use",
    "timeout": "idle ones are taken back after so many seconds",
    duplicates.DUP_GROUP: "which checkouts share a license",
}
OPTIONS = (
    Column("product", TEXT, True, "product, or vendor daemon; empty where nothing says whose option it is"),
    Column("feature", TEXT, True, "feature; empty: all of the product"),
    Column("option", TEXT, False, f"one of {', '.join(OPTION_KINDS)}"),
    Column("number", WHOLE, True, "seats, hours or seconds, as the option counts"),
    Column("kind", TEXT, True, "of whom it is true: user, host, display, internet, project, group or host-group"),
    Column("name", TEXT, True, "the name of that user, host or group; of dup-group what must be the same"),
    Column("members", WHOLE, True, "how many that group has, where the file names them"),
    Column("since", TIME, True, "since when the log says it; empty: a file says it, which has no time"),
    Column("source", TEXT, False, "what says it: license-file, options-file, flexnet or lmx"),
)
UTILIZATION = (
    *OF_FEATURE,
    Column("seats", WHOLE, False, "seats that are issued when the log ends"),
    Column("fewest", WHOLE, False, "the fewest that were, while the log covers it"),
    Column("peak", WHOLE, False, "most seats in use at one moment; 0 where nothing was in use"),
    Column("p99", WHOLE, False, "seats that were enough for 99 % of the observed time"),
    Column("average", NUMBER, False, "seats in use on average over the observed time"),
    Column("utilization", NUMBER, True, "the average as a share of the seats"),
    Column("never_used", WHOLE, False, "seats that even the peak left free; 0 where it did not"),
    Column("observed_days", NUMBER, False, "days that the log covers"),
    Column("license", TEXT, False, "what counts as one: handle, member, machine, member-machine or site"),
    Column("reserved", WHOLE, False, "seats that are kept for some, so that others cannot have them"),
    Column("not_borrowed", WHOLE, False, "seats that cannot be borrowed"),
    Column("episodes", WHOLE, False, "denial episodes"),
    Column("missing", WHOLE, False, "seats more, beside those that there are, that would have met every one of them"),
)


def issued(log: Log) -> pd.DataFrame:
    """How many seats there are of each feature, a row for each time at which that changes: the columns ISSUED.

    Where a server and a license file both say it, the server's word counts; where nobody does, what denials tell.
    """
    rows = [
        row for _, own in log.stored.seats.dropna(subset=["issued"]).groupby(["product", "feature"]) for row in _changes(own)
    ]
    frame = pd.DataFrame(rows, columns=["product", "feature", "at", "seats", "change", "source"]).assign(certainty=1.0)
    stated = _of_denials(log, frame[["product", "feature"]].drop_duplicates())
    frame = pd.concat([one for one in (frame, stated) if len(one)], ignore_index=True) if len(stated) else frame
    return typed(frame.assign(since=pd.to_datetime(frame["at"].where(frame["at"] > 0), unit="us", utc=True)), ISSUED)


def _of_denials(log: Log, known: pd.DataFrame) -> pd.DataFrame:
    """The rows that denials tell: `at` is 0 for the first number of a feature."""
    rows: list[tuple[object, ...]] = []
    before: dict[tuple[str, str], int] = {}
    for one in _full(log, known):
        pair = one.product, one.feature
        change = one.seats - before.get(pair, one.seats)
        if change or pair not in before:
            rows.append((*pair, one.since or 0, one.seats, change, DENIALS, round(one.certainty, 2)))
        before[pair] = one.seats
    return pd.DataFrame(rows, columns=["product", "feature", "at", "seats", "change", "source", "certainty"])


def _full(log: Log, known: pd.DataFrame) -> list[full_levels.Full]:
    levels_told = log.once(("full levels",), lambda: full_levels.levels_by_denials(log, known))
    return [one for one in levels_told if one.certainty >= LEAST_CERTAINTY]


def options(log: Log) -> pd.DataFrame:
    """Who may have which seats, for how long, and what counts as one: the columns OPTIONS.

    An options file that is not called like a vendor daemon is of the products that have its features.
    """
    frame = log.stored.options
    columns = ["product", "feature"]
    owners = pd.concat([levels.features(log)[columns], log.stored.seats[columns].astype("string")]).drop_duplicates()
    named = frame.merge(owners.rename(columns={"product": "owner"}), on="feature", how="left")
    # Of an option with a product the owners of its feature do not matter.
    named["owner"] = named["owner"].mask(named["product"].notna())
    named = named.drop_duplicates([*frame.columns, "owner"])
    named["product"] = named["product"].fillna(named["owner"])
    return typed(named.assign(since=pd.to_datetime(named["at"].where(named["at"] > 0), unit="us", utc=True)), OPTIONS)


def _changes(own: pd.DataFrame) -> list[tuple[object, ...]]:
    """The rows of one feature; what several servers have of it adds up."""
    by_server = own[own["source"] != "license-file"]
    own = own if by_server.empty else by_server
    latest: dict[str, int] = {}
    rows: list[tuple[object, ...]] = []
    seats = None
    for row in own.itertuples():
        latest[row.server] = int(row.issued)
        total = sum(latest.values())
        if total != seats:
            if rows and rows[-1][2] == row.at:
                rows.pop()
            before = rows[-1][3] if rows else total
            rows.append((row.product, row.feature, row.at, total, total - int(str(before)), row.source))
            seats = total
    return rows


def utilization(log: Log) -> pd.DataFrame:
    """How much of what is issued is needed: the columns UTILIZATION, a row for each feature whose seats are known.

    What counts as one license is what its license file says (DUP_GROUP), or what the denials tell; else each use.
    """
    changes = issued(log)
    spans = log.stored.spans.assign(lasted=log.stored.spans["end"] - log.stored.spans["begin"]).groupby("product")
    spans = spans.agg(begin=("begin", "min"), end=("end", "max"), lasted=("lasted", "sum"))
    rows = []
    for (product, feature), own in changes.groupby(["product", "feature"]):
        if product not in spans.index:
            continue
        begin, end = (pd.Timestamp(spans.loc[product, name], unit="us", tz="UTC") for name in ("begin", "end"))
        since = own["since"].fillna(pd.Timestamp(0, tz="UTC"))
        known = own[since <= end]
        if known.empty:
            continue
        # What was true when the log began, and each change in it.
        last_before = max(0, int((since[known.index] <= begin).sum()) - 1)
        fewest = int(known["seats"].iloc[last_before:].min())
        rows.append((product, feature, int(known["seats"].iloc[-1]), fewest, spans.loc[product, "lasted"] / DAY))
    frame = pd.DataFrame(rows, columns=["product", "feature", "seats", "fewest", "observed_days"])
    frame = _with_use(log, _with_options(log, frame))
    average = frame["hours"] / (frame["observed_days"] * 24)
    return typed(
        frame.assign(
            average=average,
            utilization=(average / frame["seats"]).where(frame["seats"] > 0),
            never_used=(frame["fewest"] - frame["peak"]).clip(lower=0),
            missing=(frame["demand"] - frame["seats"]).clip(lower=0),
        ),
        UTILIZATION,
    )


def _with_use(log: Log, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `license`, `peak`, `p99`, `hours` in use, `episodes` and `demand`, counted as each feature's licenses are."""
    ways = {(one.product, one.feature): one.license for one in _full(log, _stated(log))}
    by_file = duplicates.counted_by(log.stored.options)
    ways |= dict(zip(zip(by_file["product"], by_file["feature"], strict=True), by_file["counted"], strict=True))
    frame = frame.assign(license=[ways.get(pair, "handle") for pair in zip(frame["product"], frame["feature"], strict=True)])
    parts = [_of_way(log, rows, str(word)) for word, rows in frame.groupby("license")]
    counted = pd.concat(parts) if parts else frame.assign(peak=0, p99=0, hours=0.0, episodes=0, demand=0)
    return counted.sort_values(["product", "feature"])


def _of_way(log: Log, frame: pd.DataFrame, counted: str) -> pd.DataFrame:
    """The rows with their figures, uses counted in this way."""
    way = levels.VENDOR if counted == duplicates.SITE else counted
    hours = usage.efficiency(log, way).groupby(["product", "feature"], as_index=False)["hours"].sum()
    for figures in (usage.peaks(log, way), hours, sizing.demanded(log, way)):
        columns = figures.columns.intersection(["product", "feature", "peak", "p99", "hours", "episodes", "demand"])
        frame = frame.merge(figures[columns], on=["product", "feature"], how="left")
    return frame.fillna(dict.fromkeys(("peak", "p99", "episodes", "demand"), 0) | {"hours": 0.0})


def _stated(log: Log) -> pd.DataFrame:
    """The features whose seats a source says."""
    return log.stored.seats.dropna(subset=["issued"])[["product", "feature"]].drop_duplicates()


def _with_options(log: Log, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `reserved` and `not_borrowed`, each at most the seats that there are."""
    own = options(log)
    own = own.assign(number=own["number"].fillna(0))
    # What a file says once and the log repeats is one option.
    own = own.drop_duplicates(["product", "feature", "option", "kind", "name"], keep="last")
    for column, option in (("reserved", "reserve"), ("not_borrowed", "borrow-lowwater")):
        sums = own[own["option"] == option].groupby(["product", "feature"])["number"].sum().rename(column)
        frame = frame.join(sums, on=["product", "feature"]).fillna({column: 0})
        frame[column] = frame[column].clip(upper=frame["seats"])
    return frame
