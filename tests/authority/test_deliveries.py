"""Messages arrive, whatever a receiver does for a while: none is lost, and each has one id by which a receiver knows it again."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from authority.domain.members import CONSOLE
from authority.domain.notice_texts import Origin, message_of
from authority.domain.notices import Channel, ChannelType, DeliveryState, Digest, Message, Notice, NoticeKind
from authority.domain.refusals import InvalidInput, SettingsInvalid
from authority.sending import by_apprise, webhook
from authority.sending.failure import NotSent
from authority.services import channels, endings, member_changes, notices, notifying
from authority.services.channels import Change, NewChannel
from authority.services.unit import Unit
from authority.storage import deliveries
from tests.support.authorities import ON_SQLITE, START, Bench
from tests.support.borrowing import at_once, issued_to, workstation
from tests.support.receivers import (
    ANSWER_AND_BREAK_OFF,
    ANSWER_AND_HANG,
    BREAK_OFF,
    HANG,
    REDIRECT,
    REFUSE,
    TAKE_AND_BREAK_OFF,
    TAKE_AND_HANG,
    MailServer,
    Receiver,
    mail_server,
    webhook_receiver,
)
from tests.support.web import HOSTILE_TEXTS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def world(bench: Bench) -> Bench:
    """An authority with the borrow of ada that ends soon; it warns three days before."""
    bench.authority = replace(bench.authority, warn_before=timedelta(days=3), public_url="https://licenses.example.org")
    issued_to(bench, bench.member("ada", email="ada@example.org"), workstation("laptop"), days=6)
    bench.clock.turn(days=4)
    return bench


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try is over much sooner than in earnest."""
    monkeypatch.setattr(webhook, "DEADLINE_SECONDS", 0.5)


def hook(world: Bench, receiver: Receiver, *kinds: NoticeKind) -> Channel:
    new = NewChannel("hook", ChannelType.WEBHOOK, receiver.url, kinds or (NoticeKind.BORROW_DUE,), Digest.NONE)
    channel = channels.add(Unit(world.authority, CONSOLE), new)
    receiver.secret = str(channel.secret)
    return channel


def to_mail(world: Bench, url: str, *, to_members: bool = False, digest: Digest = Digest.NONE) -> Channel:
    new = NewChannel("mail", ChannelType.APPRISE, url, (NoticeKind.BORROW_DUE,), digest, to_members)
    return channels.add(Unit(world.authority, CONSOLE), new)


def states(world: Bench) -> list[tuple[DeliveryState, int]]:
    """State and tries of each message."""
    shown, _ = notices.listed(Unit(world.authority, CONSOLE))
    return [(sent.delivery.state, sent.delivery.tries) for item in shown for sent in item.sent]


def several_messages(world: Bench) -> None:
    """For each channel a message of ada's borrow, and five of others, which end an hour apart: what ends together is one."""
    for number in range(5):
        issued_to(world, world.member(f"m{number}"), workstation(f"m{number}"), days=2)
        world.clock.turn(hours=1)
    world.clock.turn(hours=18)
    for _ in range(7):
        notices.find(Unit(world.authority, CONSOLE))
        world.clock.turn(hours=1)


def run_until(world: Bench, state: DeliveryState, most: int = 40) -> None:
    """Runs again and again, an hour after the other, until each message is in this state."""
    for _ in range(most):
        notifying.run(world.authority)
        if {item for item, _ in states(world)} == {state}:
            return
        world.clock.turn(hours=1)
    raise AssertionError(states(world))


