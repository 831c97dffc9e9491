"""What is copied from docs/deployment: its commands are the program's, its metrics are those that there are."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from authority.cli.main import cli
from authority.domain.refusals import PoolExhausted
from authority.wiring.settings import PREFIX, load
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.web import make_web

FOLDER = Path(__file__).parents[1] / "docs" / "deployment"
PROGRAM = "carnet-authority"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
PAGES = [FOLDER.parent / "operations.md", FOLDER.parent / "metrics.md"]


def unit(path: Path) -> configparser.RawConfigParser:
    """A unit of systemd; of what stands there several times the last."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, "utf-8")
    return parser


def commands() -> Iterator[tuple[str, list[str]]]:
    """The arguments of each command of the program, with the file that names it."""
    for path in FOLDER.glob("*.service"):
        words = shlex.split(unit(path)["Service"]["ExecStart"])
        if words[0] == "/bin/sh":
            words = shlex.split(words[2].removeprefix("exec "))
        assert words[0].endswith(f"/{PROGRAM}"), path
        yield path.name, words[1:]
    text = (FOLDER / "Containerfile").read_text("utf-8")
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0]) == [PROGRAM]
    yield "Containerfile", json.loads(re.findall(r"^CMD (.*)$", text, re.MULTILINE)[0])
    for line in re.findall(rf"^# podman run .* {PROGRAM} (init .*)$", text, re.MULTILINE):
        yield "Containerfile", shlex.split(line)
    service = ET.parse(FOLDER / "windows-service.xml").getroot()  # noqa: S314 - a file of ours
    assert str(service.findtext("executable")).endswith(f"\\{PROGRAM}.exe")
    yield "windows-service.xml", shlex.split(str(service.findtext("arguments")))


def test_every_command_is_one_of_the_program_with_options_that_it_has() -> None:
    names = []
    for file, arguments in commands():
        words = [word for word in arguments if not word.startswith("-")]
        depth = 2 if words[0] == "log" else 1
        shown = CliRunner().invoke(cli, [*words[:depth], "--help"])
        assert shown.exit_code == 0, (file, arguments)
        options = [word for word in arguments if word.startswith("-")]
        assert [option for option in options if not re.search(rf"(^|\s){option}\b", shown.output)] == [], (file, arguments)
        names.append(" ".join(words[:depth]))
    assert {"serve", "notify", "log seal", "backup", "init"} <= set(names)


def test_every_setting_is_one_of_the_program(tmp_path: Path) -> None:
    texts = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    for name, text in texts.items():
        settings = re.findall(rf'({PREFIX}\w+)(?:=|" value=")([^\s"\\]+)', text)
        load(dict(settings) | {f"{PREFIX}HOME": str(tmp_path)})
        assert bool(settings) == (name in {"Containerfile", "windows-service.xml"} or name.endswith(".service"))


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_whole(path: Path) -> None:
    parser = unit(path)
    assert parser["Unit"]["Description"]
    if path.suffix == ".timer":
        assert path.with_suffix(".service").exists()
        assert parser["Install"]["WantedBy"] == "timers.target"
    else:
        assert parser["Service"]["User"] == "carnet"
        assert {"NoNewPrivileges", "ProtectSystem", "UMask"} <= set(parser["Service"])


def test_the_authority_is_started_again_until_its_database_is_there() -> None:
    """A server whose database is on another machine ends with 3 while that one still starts."""
    parser = unit(FOLDER / "carnet-authority.service")
    assert parser["Service"]["Restart"] in {"on-failure", "always"}
    assert "RestartPreventExitStatus" not in parser["Service"]
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"
    assert int(parser["Service"]["RestartSec"]) >= 5
    runs = re.findall(r"^# podman run (.*)$", (FOLDER / "Containerfile").read_text("utf-8"), re.MULTILINE)
    assert ["--restart unless-stopped" in line for line in runs if "-d " in line] == [True]
    service = ET.parse(FOLDER / "windows-service.xml").getroot()  # noqa: S314 - a file of ours
    assert [item.get("action") for item in service.iter("onfailure")] == ["restart"]


