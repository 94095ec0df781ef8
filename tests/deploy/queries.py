"""Which metrics a PromQL expression asks for."""

import re

_NAME = re.compile(r"\b(?:attune|kafka)[a-zA-Z0-9_:]*")


def names_in(expression: str) -> set[str]:
    """Names of metrics and recorded series, those inside quotes left out.

    >>> sorted(names_in('sum by (topic) (rate(attune_records_total{role="attune_x"}[5m])) / kafka_consumergroup_lag'))
    ['attune_records_total', 'kafka_consumergroup_lag']
    """
    return set(_NAME.findall(re.sub(r'"[^"]*"', '""', expression)))
