"""The API on a real Kafka and Redis: who may do what, what it answers, and its own schema held against it."""

import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from attune.client import Attune, EventsRefused
from tests.integration.waiting import eventually
from tests.serving.api.site import SCOPES, Site, body_of, event

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROUTES = [
    ("GET", "/v1/recommendations/someone", "lists"),
    ("GET", "/v1/recommendations/someone/stream", "lists"),
    ("GET", "/v1/items/job-1/similar", "lists"),
    ("GET", "/v1/items/job-1/complements", "lists"),
    ("GET", "/v1/search", "lists"),
    ("GET", "/v1/send-times/someone", "lists"),
    ("POST", "/v1/events", "events"),
    ("PUT", "/v1/items/other", "items"),
    ("DELETE", "/v1/items/other", "items"),
    ("GET", "/v1/users/someone", "people"),
    ("DELETE", "/v1/users/nobody-at-all", "erasure"),
    ("GET", "/v1/erasures/erasures-0-99999", "erasure"),
    ("POST", "/v1/user-tokens/someone", "tokens"),
    ("GET", "/metrics", "metrics"),
]
FOR_BROWSERS = {
    "/v1/recommendations/{user_id}",
    "/v1/recommendations/{user_id}/stream",
    "/v1/items/{item_id}/similar",
    "/v1/items/{item_id}/complements",
    "/v1/search",
    "/v1/events",
}
NAMES = {
    "someone": "{user_id}",
    "nobody-at-all": "{user_id}",
    "job-1": "{item_id}",
    "other": "{item_id}",
    "erasures-0-99999": "{receipt_id}",
}


def template_of(path: str) -> str:
    return "/".join(NAMES.get(part, part) for part in path.split("/"))


