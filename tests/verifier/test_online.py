"""The line to the authority: a server that is slow, lies or breaks cannot hang, crash or fill a workstation."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hostile_server import (
    GOOD,
    JSON,
    Connection,
    Server,
    answer,
    certificate,
    dripping,
    endless,
    head,
    sending,
    serving,
    silent,
)
from tests.support.no_sockets import NO_SOCKETS
from verifier import addresses, online
from verifier.errors import AnswerUnusable, AuthorityUnreachable, CarnetError, CertificateRefused, WrongAddress

HUGE = b"9" * 18
PROBLEM = b'{"code": "pool-exhausted", "detail": "full"}'
# By path: what the server does, and how it must end for the workstation.
HOSTILE = {
    # It never ends, or says nothing: the whole exchange has one deadline.
    "silent": (silent, AuthorityUnreachable),
    "drips-headers": (dripping(b"HTTP/1.1 200 OK\r\nX: "), AuthorityUnreachable),
    "drips-body": (dripping(head(b"200 OK", JSON[:-2], b"Content-Length: 100000")), AuthorityUnreachable),
    # It sends for ever, or claims sizes that nobody has room for.
    "endless-body": (endless(head(b"200 OK", JSON[:-2]), b" " * 65536), AnswerUnusable),
    "endless-chunks": (
        endless(head(b"200 OK", JSON[:-2], b"Transfer-Encoding: chunked"), b"1000\r\n" + b" " * 4096 + b"\r\n"),
        AnswerUnusable,
    ),
    "endless-header": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), AuthorityUnreachable),
    "endless-headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000), AuthorityUnreachable),
    "endless-continue": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), AnswerUnusable),
    "huge-length": (sending(head(b"200 OK", JSON[:-2], b"Content-Length: " + HUGE) + GOOD), AuthorityUnreachable),
    "huge-chunk": (
        sending(head(b"200 OK", JSON[:-2], b"Transfer-Encoding: chunked") + b"f" * 15 + b"\r\n"),
        AuthorityUnreachable,
    ),
    "negative-chunk": (sending(head(b"200 OK", JSON[:-2], b"Transfer-Encoding: chunked") + b"-9\r\n{}"), CarnetError),
    # It breaks.
    "closes-at-once": (sending(b""), AuthorityUnreachable),
    "closes-in-headers": (sending(b"HTTP/1.1 200 OK\r\nContent-Ty"), AnswerUnusable),
    "closes-half-way": (sending(head(b"200 OK", JSON[:-2], b"Content-Length: 100") + b'{"to'), AuthorityUnreachable),
    "no-http": (sending(b"SSH-2.0-OpenSSH_9.2\r\n"), AuthorityUnreachable),
    "gateway": (sending(answer(b"<html>", b"502 Bad Gateway", b"text/html")), AuthorityUnreachable),
    # It lies.
    "redirect": (sending(head(b"302 Found", b"Location: https://elsewhere.example/", b"Content-Length: 0")), AnswerUnusable),
    "html": (sending(answer(b"<html>sign in to the hotel</html>", kind=b"text/html")), AnswerUnusable),
    "refusal-as-json": (sending(answer(PROBLEM, b"409 Conflict")), AnswerUnusable),
    "broken-json": (sending(answer(b'{"token": ')), AnswerUnusable),
    "an-array": (sending(answer(b"[]")), AnswerUnusable),
    "deep": (sending(answer(b'{"a":' * 100_000)), AnswerUnusable),
    "twice": (sending(answer(b'{"token": "a", "token": "b"}')), AnswerUnusable),
    "no-number": (sending(answer(b'{"token": NaN}')), AnswerUnusable),
    "endless-number": (sending(answer(b'{"token": [-1e999]}')), AnswerUnusable),
    "no-unicode": (sending(answer(b'{"token": "\xff"}')), AnswerUnusable),
    "packed": (sending(head(b"200 OK", JSON[:-2], b"Content-Encoding: gzip") + b"\x1f\x8b"), AnswerUnusable),
}
SAME = {"good": sending(answer(GOOD)), "refused": sending(answer(PROBLEM, b"409 Conflict", b"application/problem+json"))}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving({name: act for name, (act, _) in HOSTILE.items()} | SAME) as server:
        yield server


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "PAUSE_SECONDS", 0.0)
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def ask(server: Server, path: str, *, tries: int = 1, seconds: float = 20.0, scheme: str = "http") -> online.Answer:
    place = addresses.address(f"{scheme}://127.0.0.1:{server.port}/{path}")
    return online.exchange(
        place, "POST", "/sign-in", {"username": "ada"}, token="secret", tries=tries, patience_seconds=seconds
    )


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_server_ends_in_an_error_of_ours(server: Server, path: str) -> None:
    is_slow = path in {"silent", "drips-headers", "drips-body"}
    with pytest.raises(HOSTILE[path][1]) as caught:
        ask(server, path, seconds=0.4 if is_slow else 20.0)
    assert caught.value.exit_status == 5
    assert caught.value.hint
    assert len(caught.value.message) < 600


def test_a_redirect_is_not_followed_and_takes_no_secret_anywhere(server: Server) -> None:
    with pytest.raises(AnswerUnusable, match=r"redirect to https://elsewhere.example/"):
        ask(server, "redirect")


def test_an_answer_is_read_and_so_is_a_refusal(server: Server) -> None:
    assert ask(server, "good") == online.Answer(200, {"token": "t"})
    assert ask(server, "refused") == online.Answer(409, {"code": "pool-exhausted", "detail": "full"})


def test_a_lost_answer_is_asked_for_again_with_the_very_same_bytes() -> None:
    tries: list[int] = []

    def third_time(connection: Connection) -> None:
        tries.append(1)
        if len(tries) == 3:
            connection.sendall(answer(GOOD))

    with serving({"shy": third_time}) as server:
        assert ask(server, "shy", tries=3).members == {"token": "t"}
        assert len(server.requests) == 3
        assert len(set(server.requests)) == 1
        tries.clear()
        with pytest.raises(AuthorityUnreachable):
            ask(server, "shy", tries=2)


def test_where_nobody_listens_the_authority_is_unreachable() -> None:
    with serving({}) as server:
        port = server.port
    with pytest.raises(AuthorityUnreachable, match="cannot be reached"):
        online.exchange(addresses.address(f"http://127.0.0.1:{port}"), "GET", "/trust", tries=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def encrypted(folder: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder, "localhost", "127.0.0.1"))
    with serving(SAME, context) as server:
        yield server


def test_a_certificate_is_verified_against_the_systems_store(
    encrypted: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CertificateRefused, match=r"cannot prove that it is 127.0.0.1"):
        ask(encrypted, "good", scheme="https")
    if ssl.get_default_verify_paths().openssl_cafile_env == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "localhost.pem"))
        assert ask(encrypted, "good", scheme="https").status == 200


def test_a_certificate_of_another_name_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = certificate(folder, "other.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with serving(SAME, context) as server, pytest.raises(CertificateRefused):
        ask(server, "good", scheme="https")


def test_a_handshake_that_drips_ends_with_the_deadline(server: Server) -> None:
    with serving({"": silent}) as mute, pytest.raises(AuthorityUnreachable):
        ask(mute, "good", scheme="https", seconds=0.4)


def test_the_systems_proxy_is_asked_to_connect_and_sees_no_secret(
    encrypted: Server, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def refuse(connection: Connection) -> None:
        connection.sendall(head(b"407 Proxy Authentication Required", b"Content-Length: 0"))

    with serving({"CONNECT": refuse}) as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:pass%20word@127.0.0.1:{proxy.port}")
        place = addresses.address("https://licenses.example.org")
        with pytest.raises(AuthorityUnreachable, match=r"the proxy 127.0.0.1 answers with 407"):
            online.exchange(place, "GET", "/me", token="secret", tries=1)
        (request,) = proxy.requests
    assert request.startswith(b"CONNECT licenses.example.org:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk" in request
    assert b"secret" not in request
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(AuthorityUnreachable, match="socks5"):
        online.exchange(place, "GET", "/me", tries=1)


def test_behind_a_proxy_the_certificate_is_that_of_the_authority(
    encrypted: Server, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(online, "is_this_machine", lambda _: False)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "localhost.pem"))

    def forward(connection: Connection) -> None:
        import socket

        with socket.create_connection(("127.0.0.1", encrypted.port)) as onward:
            connection.sendall(head(b"200 Connection established"))
            back = threading.Thread(target=pump, args=(onward, connection))
            back.start()
            pump(connection, onward)
            back.join()

    def pump(source: Connection, target: Connection) -> None:
        import socket

        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    with serving({"CONNECT": forward}) as proxy:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        place = addresses.Address("https", "localhost", encrypted.port, "/good")
        assert online.exchange(place, "GET", "/me", tries=1).status == 200


ADDRESSES = {
    "https://licenses.example.org": "https://licenses.example.org",
    " https://LICENSES.example.org:443/ ": "https://licenses.example.org",
    "https://licenses.example.org:8440/carnet/": "https://licenses.example.org:8440/carnet",
    "https://licenses.example.org/api/v1": "https://licenses.example.org",
    "https://b\u00fcro.example": "https://xn--bro-hoa.example",
    "http://127.0.0.1:8440": "http://127.0.0.1:8440",
    "http://localhost:8440": "http://localhost:8440",
    "http://[::1]:8440": "http://[::1]:8440",
    "https://[2001:db8::1]": "https://[2001:db8::1]",
}


def test_an_address_has_one_spelling() -> None:
    assert {text: addresses.address(text).text for text in ADDRESSES} == ADDRESSES


NO_ADDRESSES = [
    "",
    "licenses.example.org",
    "ftp://licenses.example.org",
    "file:///etc/passwd",
    "http://licenses.example.org",
    "http://127.0.0.1.example.org",
    "http://localhost.example.org",
    "https://",
    "https://me:word@licenses.example.org",
    "https://licenses.example.org/?a=b",
    "https://licenses.example.org/#a",
    "https://licenses.example.org/a b",
    "https://licenses.example.org/%2e%2e",
    "https://licenses.example.org:0",
    "https://licenses.example.org:99999",
    "https://licenses.example.org:port",
    "https://licenses..example.org",
    "https://licenses.example.org\r\nX: y",
    "https://[::1",
    "https://-a.example",
    "https://" + "a" * 300,
]


def test_what_is_no_address_of_an_authority_is_refused() -> None:
    for text in NO_ADDRESSES:
        with pytest.raises(WrongAddress) as caught:
            addresses.address(text)
        assert caught.value.exit_status == 2, text


def test_what_stands_before_an_at_sign_is_in_no_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("https://me:s/zq#z@h.example", "me:zq@h.example", "https://me:zq@h.example:x", "https://me:s@zq@[::1"):
        with pytest.raises(WrongAddress) as wrong:
            addresses.address(text)
        assert "zq" not in wrong.value.message
    place = addresses.address("https://licenses.example.org")
    for proxy in ("socks5://me:secret@p.example:1080", "me:secret@p.example:port", "http://me:#secret@p.example"):
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(AuthorityUnreachable) as unreachable:
            online.exchange(place, "GET", "/me", tries=1)
        assert "secret" not in unreachable.value.message


def test_an_address_that_does_not_answer_leaves_the_next_one_its_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a name with an IPv6 address whose packets somebody drops."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        with contextlib.ExitStack() as waiting:
            # Its queue is full; who comes next waits.
            for _ in range(3):
                connection = waiting.enter_context(socket.socket())
                connection.setblocking(False)
                connection.connect_ex(deaf.getsockname())
            where = [
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))
                for port in (deaf.getsockname()[1], server.port)
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: where)
            assert ask(server, "good", seconds=3.0).status == 200


OFFLINE = (
    NO_SOCKETS
    + """from verifier.cli.main import main
for command in (["check", "arcgis-pro"], ["status"], ["request", "arcgis-pro", "-o", "x.request"], ["authority"]):
    main(["--home", "home", *command])
print(*[name for name in sys.modules if name in ("verifier.online", "verifier.connected.authority")])
"""
)


def test_t16_a_check_imports_nothing_that_opens_a_socket(tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", OFFLINE], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "mistake in the program" not in process.stderr
    assert process.stdout.splitlines()[-1] == ""
