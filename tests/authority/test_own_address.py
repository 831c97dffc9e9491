"""Whether others reach the authority at its public address: `public_url`, by the name, the certificate and who answers."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from authority.domain.members import CONSOLE
from authority.domain.refusals import Refusal
from authority.sending import own_address
from authority.sending.own_address import Look
from authority.services import reachability
from authority.services.unit import Unit
from authority.signing.keyring import KeyRing
from authority.wiring.app import wire
from authority.wiring.settings import load
from tests.support.authorities import Bench
from tests.support.hostile_server import answer, certificate, sending, serving, silent


def trust_of(organization: str) -> bytes:
    return answer(json.dumps({"carnet": "trust", "version": 1, "organization": organization}).encode())


def refuse_one(listener: socket.socket) -> None:
    """Answers one connection as a server without TLS does."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_who_answers_there_is_said_and_what_is_wrong_for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_address, "PART_SECONDS", 0.5)
    own = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    answers = {
        "field-survey": (trust_of("field-survey"), "organization", "field-survey"),
        "page": (answer(b"<html>", kind=b"text/html"), "wrong", own_address.NO_AUTHORITY),
        "elsewhere": (answer(b"", b"301 Moved\r\nLocation: https://other.example"), "wrong", "it says 301"),
        "not found": (answer(b"{}", b"404 Not Found"), "wrong", "it says 404"),
        "no JSON object": (answer(b"[]"), "wrong", own_address.NO_AUTHORITY),
        "no HTTP": (b"220 smtp.example.org ESMTP\r\n", "wrong", own_address.NO_AUTHORITY),
        "a proxy alone": (answer(b"", b"502 Bad Gateway"), "remark", "behind the proxy"),
    }
    with serving({"api": silent}, context) as server:
        url = f"https://127.0.0.1:{server.port}"
        for case, (data, member, said) in answers.items():
            server.answers["api"] = sending(data)
            state = own_address.look(url)
            assert said in (getattr(state, member) or ""), (case, state)
        server.answers["api"] = silent
        assert "nothing answers there now" in (own_address.look(url).remark or "")
        # The certificate is that of an address, and of no name.
        assert "Hostname mismatch" in (own_address.look(f"https://localhost:{server.port}").wrong or "")
        monkeypatch.delenv("SSL_CERT_FILE")
        assert "workstations have to" in (own_address.look(url).remark or "")
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=refuse_one, args=(plain,), daemon=True).start()
        look = own_address.look(f"https://127.0.0.1:{plain.getsockname()[1]}")
    assert look.wrong == "what answers there does not speak TLS"
    assert "nothing answers there now" in (own_address.look(url).remark or "")


def test_a_name_that_nobody_looks_up_in_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_address, "DEADLINE_SECONDS", 0.01)
    with serving({"api": silent}) as server:
        assert own_address.look(f"http://127.0.0.1:{server.port}") == Look(remark="nothing answered there within 0.01 seconds")


def test_another_organization_there_is_wrong_and_silence_is_told(sqlite_bench: Bench) -> None:
    sqlite_bench.authority = replace(sqlite_bench.authority, public_url="https://licenses.example.org")
    unit, own = Unit(sqlite_bench.authority, CONSOLE), "field-survey"
    assert "this authority answers there" in reachability.sentence(unit, lambda _: Look(organization=own))
    assert "nothing answers" in reachability.sentence(unit, lambda _: Look(remark="nothing answers there now"))
    with pytest.raises(Refusal) as caught:
        reachability.sentence(unit, lambda _: Look(organization="acme"))
    assert 'the authority of "acme" answers there, this one is of "field-survey"' in caught.value.message


def test_notices_lead_to_the_address_of_the_settings(tmp_path: Path) -> None:
    settings = load({"CARNET_AUTHORITY_PUBLIC_URL": "https://licenses.example.org"}, str(tmp_path))
    authority = wire(settings, KeyRing({}))
    authority.database.close()
    assert authority.public_url == "https://licenses.example.org"