def test_systemd_takes_them(tmp_path: Path) -> None:
    """As far as this machine has the program that says so; `test_units_are_whole` reads them everywhere."""
    verify = shutil.which("systemd-analyze")
    for path in UNITS:
        text = path.read_text("utf-8").replace(f"/opt/carnet/bin/{PROGRAM}", sys.executable)
        (tmp_path / path.name).write_text(text, "utf-8")
    if verify is not None:
        files = [str(path) for path in sorted(tmp_path.iterdir())]
        ended = subprocess.run([verify, "verify", "--man=no", *files], capture_output=True, text=True, check=False, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_proxies_lead_to_the_server_and_say_where_a_request_comes_from() -> None:
    nginx, caddy = ((FOLDER / name).read_text("utf-8") for name in ("nginx.conf", "Caddyfile"))
    assert "proxy_pass http://127.0.0.1:8440;" in nginx
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in nginx
    assert "reverse_proxy 127.0.0.1:8440" in caddy
    assert nginx.count("{") == nginx.count("}")
    assert caddy.count("{") == caddy.count("}")


@ON_SQLITE
def test_alerts_and_dashboard_ask_for_metrics_that_there_are(bench: Bench) -> None:
    web = make_web(bench)
    web.get("/borrows/nothing")
    families = list(text_string_to_metric_families(web.send("GET", "/metrics").get_data(as_text=True)))
    names = {sample.name for family in families for sample in family.samples} | {family.name for family in families}
    labels = {label for family in families for sample in family.samples for label in sample.labels} | {"job", "instance"}
    rules = yaml.safe_load((FOLDER / "carnet-alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text("utf-8"))
    queries = [rule["expr"] for rule in rules] + [
        target["expr"] for panel in dashboard["panels"] for target in panel["targets"]
    ]
    for query in queries:
        assert query.count("(") == query.count(")"), query
        assert set(re.findall(r"carnet_\w+", query)) <= names, query
        assert {word for group in re.findall(r"by \(([^)]*)\)", query) for word in group.split(", ")} <= labels, query
    page = PAGES[1].read_text("utf-8")
    assert len(rules) >= 10
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert f"| `{rule['alert']}` ({rule['labels']['severity']}) |" in page
        assert f"| {rule['annotations']['do']} |" in page
        for arguments in re.findall(rf"{PROGRAM} ([a-z-]+(?: [a-z]+)?)", rule["annotations"]["do"]):
            shown = [CliRunner().invoke(cli, [*arguments.split()[:depth], "--help"]).exit_code for depth in (2, 1)]
            assert 0 in shown, arguments


def test_that_all_seats_are_taken_is_told_only_where_somebody_was_refused_one() -> None:
    """All are assigned for ever where exactly enough were bought."""
    rules = yaml.safe_load((FOLDER / "carnet-alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    (rule,) = (rule for rule in rules if rule["alert"] == "CarnetNoSeatsLeft")
    free, refused = rule["expr"].split(" and on (job, instance) ")
    assert free.startswith("carnet_seats_free == 0 ")
    assert refused == f'carnet_denials_last_day{{code="{PoolExhausted.code}"}} > 0'


def test_the_account_of_the_windows_service_is_there_before_it_gets_the_home() -> None:
    text = (FOLDER / "windows-service.xml").read_text("utf-8")
    steps = [text.index(word) for word in ("carnet-authority.exe install\n", "/grant:r", "carnet-authority.exe start")]
    assert steps == sorted(steps)


def test_every_file_is_named_by_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in PAGES)
    unnamed = {path.name for path in FOLDER.iterdir() if f"deployment/{path.name}" not in pages}
    # A timer's service is beside it.
    assert {name for name in unnamed if not (FOLDER / name.replace(".service", ".timer")).exists()} == set()
