"""Whatever bytes a file holds: a log comes out, or one of this library's errors."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkout_log.columns import EVENTS, checked
from checkout_log.errors import LogError
from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.sources.flexnet import lines as flexnet_lines
from checkout_log.sources.lmstat import rows as lmstat_rows
from checkout_log.sources.lmx import rows as lmx_rows
from checkout_log.sources.rlm import lines as rlm_lines

FLEXNET = (
    " 8:42:20 (lmgrd) Server's System Date and Time: Thu May 05 2022 08:42:20 Hora de verano romance",
    " 8:42:23 (lmgrd) FlexNet Licensing (v11.18.0.0 build 275847 x64_n6) started on keeper (IBM PC) (5/5/2022)",
    " 8:42:25 (vendord) Server started on keeper for:\t",
    "10:00:00 (vendord) TIMESTAMP 5/5/2022",
    '10:00:01 (vendord) OUT: "F1" (00B0 EF6E) Ana Mª@pc1  (3 licenses) ',
    '23:59:59 (vendord) IN: "F1" Ana Mª@pc1  (INACTIVE)',
    '00:00:01 (vendord) DENIED: "F1" ann@pc1  (Licensed number of users already reached. (-4,342:104 "x"))',
    '00:00:01 (vendord) UPGRADE: "F1" ann@pc1  (1->3 licenses)',
    "10:00:00 (vendord) (@vendord-SLOG@) Time: Thu May 05 2022 10:00:00 Z",
    "10:00:00 (lmgrd) EXITING DUE TO SIGNAL 15",
)
LMSTAT = (
    "Flexible License Manager status on Fri 10/20/2017 17:02",
    "License server status: 27002@keeper",
    "   vendord: UP v11.6",
    "Users of F1:  (Total of 4 licenses issued;  Total of 2 licenses in use)",
    '  "F1" v61.9, vendor: vendord',
    "    ann pc1 /dev/tty (v61.9) (keeper/27002 18856), start Fri 10/20 14:12, 16 licenses (linger: 885098 / 1340160)",
    "    bob pc1 tty 61.9 (v61.9) (keeper/27002 15480) queued for 1 license",
)
LMX_TEXT = (
    "LM-X License Server on 6200@keeper:",
    "2024-03-11 10:00",
    "Feature: F1 Version: 21.0 Vendor: vendord",
    "Key type: EXCLUSIVE License sharing: HOST USER VIRTUAL",
    "3 of 9 license(s) used:",
    "2 license(s) used by ann@pc1 [10.1.2.3]",
    "    Login time: 2024-03-11 09:26   Checkout time: 2024-03-11 09:29 ",
    "1 license(s) used by bob@pc2 [10.1.2.3]",
    "    Borrow expire time: 2024-03-20 18:00",
    '<FEATURE NAME="F1" VENDOR="vendord" USED_LICENSES="2" TOTAL_LICENSES="9" SHARE="HOST">',
    '<USER NAME="ann" HOST="pc1" USED_LICENSES="2" CHECKOUT_TIME="2024-03-11 09:29"/>',
)
RLM = (
    "RLM Report Log Format 0, version 14.0",
    "ISV: reprise, RLM version 14.2 BL3",
    "START keeper 12/31/2021 08:00",
    'OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "" "" 12/31 10:57:52.0001 "x" "y" 8 5f',
    'OUT imaris 6.0 ann pc1 "" 1 26e 26e 10:57',
    'IN 1 imaris 6.0 ann pc1 "" 1 1 0 26e 12/31 11:57:52',
    "IN 1 1 26e 10:57",
    'DENY imaris 6.0 eve pc2 "" 1 -22 1 12/31 11:00',
    'INUSE imaris 6.0 9 ann pc1 "" 1 26e 410 12/31 08:00:00',
    'ROAM_EXTEND imaris 6.0 9 ann pc1 "" 4 26e 410 01/02 10:00:00',
    "SHUTDOWN root keeper 01/01 10:00:00",
    "END 01/01/2022 10:00",
)
DEBUG = (
    "12/30 08:00 (reprise) Server started on keeper (hostid: ANY) for:",
    "12/31 10:57 (reprise) OUT: imaris v6.0 by lab user@pc1 (2 licenses)",
    "01/01 08:00 (reprise) IN: (client exit) imaris v6.0 by lab user@pc1",
    "01/01 08:01 (reprise) DENIED: (3) imaris v6.0 to eve@pc2",
)
EXPORT = (
    (
        '{"at":"2025-01-01T00:00:00Z","event":"checkout","mode":"session","handle":"h","product":"p","feature":"f","member":"ann",'
        '"group":null,"machine":"m","alias":null,"os_user":null,"quantity":1,"until":null,"reason":null,"source":"authority","line":1}'
    ),
)
CSV = (
    "at,event,mode,handle,product,feature,member,group,machine,alias,os_user,quantity,until,reason,source,line",
    "2025-01-01T00:00:00Z,checkout,session,h,p,f,'=ann,,m,,,1,,,authority,1",
)
KINDS = (FLEXNET, LMSTAT, LMX_TEXT, RLM, DEBUG, EXPORT, CSV)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Lines of a log, some of them repeated, moved, cut, or with signs put in, taken out or changed."""
    kind = draw(st.sampled_from(KINDS))
    lines = [kind[0], *draw(st.lists(st.sampled_from(kind), max_size=12))]
    data = bytearray(draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])).join(lines).encode())
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data)))
        change = draw(st.sampled_from(["insert", "delete", "digit", "cut"]))
        if change == "insert":
            data[at:at] = draw(st.binary(max_size=6))
        elif change == "delete":
            del data[at : at + draw(st.integers(1, 9))]
        elif change == "digit":
            places = [place for place, sign in enumerate(data) if 48 <= sign < 58]
            if places:
                data[draw(st.sampled_from(places))] = draw(st.integers(48, 57))
        else:
            del data[at:]
    return bytes(data)


def outcome(data: bytes) -> Log | LogError:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(data)
        try:
            log = read(path, timezone="Europe/Madrid")
        except LogError as error:
            return error
        checked(log.events(), EVENTS)
        quality = log.quality().iloc[0]
        assert (quality[["lines", "events", "other", "malformed", "undated", "ambiguous", "overlapping"]] >= 0).all()
        if quality["kind"] == "flexnet":
            counted = ["events", "other", "malformed", "undated", "overlapping"]
            assert quality[counted].sum() == quality["lines"]
        log.engine.connection.disconnect()
        return log


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_damaged_logs_are_logs_or_errors(data: bytes) -> None:
    assert isinstance(outcome(data), Log | LogError)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2_000))
def test_bytes_are_logs_or_errors(data: bytes) -> None:
    assert isinstance(outcome(data), Log | LogError)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(KINDS))
def test_bytes_after_a_log_are_counted_or_passed_over(data: bytes, kind: tuple[str, ...]) -> None:
    assert isinstance(outcome("\n".join(kind).encode() + b"\n" + data), Log | LogError)


@given(st.text())
def test_any_text_is_read_by_every_grammar(text: str) -> None:
    flexnet_lines.read(f"(v) {text}")
    flexnet_lines.read(f"(v) OUT: {text}")
    lmstat_rows.snapshot_time(text)
    lmx_rows.stamp(text)
    list(lmx_rows.marks(text))
    list(lmx_rows.marks(f"<USER {text}"))
    for read_line in (rlm_lines.report, rlm_lines.debug):
        try:
            read_line(text)
        except rlm_lines.Unread:
            continue