def test_a_receiver_that_refuses_hangs_breaks_off_and_answers_late_gets_each_message_once(
    world: Bench, receiver: Receiver
) -> None:
    hook(world, receiver)
    receiver.script = [REFUSE, REDIRECT, BREAK_OFF, HANG, TAKE_AND_BREAK_OFF, TAKE_AND_HANG]
    run_until(world, DeliveryState.SENT)
    (body,) = receiver.taken.values()
    assert len(receiver.requests) == 7
    assert set(receiver.requests) == receiver.taken.keys()
    assert [notice["facts"]["member"] for notice in receiver.notices()] == ["ada"]
    assert (body["type"], body["data"]["subject"]) == ("notice.borrow-due", "Field Survey: 1 borrow ends soon")
    assert "https://licenses.example.org/console/offline" in body["data"]["text"]
    assert states(world) == [(DeliveryState.SENT, 7)]


def test_a_receiver_has_all_the_time_that_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    page = (Path(__file__).parents[2] / "docs" / "notices.md").read_text("utf-8")
    assert f"within {webhook.DEADLINE_SECONDS:.0f} seconds; anything else is tried again" in page
    for address in ("http://127.0.0.1:1/", "https://127.0.0.1:1/"):
        with webhook._connection(address) as connection:
            assert connection.timeout == webhook.DEADLINE_SECONDS


def test_a_signature_is_verified_by_the_library_of_the_specification(receiver: Receiver) -> None:
    at = datetime.now(UTC)
    message = Message("msg_1", "subject", "text", {"notices": []})
    body = webhook.body_of(message, at)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp()))}
    headers["webhook-signature"] = webhook.signature(SECRET, "msg_1", int(at.timestamp()), body)
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)
    receiver.secret = SECRET
    webhook.send(receiver.url, SECRET, message, at)
    assert receiver.taken["msg_1"]["type"] == "notice.test"


def test_an_answer_of_2xx_counts_whatever_its_body_does_then(receiver: Receiver) -> None:
    receiver.secret = SECRET
    receiver.script = [ANSWER_AND_HANG, ANSWER_AND_BREAK_OFF]
    for message_id in ("hangs", "breaks off"):
        webhook.send(receiver.url, SECRET, Message(message_id, "subject", "text", {"notices": []}), datetime.now(UTC))
    assert receiver.taken.keys() == {"hangs", "breaks off"}


@ON_SQLITE
def test_members_without_a_mailbox_hold_up_nobody_and_the_channel_is_not_to_blame(world: Bench, mail: MailServer) -> None:
    for name in ("bea", "cyd", "dov"):
        issued_to(world, world.member(name, email=f"{name}@example.org"), workstation(name), "arcgis-pro", days=1)
    world.clock.turn(hours=20)
    to_mail(world, mail.url("from=licenses@example.org"), to_members=True)
    mail.unknown = {f"{name}@example.org" for name in ("ada", "bea", "cyd", "dov")}
    notifying.run(world.authority)
    mail.unknown.clear()
    # More than the failures after which a channel is left alone.
    assert states(world) == [(DeliveryState.WAITING, 1)] * 4
    assert notifying.health(Unit(world.authority, CONSOLE)).failing == ()


@ON_SQLITE
def test_what_never_arrives_is_given_up_after_three_days_and_shown(world: Bench, receiver: Receiver) -> None:
    hook(world, receiver)
    receiver.script = [REFUSE] * 100
    run_until(world, DeliveryState.GIVEN_UP, most=100)
    shown, _ = notices.listed(Unit(world.authority, CONSOLE), state=DeliveryState.GIVEN_UP)
    assert [(sent.channel, sent.delivery.error) for item in shown for sent in item.sent] == [("hook", "it answered 500")]
    # Twice as long between two tries each time, up to six hours: over three days that is few requests.
    assert 10 <= len(receiver.requests) <= 40
    health = notifying.health(Unit(world.authority, CONSOLE))
    assert (health.given_up, [channel.name for channel in health.failing]) == (1, ["hook"])


