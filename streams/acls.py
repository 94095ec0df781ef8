"""Who may do what on Kafka: each role its own principal, with nothing more than it needs.

Only the learner (and whoever switches a challenger) writes `model`, only behaviour workers write the changelog of
profiles. `deploy/kafka/acls.sh` is this table as commands of Kafka's own tool; a test fails when it is stale.
"""

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from streams.redis_keys import SINK_TOPICS
from streams.topics import (
    BEHAVIOUR_GROUP,
    INPUTS,
    LEARNER_GROUP,
    MAILER_GROUP,
    OUTPUTS,
    PROFILES_CHANGELOG,
    SINK_GROUP,
    TOPICS,
)

Operation = Literal["Read", "Write", "Describe", "DescribeConfigs", "Create", "Alter", "AlterConfigs"]
_INPUTS: Final = tuple(topic.name for topic in INPUTS)
_OUTPUTS: Final = tuple(topic.name for topic in OUTPUTS)
_ALL: Final = tuple(TOPICS)


class Role(Struct, frozen=True, kw_only=True):
    """What one principal does.

    `checks`: looks at the whole topology when it starts. `watches`: may look at every group and topic.
    """

    name: str
    meaning: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    group: str | None = None
    checks: bool = False
    watches: bool = False
    administers: bool = False


class Acl(Struct, frozen=True):
    """A principal may do one thing with one resource."""

    principal: str
    operation: Operation
    resource: Literal["topic", "group", "cluster"]
    name: str
    is_prefix: bool = False


ROLES: Final = (
    Role(name="producer", meaning="your own systems that tell what people do", writes=_INPUTS),
    Role(
        name="behaviour", meaning="attune worker --role behaviour", group=BEHAVIOUR_GROUP, checks=True,
        reads=(*_INPUTS, "model", PROFILES_CHANGELOG), writes=(*_OUTPUTS, "learning", PROFILES_CHANGELOG),
    ),
    Role(
        name="learner", meaning="attune worker --role learner, and attune challenger", group=LEARNER_GROUP, checks=True,
        reads=("learning", "model"), writes=("model", "dead-letters"),
    ),
    Role(name="sink", meaning="attune worker --role sink", group=SINK_GROUP, checks=True, reads=SINK_TOPICS),
    Role(name="api", meaning="attune serve", writes=_INPUTS,
         reads=(*_INPUTS, "model", "recommendations", "erasure-receipts", PROFILES_CHANGELOG)),
    Role(
        name="mailer", meaning="attune mailer", group=MAILER_GROUP,
        reads=("digests", "items", "users", "unsubscribes", "preferences", "applies", "sends", "erasures"),
        writes=("sends", "opens", "clicks", "unsubscribes", "preferences"),
    ),
    Role(name="lag", meaning="attune lag serve, with its probes", watches=True,
         reads=(*_ALL, "__consumer_offsets"), writes=("views",)),
    Role(name="console", meaning="attune console: looks, replays dead letters, erases", watches=True,
         reads=(*_ALL, "__consumer_offsets"), writes=_INPUTS),
    Role(name="operator", meaning="attune topics create|check", administers=True, watches=True),
)  # fmt: skip


def acls(prefix: str = "attune-") -> Iterator[Acl]:
    """The whole table, for principals named `User:<prefix><role>`."""
    for role in ROLES:
        who = f"User:{prefix}{role.name}"
        for topic in role.reads:
            yield Acl(who, "Read", "topic", topic)
        for topic in role.writes:
            yield Acl(who, "Write", "topic", topic)
        if role.group is not None:
            yield Acl(who, "Read", "group", role.group)
        if role.reads:  # readers that commit nothing have groups of their own, whose coordinator clients look up
            yield Acl(who, "Describe", "group", "attune.", is_prefix=True)
        if role.checks:
            for topic in _ALL:
                if topic not in {*role.reads, *role.writes}:
                    yield Acl(who, "Describe", "topic", topic)
        if role.watches:
            yield Acl(who, "Describe", "topic", "*")
            yield Acl(who, "DescribeConfigs", "topic", "*")
            yield Acl(who, "Describe", "group", "*")
            yield Acl(who, "Describe", "cluster", "kafka-cluster")
        if role.administers:
            for operation in ("Create", "Alter", "AlterConfigs"):
                for topic in _ALL:
                    yield Acl(who, operation, "topic", topic)


def script(prefix: str = "attune-") -> str:
    """The table as a shell script around Kafka's own tool."""
    lines = [
        "#!/bin/sh",
        "# Who may do what on Kafka. Made by: attune topics acls > deploy/kafka/acls.sh",
        "# BOOTSTRAP=kafka:9093 ADMIN=admin.properties sh acls.sh      (kafka-acls.sh on the PATH)",
        "set -eu",
        'acl() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN" --add --force "$@"; }',
    ]
    meanings = {f"User:{prefix}{role.name}": role.meaning for role in ROLES}
    told = ""
    grouped: dict[tuple[str, str, str, bool], list[str]] = {}
    for acl in acls(prefix):
        grouped.setdefault((acl.principal, acl.operation, acl.resource, acl.is_prefix), []).append(acl.name)
    for (principal, operation, resource, is_prefix), names in grouped.items():
        if principal != told:
            lines += ["", f"# {meanings[principal]}"]
            told = principal
        of = "--cluster" if resource == "cluster" else " ".join(f"--{resource} '{name}'" for name in names)
        pattern = " --resource-pattern-type prefixed" if is_prefix else ""
        lines.append(f"acl --allow-principal {principal} --operation {operation} {of}{pattern}")
    return "\n".join(lines) + "\n"
