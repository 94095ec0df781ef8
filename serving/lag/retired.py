"""Admin clients whose questions were left without an answer, kept until the process ends.

librdkafka aborts the whole process when a client is destroyed that still waits for a coordinator over a connection from
before a broker's restart (`rd_kafka_enq_once_del_source_return: Assertion eonce->refcnt > 0`; tests/serving/lag/
test_collector.py, tests/integration/test_console.py). One is left behind per outage, as a fresh client asks nothing of
a coordinator before the broker has answered it.
"""

import ctypes
from typing import Final

from confluent_kafka.admin import AdminClient

_increase: Final = ctypes.pythonapi.Py_IncRef


def retire(client: AdminClient) -> None:
    """Never destroy this client, not even while the interpreter shuts down."""
    _increase(ctypes.py_object(client))