@ON_SQLITE
def test_a_channel_that_fails_keeps_no_other_back(world: Bench, receiver: Receiver, mail: MailServer) -> None:
    mail.mails.clear()
    hook(world, receiver)
    to_mail(world, mail.url())
    several_messages(world)
    receiver.script = [REFUSE] * 20
    notifying.run(world.authority)
    assert (len(mail.mails), len(receiver.requests)) == (6, 3)
    world.clock.turn(hours=1)
    notifying.run(world.authority)
    # Something was wrong before: one try says whether it still is.
    assert len(receiver.requests) == 4
    receiver.script = []
    run_until(world, DeliveryState.SENT)
    assert len(receiver.taken) == len(mail.mails) == 6


def test_two_runs_at_once_send_each_message_once(world: Bench, receiver: Receiver) -> None:
    hook(world, receiver)
    several_messages(world)
    at_once([lambda: notifying.run(world.authority)] * 4)
    assert Counter(receiver.requests) == dict.fromkeys(receiver.taken, 1)
    assert len(receiver.taken) == 6


def test_what_a_process_held_that_is_gone_is_sent_when_its_time_is_over(world: Bench, receiver: Receiver) -> None:
    hook(world, receiver)
    notices.find(Unit(world.authority, CONSOLE))
    unit = Unit(world.authority, CONSOLE)
    with unit.writing():
        claimed = deliveries.claim(unit.connection, "a" * 22, unit.at, unit.at + timedelta(minutes=3))
    assert claimed is not None
    world.clock.turn(minutes=2)
    notifying.run(world.authority)
    assert receiver.requests == []
    world.clock.turn(minutes=2)
    notifying.run(world.authority)
    assert receiver.requests == [claimed.delivery.id]
    # Who comes back after all changes nothing of what became of it.
    with unit.writing():
        assert not deliveries.settle(unit.connection, claimed.delivery, DeliveryState.WAITING, error="late")
    assert states(world) == [(DeliveryState.SENT, 2)]


def test_a_paused_channel_sends_nothing_and_what_waits_goes_when_it_goes_on(world: Bench, receiver: Receiver) -> None:
    channel = hook(world, receiver)
    channels.change(Unit(world.authority, CONSOLE), channel.id, Change(paused=True))
    notifying.run(world.authority)
    assert receiver.requests == []
    channels.change(Unit(world.authority, CONSOLE), channel.id, Change(paused=False))
    notifying.run(world.authority)
    assert len(receiver.taken) == 1


@ON_SQLITE
def test_what_was_renewed_or_given_back_before_its_message_goes_is_left_out(world: Bench, receiver: Receiver) -> None:
    hook(world, receiver, NoticeKind.BORROW_DUE, NoticeKind.BORROW_OVERDUE)
    channels.change(Unit(world.authority, CONSOLE), "hook", Change(digest=Digest.ALL))
    laptops = {name: workstation(name) for name in ("bob", "carl")}
    actors = {name: world.member(name) for name in laptops}
    issued = {name: issued_to(world, actors[name], laptop, days=3) for name, laptop in laptops.items()}
    world.clock.turn(hours=37)
    notifying.run(world.authority)
    endings.check_in(Unit(world.authority, actors["bob"]), laptops["bob"].receipt_for(issued["bob"].file, world.clock()))
    issued_to(world, actors["carl"], laptops["carl"], days=20)
    world.clock.turn(hours=23)
    notifying.run(world.authority)
    assert {notice["facts"]["member"] for notice in receiver.notices()} == {"ada"}
    endings.revoke(Unit(world.authority, CONSOLE), issued["carl"].borrow.id, "lost")
    assert {state for state, _ in states(world)} == {DeliveryState.SENT}


