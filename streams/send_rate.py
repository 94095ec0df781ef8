"""How many mails may become due now: a limit per minute of all workers together, shared by partitions owned."""

from streams.clock import boottime_s


class SendRate:
    """A bucket that fills with `per_minute` × the share of partitions owned, and holds a second's worth and one.

    Without a limit everything may go.
    """

    def __init__(self, per_minute: int | None, partitions: int) -> None:
        self._per_s = None if per_minute is None else per_minute / 60.0
        self._partitions = partitions
        self._level = 1.0
        self._filled_s = boottime_s()

    def take(self, owned: int) -> bool:
        """Whether one more mail may go now; `owned` partitions of all are this worker's."""
        if self._per_s is None:
            return True
        now_s = boottime_s()
        per_s = self._per_s * owned / self._partitions
        self._level = min(1.0 + per_s, self._level + per_s * (now_s - self._filled_s))
        self._filled_s = now_s
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True
