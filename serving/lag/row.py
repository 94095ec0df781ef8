"""The row every reader sees: the CLI's table and JSON, the metrics, the console."""

import msgspec

from serving.lag.status import Status


class LagRow(msgspec.Struct, frozen=True):
    """How one group stands on one partition.

    `eta_s` is None while the lag does not shrink and 0 when caught up; `last_commit_age_s` is None where no commit is
    known; `members` counts the whole group and is None where the broker cannot say. The fields after `committed`
    are for tables and metrics only and are not part of the JSON contract.
    """

    group: str
    topic: str
    partition: int
    lag: int
    lag_s: float
    eta_s: float | None
    status: Status
    last_commit_age_s: float | None
    lost_records: int
    members: int | None
    committed: bool
    offset: int = 0
    end: int = 0
    exact: bool = True
    trend: tuple[int | None, ...] = ()
    note: str = ""


JSON_FIELDS = (
    "group",
    "topic",
    "partition",
    "lag",
    "lag_s",
    "eta_s",
    "status",
    "last_commit_age_s",
    "lost_records",
    "members",
    "committed",
)


def as_json(rows: list[LagRow]) -> bytes:
    """Encode rows as the array `attune lag --json` prints: exactly `JSON_FIELDS`, status by name.

    >>> as_json([LagRow("g", "t", 0, 3, 1.5, None, Status.STOP, None, 0, 0, True)])
    b'[{"group":"g","topic":"t","partition":0,"lag":3,"lag_s":1.5,"eta_s":null,"status":"STOP",\
"last_commit_age_s":null,"lost_records":0,"members":0,"committed":true}]'
    """
    return msgspec.json.encode(
        [{name: row.status.name if name == "status" else getattr(row, name) for name in JSON_FIELDS} for row in rows]
    )