@ON_SQLITE
def test_a_message_of_which_nothing_is_so_any_more_is_not_sent(world: Bench, receiver: Receiver) -> None:
    hook(world, receiver)
    notices.find(Unit(world.authority, CONSOLE))
    (borrow_id,) = [item.notice.facts["borrow"] for item in notices.listed(Unit(world.authority, CONSOLE))[0]]
    endings.revoke(Unit(world.authority, CONSOLE), borrow_id, "lost")
    notifying.run(world.authority)
    assert (receiver.requests, states(world)) == ([], [(DeliveryState.NOT_NEEDED, 1)])


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_texts_from_outside_stay_values_in_a_webhook(receiver: Receiver, name: str) -> None:
    receiver.secret, hostile = SECRET, HOSTILE_TEXTS[name].replace("\ud800", "?")
    facts = {"product": "p", "member": "ada", "machine": hostile, "ends_at": "soon", "borrow": "b", "evidence": hostile}
    message = message_of("m", [Notice("n", NoticeKind.CLONE_SUSPECTED, facts, START)], Origin(hostile, None))
    webhook.send(receiver.url, SECRET, message, START)
    (notice,) = receiver.notices()
    assert notice["facts"] == facts
    text = receiver.taken["m"]["data"]["text"]
    assert not [char for char in text if not (char.isprintable() or char == "\n")]
    assert "<script" not in text


def mails_to(mail: MailServer, recipient: str) -> list[EmailMessage]:
    return [message for recipients, message in mail.mails if recipients == [recipient]]


@ON_SQLITE
def test_a_mail_server_that_refuses_for_a_while_gets_each_mail_once(world: Bench, mail: MailServer) -> None:
    mail.mails.clear()
    to_mail(world, mail.url())
    mail.script = ["451 try later", "554 no"]
    run_until(world, DeliveryState.SENT)
    (message,) = mails_to(mail, "desk@example.org")
    assert message["Subject"] == "Field Survey: 1 borrow ends soon"
    assert states(world) == [(DeliveryState.SENT, 3)]


@ON_SQLITE
def test_b14_a_member_hears_of_the_end_of_a_borrow_before_it_comes(world: Bench, mail: MailServer) -> None:
    mail.mails.clear()
    to_mail(world, mail.url("from=licenses@example.org"), to_members=True, digest=Digest.SLOW)
    notifying.run(world.authority)
    assert mail.mails == []
    world.clock.turn(days=1)
    notifying.run(world.authority)
    (message,) = mails_to(mail, "ada@example.org")
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "- ArcGIS Pro Advanced of ada on" in text
    assert "carnet request" in text
    assert len(mail.mails) == 1


@ON_SQLITE
def test_a_member_without_an_address_any_more_is_given_up_and_the_channel_is_not_to_blame(
    world: Bench, mail: MailServer
) -> None:
    to_mail(world, mail.url("from=licenses@example.org"), to_members=True)
    notices.find(Unit(world.authority, CONSOLE))
    member_changes.change(Unit(world.authority, CONSOLE), "ada", member_changes.Change(email=""))
    notifying.run(world.authority)
    assert states(world) == [(DeliveryState.GIVEN_UP, 1)]
    assert notifying.health(Unit(world.authority, CONSOLE)).failing == ()


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_texts_from_outside_stay_words_in_a_mail(mail: MailServer, name: str) -> None:
    mail.mails.clear()
    hostile = HOSTILE_TEXTS[name].replace("\ud800", "?") + "\r\nBcc: thief@example.org\r\n\r\n<img src=x onerror=alert(1)>"
    facts = {"product": "p", "member": "ada", "machine": hostile, "ends_at": "soon", "borrow": "b", "evidence": hostile}
    notice = Notice("n", NoticeKind.CLONE_SUSPECTED, facts, START)
    message = message_of("m", [notice], Origin(hostile, None))
    assert message.subject.isprintable()
    by_apprise.send(mail.url(), message)
    (recipients, mail_message), *more = mail.mails
    assert (recipients, more, mail_message["Bcc"]) == (["desk@example.org"], [], None)
    # No part of it is HTML, and no line begins like a header of its own.
    assert (mail_message.get_content_type(), mail_message.is_multipart()) == ("text/plain", False)
    for text in ("<img", "<script", "\nBcc"):
        assert text not in mail_message.get_content()


