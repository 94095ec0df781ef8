"""Errors of the lag collector.

LagError
├── BrokerUnreachableError      no broker answered within the deadline
└── PortInUseError            the metrics server could not bind
"""


class LagError(Exception):
    """Anything the lag collector reports to its user in one line."""


class BrokerUnreachableError(LagError):
    """No broker answered; the message names the address and the last reason librdkafka gave."""


class PortInUseError(LagError):
    """The address for /metrics is taken or not ours to bind."""


class KafkaRefusedError(LagError):
    """A broker answered, but with an error; the message names what was asked and why it was refused."""
