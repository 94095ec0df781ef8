"""The compose file and the image, held against the published schema and our own rules. No Docker engine is needed."""

import copy
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from attune.cli.main import app
from streams.settings import Settings, read_settings
from tests.architecture.rooms import ROOT, declared
from tests.integration.provision import kafka_version

HERE = Path(__file__).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SCHEMA = json.loads((HERE / "compose-spec.json").read_text())
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


def problems(document: object) -> list[str]:
    """What the Compose Specification's schema has against a document."""
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_schema_is_the_published_one() -> None:
    digest = hashlib.sha256((HERE / "compose-spec.json").read_bytes()).hexdigest()
    assert digest in (HERE / "README.md").read_text()


def test_the_compose_file_keeps_the_published_schema() -> None:
    assert problems(COMPOSE) == []


@pytest.mark.parametrize(
    "mistake",
    [{"memory_limit": "1g"}, {"depends_on": {"redis": {"condition": "healthy"}}}, {"command": 7}, {"restart": True}],
    ids=str,
)
def test_a_mistake_is_caught_by_the_schema(mistake: dict[str, object]) -> None:
    broken = copy.deepcopy(COMPOSE)
    broken["services"]["worker"] |= mistake
    assert problems(broken) != []


def test_the_set_is_complete() -> None:
    watched = {"lag", "prometheus", "grafana"}
    assert {"kafka", "redis", "topics", "worker", "learner", "sink", "api", "mailer", "console"} | watched == set(
        SERVICES
    )
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert "deploy" not in SERVICES["learner"], "there is one learner"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_watched_and_not_root(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["healthcheck"]
    assert service["restart"] in {"unless-stopped", "on-failure:5"}
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert re.fullmatch(r"[\w./-]+:v?\d[\w.-]*", service["image"]), "an image is pinned by its version"


@pytest.mark.parametrize("name", ["topics", "worker", "learner", "sink", "api", "mailer", "console", "lag"])
def test_nothing_starts_before_what_it_needs(name: str) -> None:
    needs = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
    assert needs.pop("kafka") == "service_healthy"
    if name != "topics":
        assert needs.pop("topics") == "service_completed_successfully"
    assert needs == ({"redis": "service_healthy"} if name in {"sink", "api", "console"} else {})


def test_ports_are_bound_to_this_host_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_it_is_the_kafka_that_the_tests_run() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


def test_what_must_outlive_a_container_is_a_volume_of_the_images_user() -> None:
    for name in ("mailer", "console"):
        state_dir = SERVICES[name]["environment"]["ATTUNE_STATE_DIR"]
        assert f"{name}:{state_dir}" in SERVICES[name]["volumes"]
        assert f"RUN install -d -o 10001 -g 10001 {state_dir}" in DOCKERFILE


def test_the_services_settings_exist() -> None:
    known = {f"ATTUNE_{field.upper()}" for field in Settings.__struct_fields__}
    used = {
        name for service in SERVICES.values() for name in service.get("environment", ()) if name.startswith("ATTUNE_")
    }
    assert used
    assert used <= known


def test_mounted_files_exist_and_prometheus_asks_services_that_are_there() -> None:
    mounts = {mount for service in SERVICES.values() for mount in service.get("volumes", []) if mount[0] == "."}
    assert len(mounts) == 4
    assert all(mount.endswith(":ro") and (ROOT / mount.split(":")[0]).exists() for mount in mounts)
    read_settings({"ATTUNE_CONFIG": str(ROOT / "deploy" / "attune.toml")})  # raises where a key is unknown
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    names = {name for job in jobs for each in job.get("dns_sd_configs", []) for name in each["names"]}
    static = [target for job in jobs for each in job.get("static_configs", []) for target in each["targets"]]
    assert names | {target.split(":")[0] for target in static} == {"worker", "learner", "sink", "lag"}
    assert static == ["lag:" + SERVICES["lag"]["command"][SERVICES["lag"]["command"].index("--port") + 1]]


def understood(command: list[str]) -> bool:
    """Whether the command line knows a command and its options."""
    assert command[0] == "attune"
    return CliRunner().invoke(app, [*command[1:], "--help"]).exit_code == 0


def test_the_services_commands_exist() -> None:
    commands = [each["command"] for each in SERVICES.values() if each.get("command", [""])[0] == "attune"]
    assert len(commands) == 8
    assert all(understood(command) for command in commands)
    assert not understood(["attune", "worker", "--roll", "sink"])
    assert not understood(["attune", "topic", "create"])


def test_the_image_is_built_from_the_lock_and_is_not_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2, "two stages"
    assert all(re.fullmatch(r"python:3\.\d+(\.\d+)?-[a-z-]+", base) for base in bases)
    installs = [line for line in DOCKERFILE.splitlines() if re.search(r"pip install.*-r", line)]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1] == SERVICES["worker"]["user"]


def test_the_builder_gets_what_it_needs_and_nothing_else() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in rules
    admitted = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert admitted == {
        *declared(),
        "pyproject.toml",
        "requirements.lock",
        "requirements-build.lock",
        "README.md",
        "LICENSE",
    }
