"""Tenths of predicted uplift: counted right, and from a world in which the coin alone decides."""

import pytest
from msgspec.structs import replace

from evaluation.uplift import counted, labels_of, tenths_of
from schemas.mail_labels import MailLabel
from streams.settings import read_settings

PLAIN = MailLabel(0, 0, 0, "", 0.0, 0.0, b"", b"", b"")


def test_the_uplift_of_a_tenth_is_the_difference_of_two_rates() -> None:
    labels = [
        replace(PLAIN, id=n, uplift=n / 1000.0, is_withheld=n % 2 == 1, started=n >= 150 and n % 2 == 0)
        for n in range(200)
    ]
    tenths = tenths_of(counted(labels[::-1]))
    assert [tenth.sent for tenth in tenths] == [tenth.withheld for tenth in tenths] == [10] * 10
    assert [tenth.uplift for tenth in tenths] == [0.0] * 7 + [0.5, 1.0, 1.0]
    assert tenths[9].predicted == pytest.approx(0.1895)


@pytest.mark.slow
def test_a_coin_decides_and_nothing_else() -> None:
    tenths = tenths_of(counted(labels_of(80, 12, 1, read_settings({}).packs["jobs"])))
    sent, withheld = (sum(getattr(tenth, field) for tenth in tenths) for field in ("sent", "withheld"))
    assert 0.4 < sent / (sent + withheld) < 0.6
    assert sent + withheld > 200
