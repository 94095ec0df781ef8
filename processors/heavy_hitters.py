"""The heaviest keys of a stream under decay, in bounded room.

Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams,
ICDT 2005, page 4) over decayed levels (processors/decay.py): a new key takes the place and the weight of the lightest
one, so a key that is frequent enough can never be missed. What was inherited is kept beside the level and subtracted
when read.
"""

from math import exp2

from processors.decay import EMPTY, add

Sketch = dict[str, tuple[float, float]]
"""Key -> (level, level inherited from the key it replaced)."""


def observe(sketch: Sketch, key: str, ts_ms: int, weight: float, half_life_ms: float, capacity: int) -> None:
    """Add `weight` > 0 at `ts_ms` to `key`, in place. At most `capacity` keys are kept."""
    known = sketch.get(key)
    if known is not None:
        sketch[key] = (add(known[0], ts_ms, weight, half_life_ms), known[1])
    elif len(sketch) < capacity:
        sketch[key] = (add(EMPTY, ts_ms, weight, half_life_ms), EMPTY)
    else:
        _, lightest = min([(level, kept) for kept, (level, _) in sketch.items()])
        inherited = sketch.pop(lightest)[0]
        sketch[key] = (add(inherited, ts_ms, weight, half_life_ms), inherited)


def shares(sketch: Sketch) -> dict[str, float]:
    """Each key's share of the weight that is surely its own, in [0, 1]; the shares sum to 1 or the result is empty.

    >>> sketch: Sketch = {}
    >>> for key in "aab": observe(sketch, key, 0, 1.0, 1e9, 16)
    >>> {key: round(share, 3) for key, share in shares(sketch).items()}
    {'a': 0.667, 'b': 0.333}
    """
    if not sketch:
        return {}
    top = max(level for level, _ in sketch.values())
    own = {key: exp2(level - top) - exp2(inherited - top) for key, (level, inherited) in sketch.items()}
    total = sum(own.values())
    return {key: weight / total for key, weight in own.items()} if total > 0.0 else {}