def test_a_message_of_the_day_groups_by_kind_and_stays_within_bounds() -> None:
    facts = {"product": "p", "member": "m", "machine": "x" * 500, "ends_at": "soon", "borrow": "b", "evidence": "e"}
    rows = [Notice(str(number), NoticeKind.BORROW_DUE, facts, START) for number in range(150)]
    rows.insert(0, Notice("c", NoticeKind.CLONE_SUSPECTED, facts, START))
    message = message_of("m", rows, Origin("Field Survey", None))
    assert message.subject == "Field Survey: 150 borrows end soon; 1 machine may be there twice"
    assert "- and 50 more" in message.text
    assert len(message.text) < 30_000
    assert len(message.data["notices"]) == 151


@pytest.fixture
def root_log() -> Iterator[io.StringIO]:
    """What everybody logs, as an operator who wants to know everything gets it."""
    by_apprise._service("json://localhost")
    text, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(text), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


ADDRESSES = {
    "http elsewhere": (ChannelType.WEBHOOK, "http://alerts.example.org/s3cret"),
    "user and password": (ChannelType.WEBHOOK, "https://s3cret:s3cret@alerts.example.org/"),
    "line break": (ChannelType.WEBHOOK, "https://alerts.example.org/s3cret\r\nHost: x"),
    "no port": (ChannelType.WEBHOOK, "https://alerts.example.org:s3cret/"),
    "long": (ChannelType.WEBHOOK, "https://alerts.example.org/s3cret" + "x" * 3000),
    "unknown service": (ChannelType.APPRISE, "carrier-pigeon://s3cret"),
    "this machine's log": (ChannelType.APPRISE, "syslog://?s3cret"),
    "a file of this machine": (
        ChannelType.APPRISE,
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#s3cret?template=/etc/passwd",
    ),
    "a key of this machine": (ChannelType.APPRISE, "mailto://u:s3cret@example.org?pgpkey=/etc/key"),
    "no mail server": (ChannelType.APPRISE, "json://s3cret.example.org"),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_that_cannot_be_is_refused_and_not_repeated(sqlite_bench: Bench, name: str) -> None:
    kind, address = ADDRESSES[name]
    new = NewChannel("x", kind, address, to_members=name == "no mail server")
    with pytest.raises(InvalidInput) as caught:
        channels.add(Unit(sqlite_bench.authority, CONSOLE), new)
    assert "s3cret" not in f"{caught.value.message} {caught.value.hint} {caught.value.evidence}"


@ON_SQLITE
def test_nothing_secret_stands_in_errors_and_logs(
    world: Bench, receiver: Receiver, capfd: pytest.CaptureFixture[str], root_log: io.StringIO
) -> None:
    channel = hook(world, receiver)
    url = "mailto://user:s3cretword@127.0.0.1:1?from=a@example.org&to=s3cretpath@example.org"
    to_mail(world, url)
    receiver.script = [BREAK_OFF]
    run = notifying.run(world.authority)
    assert [item.error for item in run.tries] == [item.error for item in run.tries if item.error]
    assert len(run.tries) == 2
    everything = [
        *map(str, run.tries),
        repr(channel),
        repr(channels.listed(Unit(world.authority, CONSOLE))),
        root_log.getvalue(),
    ]
    everything += [str(item) for item in notices.listed(Unit(world.authority, CONSOLE))[0]]
    trial = channels.try_out(Unit(world.authority, CONSOLE), "mail")
    assert trial.error == "nobody answers at its address and port"
    everything += [str(trial), *capfd.readouterr()]
    for secret in ("s3cret", str(channel.secret)):
        assert not [text for text in everything if secret in text]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("550 no such mailbox s3cret", "the mail server answered 550: it takes no such mail"),
        ("451 later s3cret", "the mail server answered 451: not now"),
    ],
)
def test_why_a_mail_was_not_taken_is_said_without_what_the_server_wrote(mail: MailServer, answer: str, reason: str) -> None:
    mail.script = [answer]
    with pytest.raises(NotSent) as caught:
        by_apprise.send(mail.url(), Message("1", "subject", "text", {"notices": []}))
    assert str(caught.value) == reason


