"""What is written about the API: examples that fit their schemas, pages that load nothing from elsewhere, and docs/api.md as it runs."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema_rs import Draft202012Validator
from werkzeug.serving import make_server

from authority.domain.members import Role
from authority.web.problems import HTTP_CODES, STATUS
from tests.support.routes import described, documented_routes
from tests.support.web import Web, one_web
from tools.documentation import DOCS

TEXT = (DOCS / "api.md").read_text(encoding="utf-8")
DOCUMENT = described()
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    for made in one_web(tmp_path_factory.mktemp("web")):
        made.bench.member("chief", "Viewer", role=Role.ADMINISTRATOR, password=PASSWORD)
        made.bench.member("ada", groups=("field-crew",))
        yield made


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Where, schema and example of every parameter, body and answer."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            for item in operation.get("parameters", ()):
                yield f"{name} {item['name']}", item["schema"], item["example"]
            contents = {"body": operation.get("requestBody", {}).get("content", {})}
            contents |= {status: response.get("content", {}) for status, response in operation["responses"].items()}
            for where, content in contents.items():
                for kind, form in content.items():
                    if kind.endswith("json"):
                        yield f"{name} {where}", form["schema"], form["example"]


def test_every_example_fits_its_schema() -> None:
    wrong = []
    for where, schema, example in examples():
        validator = Draft202012Validator(schema | {"components": DOCUMENT["components"]})
        wrong += [(where, str(error.instance_path), error.message) for error in validator.iter_errors(example)]
    assert wrong == []
    # A route that answers with JSON has an example of it.
    assert len(list(examples())) > 3 * len(documented_routes())


class Links(HTMLParser):
    """What a page loads and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.tags.add(tag)
        self.addresses += [str(own[name]) for name in ("href", "src") if name in own]
        if "id" in own:
            self.anchors.add(str(own["id"]))
        assert not [name for name in own if name.startswith("on") or name == "style"]


def test_the_pages_load_nothing_from_elsewhere_and_lead_to_every_route(web: Web) -> None:
    index = web.send("GET", "/docs", None)
    assert "'unsafe" not in index.headers["Content-Security-Policy"]
    start = Links(index.get_data(as_text=True))
    anchors: dict[str, set[str]] = {}
    for address in sorted(set(start.addresses)):
        parts = urlsplit(address)
        assert (parts.scheme, parts.netloc) == ("", ""), address
        answer = web.send("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path or "/docs", None)
        text = answer.get_data(as_text=True)
        answer.close()
        assert answer.status_code == 200, address
        if parts.path.startswith("/docs/"):
            page = Links(text)
            assert not {"script", "iframe", "img", "form"} & page.tags
            anchors[parts.path] = page.anchors
    for address in start.addresses:
        path, _, anchor = address.partition("#")
        assert not anchor or path == "" or anchor in anchors[path], address
    text = "".join(web.send("GET", path, None).get_data(as_text=True) for path in anchors)
    assert [
        f"{method} {path}" for method, path, _ in documented_routes() if f"<code>{method} /api/v1{path}</code>" not in text
    ] == []
    for words in (" or null, in the", ".0 to "):
        assert words not in text
    assert "from 1 to 1000, in the query" in text
    slash = web.send("GET", "/docs/", None)
    assert (slash.status_code, slash.location) == (308, "/docs")
    again = web.send("GET", "/docs", None, headers={"If-None-Match": index.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_page_names_routes_and_codes_that_there_are() -> None:
    spans = re.findall(r"`([^`\n]+)`", TEXT)
    routes = {f"{method} {path}" for method, path, _ in documented_routes()}
    named = {span for span in spans if re.match(r"(GET|POST|PUT|PATCH|DELETE) /", span)}
    assert named <= routes
    codes = {*STATUS, *(code for code, _ in HTTP_CODES.values())}
    kebab = {span for span in spans if re.fullmatch(r"[a-z]+(-[a-z]+)+", span)}
    assert kebab - {"carnet-authority"} <= codes
    assert {"changed-meanwhile", "key-reused", "request-under-way", "answer-not-kept"} <= kebab


def test_the_lines_with_curl_are_understood(web: Web) -> None:
    """Each is sent as it stands; one that asks for a version that is none is told what there is."""
    lines = [line for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
    token, credentials = web.secrets[Role.ADMINISTRATOR], {"username": "chief", "password": PASSWORD}
    statuses = []
    for line in lines:
        if " | curl " not in line:
            continue
        address, *words = shlex.split(line.partition(" | curl ")[2].replace("$URL", ""))
        options = list(zip(words[::2], words[1::2], strict=True))
        headers = dict(word.split(": ", 1) for option, word in options if option == "-H" and word != "@-")
        if ("-H", "@-") in options:
            headers["Authorization"] = f"Bearer {token}"
        body = next((word for option, word in options if option == "-d"), None)
        more = {} if body is None else {"data": json.dumps(credentials) if body == "@-" else body}
        method = dict(options).get("-X", "GET" if body is None else "POST")
        statuses.append(web.send(method, address, None, headers=headers, **more).status_code)
    assert statuses == [200, 200, 201, 201, 412]


def test_the_python_on_the_page_runs_as_one_program(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = make_server("127.0.0.1", 0, web.client.application)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("TOKEN", web.secrets[Role.ADMINISTRATOR])
    try:
        exec("\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)), {"__name__": "page"})  # noqa: S102 - what the page says
    finally:
        server.shutdown()
        thread.join()
    assert capsys.readouterr().out.splitlines() == [
        "0 offline, 0 look stuck",
        "[]",
        "zoe",
        '412 another change of the rule "group field-crew" came first: longest days is now 60',
    ]
