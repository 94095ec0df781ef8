"""`attune topics`, and the two texts that are committed."""

import json
from typing import Any

from confluent_kafka.admin import AdminClient, NewTopic

from tests.cli.command import ROOT, attune


def committed(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def test_the_committed_topology_is_not_stale() -> None:
    assert attune("topics", "describe").out == committed("topics.txt"), "attune topics describe > docs/topics.txt"


def test_the_committed_contract_is_not_stale() -> None:
    assert attune("topics", "asyncapi").out == committed("asyncapi.json"), "attune topics asyncapi > docs/asyncapi.json"


def test_the_committed_acls_are_not_stale() -> None:
    committed_script = (ROOT / "deploy" / "kafka" / "acls.sh").read_text()
    assert attune("topics", "acls").out == committed_script, "attune topics acls > deploy/kafka/acls.sh"


def test_only_its_owner_writes_state() -> None:
    table = attune("topics", "acls", "--json").json
    writers = {name: {acl["principal"] for acl in table if (acl["name"], acl["operation"]) == (name, "Write")}
               for name in ("model", "attune.behaviour-profiles-changelog", "recommendations", "digests")}  # fmt: skip
    assert writers["model"] == {"User:attune-learner"}
    assert all(who == {"User:attune-behaviour"} for name, who in writers.items() if name != "model")


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return here + [found for inner in value.values() for found in references(inner)]
    return [found for inner in value for found in references(inner)] if isinstance(value, list) else []


def test_every_reference_of_the_contract_leads_somewhere() -> None:
    document = json.loads(committed("asyncapi.json"))
    found = references(document)
    assert len(found) > 60
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    assert document["asyncapi"] == "3.0.0"
    assert "learning" not in document["channels"]
    assert document["operations"]["receive_views"]["action"] == "receive"
    assert document["operations"]["send_send_times"]["action"] == "send"


def test_create_is_idempotent_and_check_agrees(clean_kafka: str) -> None:
    missing = attune("topics", "check", "--json", bootstrap=clean_kafka)
    assert missing.code == 1
    assert {row["found"] for row in missing.json} == {"missing"}
    first = attune("topics", "create", "--json", bootstrap=clean_kafka, partitions="4")
    assert first.code == 0
    assert "views" in first.json["created"]
    again = attune("topics", "create", "--json", bootstrap=clean_kafka, partitions="4")
    assert again.json == {"created": [], "differences": []}
    checked = attune("topics", "check", bootstrap=clean_kafka, partitions="4")
    assert checked.code == 0
    assert "as they must be" in checked.out


def test_partitions_of_an_existing_topic_are_never_changed(clean_kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": clean_kafka})
    admin.create_topics([NewTopic("views", 3, 1)])["views"].result(20)
    done = attune("topics", "create", bootstrap=clean_kafka, partitions="4")
    assert done.code == 1
    assert "views: partitions is 3, the table says 4" in done.err
    assert len(admin.list_topics("views", timeout=10).topics["views"].partitions) == 3
