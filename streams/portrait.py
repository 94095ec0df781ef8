"""Everything kept about one person, as plain JSON values: what `attune profile` and a subject-access request answer."""

from typing import Any, Final

from processors.actions import NAMES
from processors.decay import read
from processors.heavy_hitters import shares
from processors.pack import Pack
from processors.profile import Profile
from streams.topics import INPUTS

BEHAVIOUR: Final = tuple(topic.name for topic in INPUTS if topic.key == "user")
DAY_MS: Final = 86_400_000
_DONE: Final = ("seen", "acted", "applied")
"""What may become of a place of a list."""


def portrait(user_id: str, profile: Profile, pack: Pack) -> dict[str, Any]:
    """`counters` are read at the person's last event: action -> half-life in days -> decayed count.

    >>> portrait("u1", Profile(totals={"views": 2}), Pack(name="jobs"))["totals"]["views"]
    2
    """
    half_lives_d = pack.counter_half_lives_d
    return {
        "user_id": user_id,
        "totals": {topic: profile.totals.get(topic, 0) for topic in BEHAVIOUR},
        "counters": {
            NAMES[kind]: {
                f"{half_life_d:g}d": round(read(level, profile.last_event_ms, half_life_d * DAY_MS), 6)
                for half_life_d, level in zip(half_lives_d, levels, strict=False)
            }
            for kind, levels in sorted(profile.counters.items())
        },
        "last_actions": [
            {
                "ts_ms": action.ts_ms,
                "action": NAMES[action.kind],
                "item_id": action.item_id,
                "dwell_ms": action.dwell_ms,
                "topic": action.topic,
                "offset": action.offset,
            }
            for action in profile.actions
        ],
        "affinities": {
            kind: {
                key: round(share, 6) for key, share in sorted(shares(sketch).items(), key=lambda kv: (-kv[1], kv[0]))
            }
            for kind, sketch in sorted(profile.affinities.items())
        },
        "stated": {
            field: {"value": stated.value, "source": stated.source, "ts_ms": stated.ts_ms}
            for field, stated in sorted(profile.stated.items())
        },
        "dismissed": {
            item_id: {"ts_ms": ts_ms, "reason": reason}
            for item_id, (ts_ms, reason) in sorted(profile.dismissed.items())
        },
        "queries": [{"ts_ms": asked.ts_ms, "text": asked.text} for asked in profile.queries],
        "lists": [
            {
                "ts_ms": known.ts_ms,
                "items": len(known.items),
                **{name: getattr(known, name).bit_count() for name in _DONE},
            }
            for known in profile.lists
        ],
        "times_shown": {
            topic: sum(count for count, _ in counts.values()) for topic, counts in profile.times_shown.items()
        },
        "applied_offsets": dict(sorted(profile.applied.items())),
        "applied_items": len(profile.applied_items),
        "event_ids": len(profile.event_ids),
        "dwell_ms": profile.dwell_ms,
        "last_event_ms": profile.last_event_ms,
        "last_recommended_ms": profile.last_recommended_ms,
        "wake_ms": profile.wake_ms,
        "erased_ms": profile.erased_ms,
        "complete_ms": profile.complete_ms,
        "generation": profile.generation,
    }
