"""Reading profiles from their changelog, where of two records of a person the dominating one counts.

One pass over the partitions of the people asked for, from the beginning to the ends seen at start.
"""

from collections.abc import Iterable

from processors.dominance import supersedes
from processors.erasure import marker_key, user_hash
from processors.profile import Head, Profile, decode, decode_head
from schemas.partitioning import partition_of
from streams.admin import BrokerError, partitions_found
from streams.scan import scan
from streams.settings import Settings
from streams.topics import PROFILES_CHANGELOG


def read_profiles(settings: Settings, user_ids: Iterable[str]) -> dict[str, Profile]:
    """The profile of everyone who has one, in the order asked for; of an erased person, the marker.

    Raises BrokerError where Kafka does not answer or there is no changelog.
    """
    owners: dict[bytes, str] = {}
    for user_id in user_ids:
        owners[user_id.encode()] = user_id
        owners[marker_key(user_hash(settings.erasure_key, user_id))] = user_id
    partitions = partitions_found(settings).get(PROFILES_CHANGELOG)
    if partitions is None:
        raise BrokerError(f"missing topic: {PROFILES_CHANGELOG} (make it with: attune topics create)")
    wanted = {partition_of(user_id.encode(), partitions) for user_id in owners.values()}
    newest = _newest(settings, sorted(wanted), owners.keys())
    found: dict[str, Profile] = {}
    for key, user_id in owners.items():  # a person's own key comes before their marker
        if key in newest and user_id not in found:
            found[user_id] = decode(newest[key])
    return found


def _newest(settings: Settings, partitions: list[int], keys: Iterable[bytes]) -> dict[bytes, bytes]:
    wanted = frozenset(keys)
    rows: dict[bytes, bytes] = {}
    heads: dict[bytes, Head] = {}
    for message in scan(settings, PROFILES_CHANGELOG, partitions):
        key, value = message.key() or b"", message.value()
        if key not in wanted:
            continue
        if value is None:
            rows.pop(key, None)
            heads.pop(key, None)
            continue
        head = decode_head(value)
        if key not in heads or supersedes(head, heads[key]):
            rows[key], heads[key] = value, head
    return rows
