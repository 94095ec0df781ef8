"""Forgetting a person: what remains is a marker that says so, under a keyed hash of the id."""

import hashlib
import hmac
from typing import Final

from processors.effects import Arrival, Effect, Forget, Receipt, Wake
from processors.profile import Profile
from schemas.behaviour import Erasure
from schemas.decisions import ErasureReceipt


def user_hash(secret: str, user_id: str) -> str:
    """HMAC-SHA256 of the id under the secret, 64 hex digits: tells nothing to whoever lacks the secret."""
    return hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()


MARKER_PREFIX: Final = b"erased/"


def marker_key(hashed: str) -> bytes:
    """Where the marker lives in the profile table, beside the profiles of the same partition."""
    return MARKER_PREFIX + hashed.encode()


def is_marker(key: bytes) -> bool:
    """Whether a key of the profile table is that of a marker, and not a person's.

    >>> is_marker(marker_key("ab12")), is_marker(b"u1")
    (True, False)
    """
    return key.startswith(MARKER_PREFIX)


def erase(profile: Profile, arrival: Arrival, erasure: Erasure, secret: str, complete_after_ms: int) -> list[Effect]:
    """Empty the profile into a marker, in place; what happened up to the erasure's time will be dropped for ever."""
    erased_ms = max(erasure.ts_ms, profile.erased_ms or 0)
    complete_ms = arrival.appended_ms + complete_after_ms
    blank = Profile(
        applied=profile.applied, generation=profile.generation, erased_ms=erased_ms, complete_ms=complete_ms
    )
    for field in Profile.__struct_fields__:
        setattr(profile, field, getattr(blank, field))
    receipt = ErasureReceipt(arrival.source_id, user_hash(secret, erasure.user_id), "accepted", arrival.appended_ms)
    return [Forget(erasure.user_id), Receipt(receipt), Wake(complete_ms, "erase")]


def complete(profile: Profile, user_id: str, secret: str) -> list[Effect]:
    """The logs have forgotten the person by now; clears `complete_ms`.

    Whoever came back since keeps the new profile.
    """
    due_ms = profile.complete_ms or 0
    profile.complete_ms = None
    hashed = user_hash(secret, user_id)
    return [Receipt(ErasureReceipt(f"complete-{hashed[:32]}-{due_ms}", hashed, "complete", due_ms))]


def is_blank(profile: Profile) -> bool:
    """Whether nothing but the marker is left, so that the row may go."""
    return profile.erased_ms is not None and profile.complete_ms is None and not profile.totals
