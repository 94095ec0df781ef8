"""Items that a list is to leave out, as the schema has them."""

import pytest

from tests.serving.api.site import Site


@pytest.mark.parametrize("wrong", ["", "job\x01", "job\x81", "j" * 129])
def test_an_id_to_leave_out_is_held_to_the_schema(site: Site, wrong: str) -> None:
    answers = [
        site.client.get("/v1/recommendations/anybody", params={"exclude": ids}) for ids in (["job-1"], ["job-1", wrong])
    ]
    assert [answer.status_code for answer in answers] == [200, 400]