def test_what_a_line_says_of_a_mail_server_is_said_in_words_of_ours() -> None:
    lines = {
        "Socket Exception: (535, b'5.7.8 bad s3cret')": "the mail server answered 535: it did not take the user or the password",
        "Socket Exception: {'a@s3cret.org': (450, b'x')}": "the mail server answered 450: not now",
        "Socket Exception: [Errno 111] Connection refused": "nobody answers at its address and port",
        "Socket Exception: [Errno -2] Name or service not known": "its name is not known here",
        "Socket Exception: [SSL: CERTIFICATE_VERIFY_FAILED] s3cret": "its certificate is not to be believed",
        "Socket Exception: timed out": "it took too long to answer",
        "Socket Exception: s3cret": "it cannot be reached, or did not let us in",
    }
    first = 'Connection error while submitting email to "s3cret"'
    assert {line: str(by_apprise._failure([first, line])) for line in lines} == lines
    # Of one mail alone, where the server was reached and let us in.
    sent = 'Sending email to "s3cret" failed.'
    of_recipient = [line for line in lines if by_apprise._failure([line, sent]).is_of_recipient]
    assert of_recipient == ["Socket Exception: {'a@s3cret.org': (450, b'x')}", "Socket Exception: s3cret"]


@ON_SQLITE
def test_without_apprise_mail_says_what_to_install_and_webhooks_go_on(
    world: Bench, receiver: Receiver, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_mail(world, mail.url())
    hook(world, receiver)
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsInvalid, match=r"pip install 'carnet\[notices\]'"):
        channels.add(Unit(world.authority, CONSOLE), NewChannel("other", ChannelType.APPRISE, mail.url()))
    run = notifying.run(world.authority)
    assert {item.channel: item.state for item in run.tries} == {"mail": DeliveryState.WAITING, "hook": DeliveryState.SENT}
    assert "pip install" in str(next(item.error for item in run.tries if item.channel == "mail"))


@ON_SQLITE
def test_a_test_message_says_that_a_channel_works(world: Bench, receiver: Receiver, mail: MailServer) -> None:
    mail.mails.clear()
    hook(world, receiver)
    to_mail(world, mail.url("from=licenses@example.org"), to_members=True)
    unit = Unit(world.authority, CONSOLE)
    channels.try_out(unit, "HOOK")
    assert [body["type"] for body in receiver.taken.values()] == ["notice.test"]
    channels.try_out(unit, "mail", recipient="admin@example.org")
    assert len(mails_to(mail, "admin@example.org")) == 1
    for name, recipient in (("mail", None), ("hook", "a@example.org")):
        with pytest.raises(InvalidInput):
            channels.try_out(unit, name, recipient=recipient)


@ON_SQLITE
def test_how_notices_are_going_is_said(world: Bench, receiver: Receiver) -> None:
    unit = Unit(world.authority, CONSOLE)
    assert notifying.problem_of(notifying.health(unit), world.clock()) is None
    assert notifying.seconds_since_run(unit) is None
    hook(world, receiver)
    assert "ever looked for" in str(notifying.problem_of(notifying.health(unit), world.clock()))
    notifying.run(world.authority)
    world.clock.turn(minutes=10)
    assert notifying.problem_of(notifying.health(unit), world.clock()) is None
    assert notifying.seconds_since_run(unit) == 600
    world.clock.turn(hours=3)
    assert "the last time" in str(notifying.problem_of(notifying.health(unit), world.clock()))


@ON_SQLITE
def test_what_is_older_than_is_shown_is_forgotten(world: Bench, receiver: Receiver) -> None:
    hook(world, receiver)
    notifying.run(world.authority)
    world.clock.turn(days=91)
    notifying.run(world.authority)
    assert notices.listed(Unit(world.authority, CONSOLE)) == ([], None)