def ask(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """One request; of a stream, its head alone."""
    with client.stream(method, path, json={"title": "x"} if method == "PUT" else None) as answer:
        if "event-stream" not in answer.headers.get("content-type", ""):
            answer.read()
        return answer


def test_every_route_is_in_the_table(site: Site) -> None:
    paths = httpx.get(f"{site.url}/schema").json()["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    named = {(method, template_of(path)) for method, path, _ in ROUTES}
    assert told - {("GET", "/healthz"), ("GET", "/readyz")} == named - {("GET", "/v1/recommendations/{user_id}/stream")}


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_route_opens_for_its_scope_alone(site: Site, method: str, path: str, scope: str) -> None:
    none = ask(site.as_(None), method, path)
    assert none.status_code == 401
    assert none.headers["www-authenticate"].startswith("Bearer")
    body_of(none)
    forged = ask(httpx.Client(base_url=site.url, headers={"Authorization": "Bearer token-al"}), method, path)
    assert forged.status_code == 401
    for other in (*SCOPES, "none"):
        if other != scope:
            refused = ask(site.as_(other), method, path)
            assert refused.status_code == 403, other
            assert scope in body_of(refused)["detail"]
    assert ask(site.as_(scope), method, path).status_code not in {401, 403}


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_browser_sees_its_own_person_and_nothing_else(site: Site, method: str, path: str, scope: str) -> None:
    mine, others = site.user_token("someone"), site.user_token("someone else")
    template = template_of(path)
    for token, is_mine in ((mine, True), (others, False)):
        in_query = ask(httpx.Client(base_url=site.url, params={"token": token}), method, path)
        in_header = ask(httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {token}"}), method, path)
        allowed = template in FOR_BROWSERS and (is_mine or "{user_id}" not in template)
        assert (in_query.status_code != 403) == allowed
        assert in_query.status_code == in_header.status_code
    forged = mine[:-2] + ("AA" if mine[-2:] != "AA" else "BB")
    assert ask(httpx.Client(base_url=site.url, params={"token": forged}), method, path).status_code == 401
    assert ask(httpx.Client(base_url=site.url, params={"token": "token-all"}), method, path).status_code == 401


def test_a_browser_tells_of_itself_alone(site: Site) -> None:
    browser = httpx.Client(base_url=site.url, params={"token": site.user_token("browsing")})

    def told(topic: str, value: dict[str, Any]) -> httpx.Response:
        return browser.post("/v1/events", json={"topic": topic, "value": value})

    assert told("views", event("browsing")).status_code == 202
    assert told("dismissals", event("browsing", reason="pay")).status_code == 202
    assert told("views", event("somebody else")).status_code == 422
    assert told("applies", event("browsing")).status_code == 422
    assert told("preferences", {"event_id": "p", "user_id": "browsing", "ts_ms": 1}).status_code == 422


def test_a_user_token_ends(site: Site) -> None:
    token = site.client.post("/v1/user-tokens/brief", params={"ttl_s": 1}).json()["token"]
    asked = httpx.Client(base_url=site.url, params={"token": token})
    eventually(lambda: asked.get("/v1/recommendations/brief").status_code == 401, 5)
    assert site.client.post("/v1/user-tokens/brief", params={"ttl_s": 99_999}).status_code == 400


def test_search_understands_narrows_and_orders(site: Site) -> None:
    def found(client: httpx.Client, **parameters: Any) -> dict[str, Any]:
        answer = client.get("/v1/search", params=parameters)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    told = found(site.client, q="night nurse in austin over 50k")
    assert [part["kind"] for part in told["understood"]] == ["place", "salary"]
    assert told["items"]
    assert all(place["item"]["location"]["city"] == "Austin" for place in told["items"])
    assert all(place["item"]["salary"]["max"] >= 50_000 for place in told["items"])
    assert not told["is_personal"]
    mended = found(site.client, q="nihgt nurse", filter=["city:Austin", "salary>=50000", "remote:false"])
    assert mended["mended"] == [{"typed": "nihgt", "meant": "night"}]
    assert all(place["item"]["remote"] is False for place in mended["items"])
    assert {facet["field"] for facet in mended["facets"]} >= {"brand", "category", "city", "remote", "salary"}
    assert found(site.client, q="welder in boston")["relaxed"] == [] or found(site.client, q="welder")["total"]
    site.tell(("views", event("seeker", "job-8")))
    browser = httpx.Client(base_url=site.url, params={"token": site.user_token("seeker")})
    eventually(lambda: found(browser, q="nurse")["is_personal"], 20, what="the seeker's profile")
    assert browser.get("/v1/search", params={"q": "nurse", "user_id": "somebody"}).status_code == 403
    assert site.client.get("/v1/search", params={"filter": "salary>=much"}).status_code == 422


def test_the_command_finds_what_the_site_finds(site: Site) -> None:
    by_site = site.client.get("/v1/search", params={"q": "night nurse in austin over 50k"}).json()
    done = site.house.attune("search", by_site["query"], "--limit", "20", "--json")
    assert (done.json["total"], len(done.json["items"])) == (by_site["total"], len(by_site["items"]))
    assert site.house.attune("search", "nurse", "--user", "nobody-at-all").code == 1


def test_search_follows_the_catalogue_and_suggests_what_led_somewhere(site: Site) -> None:
    def total() -> int:
        return int(site.client.get("/v1/search", params={"q": "glassblower"}).json()["total"])

    assert site.client.put("/v1/items/glass", json={"title": "Glassblower"}).status_code == 202
    eventually(lambda: total() == 1, 20, what="the new item in search")
    for person in ("g1", "g2"):
        now_ms = time.time_ns() // 10**6
        search = {"event_id": uuid.uuid4().hex, "user_id": person, "ts_ms": now_ms, "query": "glassblower wanted"}
        assert site.tell(("searches", search)).status_code == 202
        assert site.tell(("views", event(person, "glass"))).status_code == 202
    eventually(
        lambda: site.client.get("/v1/search", params={"q": "glassb"}).json()["suggestions"] == ["glassblower wanted"],
        20,
    )
    assert site.client.delete("/v1/items/glass").status_code == 202
    eventually(lambda: total() == 0, 20, what="the item out of search")


def test_what_a_person_does_changes_their_list(site: Site) -> None:
    before = site.list_of("mover", limit=8)
    assert before["origin"] == "popular"
    assert len(before["items"]) == 8
    assert site.tell(("views", event("mover", "job-4")), ("saves", event("mover", "job-8"))).json() == {"accepted": 2}
    after = eventually(lambda: (found := site.list_of("mover", limit=8))["origin"] != "popular" and found, 20)
    nurses = [place for place in after["items"] if place["item"]["categories"] == ["night nurse"]]
    assert len(nurses) >= 3
    assert all(place["reasons"] for place in after["items"])
    stored = eventually(lambda: (found := site.list_of("mover", limit=5))["origin"] == "stored" and found, 20)
    assert not stored["stale"]
    told = site.list_of("mover", limit=3, explain=True, context_item="job-3", exclude="job-7")
    assert told["origin"] == "reranked"
    assert all(place["parts"] for place in told["items"])
    assert {"job-3", "job-7"}.isdisjoint(place["item_id"] for place in told["items"])
    remote = site.list_of("mover", filter=["remote:true", "city:austin"])
    assert remote["items"]
    assert all(place["item"]["remote"] and place["item"]["location"]["city"] == "Austin" for place in remote["items"])


def test_rules_of_the_house_are_shown(site: Site) -> None:
    found = site.list_of("mailed", surface="email", limit=5)
    assert found["items"][1]["item_id"] == "job-7"
    assert found["rules"] == [{"name": "spring", "kind": "pin", "until_ms": 4102444800000, "item_ids": ["job-7"]}]
    assert site.list_of("mailed", limit=5)["rules"] == []


def test_the_same_event_counts_once(site: Site) -> None:
    same = ("views", event("twice"))
    assert site.tell(same, same).status_code == 202
    assert site.tell(same).status_code == 202
    site.tell(("saves", event("twice", "job-5")))

    def counted() -> dict[str, int]:
        profile: dict[str, Any] = site.client.get("/v1/users/twice").json().get("profile") or {"totals": {"saves": 0}}
        totals: dict[str, int] = profile["totals"]
        return totals if totals["saves"] else {}

    assert eventually(counted, 20)["views"] == 1


def test_each_wrong_event_is_named_and_the_others_are_taken(site: Site) -> None:
    late = event("mixed", ts_ms=9_999_999_999_999)
    wrong = event("mixed")
    del wrong["item_id"]
    answer = site.tell(("views", event("mixed")), ("views", wrong), ("nowhere", event("mixed")), ("views", late))
    assert answer.status_code == 422
    problem = body_of(answer)
    assert problem["accepted"] == 1
    assert [(found["index"], found["field"]) for found in problem["errors"]] == [
        (1, "$.item_id"),
        (2, "$.topic"),
        (3, "$.ts_ms"),
    ]
    assert problem["errors"][0]["event_id"] == wrong["event_id"]
    assert site.tell(("views", late)).status_code == 409
    assert site.client.post("/v1/events", json=[]).status_code == 422
    assert site.client.post("/v1/events", json=[{}] * 1_001).status_code == 422


def test_a_beacon_is_understood(site: Site) -> None:
    body = b'{"topic":"searches","value":{"event_id":"b","user_id":"beacon","ts_ms":1,"query":"nurse"}}'
    answer = httpx.post(
        f"{site.url}/v1/events", params={"token": site.user_token("beacon")}, content=body,
        headers={"content-type": "text/plain;charset=UTF-8", "origin": "https://shop.example"},
    )  # fmt: skip
    assert answer.status_code == 202
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    refused = httpx.post(f"{site.url}/v1/events", content=body, headers={"origin": "https://shop.example"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://shop.example"  # or the page cannot read why
    other = httpx.post(f"{site.url}/v1/events", content=body, headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_items_come_and_go(site: Site) -> None:
    path = "/v1/items/https%3A%2F%2Fjobs.example%2F1"
    assert (
        site.client.put(path, json={"title": "Pastry Cook of a kind", "categories": ["pastry cook"]}).status_code == 202
    )
    alike = eventually(lambda: (a := site.client.get(f"{path}/similar")).status_code == 200 and a.json(), 20)
    assert alike["item_id"] == "https://jobs.example/1"
    assert alike["items"]
    assert site.client.delete(path).status_code == 202
    eventually(lambda: site.client.get(f"{path}/similar").status_code == 404, 20)
    wrong = site.client.put("/v1/items/x", json={"item_id": "y"})
    assert wrong.status_code == 422
    assert body_of(wrong)["errors"][0]["field"] == "$.item_id"
    assert body_of(site.client.put("/v1/items/x", json={"url": "javascript:alert(1)"}))["errors"][0]["field"] == "$.url"


def test_a_stream_tells_of_each_new_list(site: Site) -> None:
    token = site.user_token("watching")
    with httpx.stream(
        "GET", f"{site.url}/v1/recommendations/watching/stream", params={"token": token}, timeout=20
    ) as heard:
        assert heard.headers["content-type"].startswith("text/event-stream")
        lines = heard.iter_lines()
        ids = []
        for line in lines:
            if line.startswith("id:"):
                ids.append(line)
                if len(ids) == 1:
                    site.tell(("saves", event("watching", "job-8")))
                else:
                    break
    assert ids[1].startswith("id: saves-")


def test_ids_of_requests_and_sizes(site: Site) -> None:
    assert site.client.get("/healthz", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert len(site.client.get("/healthz", headers={"x-request-id": "no good"}).headers["x-request-id"]) == 32
    big = site.client.post("/v1/events", content=b"[" + b" " * 9_000_000 + b"]")
    assert big.status_code == 413
    body_of(big)
    body_of(site.client.get("/v1/nothing"))
    assert site.client.patch("/v1/items/x").status_code == 405
    assert b"attune_http_requests_total" in site.client.get("/metrics").content


BROKEN = (
    b"",
    b"null",
    b"{",
    b"[[[[",
    b'"\\ud800"',
    b"\xff\xfe",
    b"[" * 100_000,
    b"[1,2",
    b'{"topic":"views","value":{"user_id":"\\ud800"}}',
    b"9" * 5_000,
)


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_body_is_never_our_fault(site: Site, body: bytes) -> None:
    for method, path in (("POST", "/v1/events"), ("PUT", "/v1/items/broken")):
        answer = site.client.request(method, path, content=body)
        if method == "PUT" and body.startswith(b"{") and body.endswith(b"}"):
            continue  # an item, whose unknown fields are ignored
        assert answer.status_code in {400, 422}
        body_of(answer)


def test_the_client_speaks_with_the_real_thing(site: Site) -> None:
    with Attune(site.url, "token-all") as attune:
        attune.save("client", "job-8")
        attune.put_item("job/of the client", title="Night Nurse", brand="Employer 1", categories=["night nurse"])
        found = eventually(lambda: (f := attune.recommendations("client", limit=5)).origin != "popular" and f, 20)
        assert len(found.items) == 5
        assert all(place.reasons and place.item for place in found.items)
        assert attune.similar("job-1", limit=3)
        with pytest.raises(EventsRefused) as refused:
            attune.send([("views", event("client")), ("views", {"event_id": "e", "user_id": "client", "ts_ms": 1})])
        assert [(one.index, one.field) for one in refused.value.errors] == [(1, "$.item_id")]
        assert refused.value.accepted == 1
        eventually(lambda: attune.person("client")["profile"], 20)
        receipt = attune.erase("client")
        eventually(lambda: attune.erasure(receipt.receipt_id).stage == "complete", 30)
        assert site.client.get("/v1/users/client").status_code == 404
        attune.save("client", "job-4")
        returned = eventually(lambda: site.client.get("/v1/users/client").json().get("profile"), 20)
        assert returned["totals"]["saves"] == 1  # and not the one of before
        assert httpx.get(site.url + "/attune.js").text.count("sendBeacon") == 1
        assert len(httpx.get(site.url + "/attune.js").content) <= 2_048


def schemathesis(site: Site, examples: int, seconds_allowed: float) -> str:
    """The whole schema, every phase and check of schemathesis, as anyone would run it. Returns what it says."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{site.url}/schema",
        "--header", "Authorization: Bearer token-all", "--max-examples", str(examples), "--seed", "1",
        "--no-color", "--generation-database", "none",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds_allowed, check=False, cwd=site.log.parent
    )
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-2_000:]}\n{site.log.read_text()[-2_000:]}"
    return done.stdout


def test_the_api_is_as_its_schema_says(site: Site) -> None:
    assert "15 selected / 15 total" in schemathesis(site, 2, 200)
    assert site.client.get("/readyz").status_code == 200


@pytest.mark.faults
@pytest.mark.timeout(1_800)
def test_the_api_is_as_its_schema_says_many_times(site: Site) -> None:
    assert "15 selected / 15 total" in schemathesis(site, 100, 1_700)
