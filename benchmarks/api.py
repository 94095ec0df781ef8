"""The HTTP API's benchmark, each figure beside something bare in the same run: `python -m benchmarks.api [--json]`.

- a list from Redis, and a bare Litestar route that says hello, asked in turn over one kept connection each;
- lists re-ranked in process at 100 requests a second, timed from when each was due;
- events in batches of 100, four batches under way, and the same events by a confluent-kafka producer with the same
  settings, four batches under way.

100,000 items, 1,000 people with 50 actions, on a real Kafka and Redis started for it; one process serves.
"""

import argparse
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import redis

from benchmarks.bars import Bar, print_bars
from benchmarks.recommend import DAY_MS, NOW_MS, catalogue, examples, picks
from processors.learner import Learner
from processors.profile import Action, Profile, encode
from processors.recommend import recommend
from processors.replica import Replica
from schemas.decisions import Recommendation, Trigger
from schemas.learning import Lesson
from schemas.partitioning import partition_of
from streams.admin import create_topics
from streams.embedded import EmbeddedRedis
from streams.producing import make_producer
from streams.settings import Settings, read_settings
from streams.topics import PROFILES_CHANGELOG
from tests.cli.command import environment
from tests.integration.provision import provide
from tests.integration.waiting import eventually

TOKEN = "a token for the benchmark"
PEOPLE = 1_000
PARTITIONS = 4
HELLO = """
import uvicorn, sys
from litestar import Litestar, get
@get("/")
async def hello() -> dict[str, str]:
    return {"hello": "world"}
app = Litestar([hello], openapi_config=None, logging_config=None)
config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, loop="uvloop",
    http="httptools", ws="none")
listening = config.bind_socket()
listening.listen(128)
print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
uvicorn.Server(config).run(sockets=[listening])
"""


class Wire:
    """One kept connection, as lean as can be, so that what is timed is the server."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """Send a request; returns the status and the body."""
        self._socket.sendall(request)
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._socket.recv(65_536)
        length = int(re.search(rb"content-length: (\d+)", got, re.IGNORECASE)[1])  # type: ignore[index]
        while len(got) < end + 4 + length:
            got += self._socket.recv(65_536)
        return got[9:12] + got[end + 4 :]


def request(method: str, path: str, body: bytes = b"") -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def furnish(settings: Settings, items: int) -> None:
    """Catalogue, models and profiles into Kafka; everyone's list into Redis, as the sink writes it."""
    rng = np.random.default_rng(1)
    producer = make_producer(settings)
    replica = Replica(settings.pack)
    shift_ms = time.time_ns() // 1_000_000 - NOW_MS
    lost: list[Any] = []

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            lost.append(error)

    def send(topic: str, key: bytes, value: bytes, partition: int = -1) -> None:
        while True:
            try:
                producer.produce(topic, key=key, value=value, partition=partition, on_delivery=delivered)
            except BufferError:
                producer.poll(0.1)
            else:
                return

    for plain in catalogue(items, rng):
        item = msgspec.structs.replace(
            plain, posted_ms=(plain.posted_ms or 0) + shift_ms, expires_ms=NOW_MS + shift_ms + 60 * DAY_MS
        )
        replica.put_item(item)
        send("items", item.item_id.encode(), msgspec.json.encode(item))
    learner = Learner(settings.pack)
    for offset, example in enumerate(examples(30_000, items, rng)):
        learner.learn(Lesson("views", (msgspec.structs.replace(example, ts_ms=example.ts_ms + shift_ms),)), offset)
    rows = learner.dirty_rows()
    for key, value in rows.items():
        replica.apply_row(key, value)
        send("model", key, value)
    store = redis.Redis.from_url(settings.redis)
    now_ms = NOW_MS + shift_ms
    for n in range(PEOPLE):
        history = [item for row in picks(5, items, rng) for item in row][:50]
        profile = Profile(
            applied={"views": n},
            actions=[
                Action(now_ms - (50 - k) * 3_600_000, "views", k, f"item-{item:07d}", 0)
                for k, item in enumerate(history)
            ],
            totals={"views": len(history)},
            last_event_ms=now_ms,
        )
        user = f"u{n}"
        key = user.encode()
        send(PROFILES_CHANGELOG, key, encode(profile), partition_of(key, PARTITIONS))
        found = Recommendation(
            f"views-0-{n}",
            user,
            "site",
            now_ms,
            Trigger("views", f"e{n}", now_ms),
            recommend(profile, now_ms, replica),
            "learning-1",
        )
        store.hset(f"attune:recommendations:{user}", mapping={"v": str(n), "d": msgspec.json.encode(found)})
    producer.flush(120)
    assert not lost, lost[:3]
    store.close()


def cpu_s(pid: int) -> float:
    """CPU time of a process so far: what other work on the machine does not blur."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantiles(taken_ms: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(taken_ms, [50, 99])
    return {"p50_ms": round(float(p50), 3), "p99_ms": round(float(p99), 3), "n": len(taken_ms)}


def beside_hello(api: str, hello: str, pids: dict[str, int], rounds: int, each: int) -> dict[str, Any]:
    """A list from Redis and a bare hello in turn, block by block, so that noise hits both."""
    wires = {"hello": Wire(hello), "list": Wire(api)}
    taken: dict[str, list[float]] = {name: [] for name in wires}
    ratios: dict[str, list[float]] = {"p50": [], "p99": []}
    spent: dict[str, list[float]] = {name: [] for name in wires}
    for turn in range(rounds + 1):
        block: dict[str, list[float]] = {}
        for name, wire in wires.items():
            block[name] = []
            cpu = cpu_s(pids[name])
            for n in range(each):
                asked = request("GET", "/" if name == "hello" else f"/v1/recommendations/u{(turn * each + n) % PEOPLE}")
                started = time.perf_counter()
                answer = wire.ask(asked)
                block[name].append((time.perf_counter() - started) * 1_000)
                assert answer.startswith(b"200"), answer[:300]
                assert name == "hello" or b'"origin":"stored"' in answer
            spent[name].append((cpu_s(pids[name]) - cpu) / each)
        if not turn:
            continue  # to warm up
        for name, times in block.items():
            taken[name] += times
        for name, share in (("p50", 50), ("p99", 99)):
            ratios[name].append(float(np.percentile(block["list"], share) / np.percentile(block["hello"], share)))
    return {
        **{name: quantiles(times) for name, times in taken.items()},
        "cpu_us": {name: round(1e6 * float(np.median(times[1:]))) for name, times in spent.items()},
        "ratio_p50": round(float(np.median(ratios["p50"])), 2),
        "ratio_p99": round(float(np.median(ratios["p99"])), 2),
    }


def reranked(api: str, rate_per_s: float, seconds: float) -> dict[str, Any]:
    """Lists made for the request, at a steady rate; each is timed from when it was due, on one of eight connections."""
    wires = [Wire(api) for _ in range(8)]
    taken: list[float] = []
    begun = time.perf_counter() + 0.2
    count = int(rate_per_s * seconds)
    places = iter(range(count))
    lock = threading.Lock()

    def client(wire: Wire) -> None:
        while True:
            with lock:
                n = next(places, None)
            if n is None:
                return
            due = begun + n / rate_per_s
            if (wait_s := due - time.perf_counter()) > 0:
                time.sleep(wait_s)
            answer = wire.ask(
                request("GET", f"/v1/recommendations/u{n % PEOPLE}?exclude=item-{n:07d}&context_item=item-{n * 7:07d}")
            )
            taken.append((time.perf_counter() - due) * 1_000)
            assert answer.startswith(b"200"), answer[:300]
            assert b'"origin":"reranked"' in answer

    with ThreadPoolExecutor(len(wires)) as pool:
        list(pool.map(client, wires))
    return quantiles(taken)


def events_in(api: str, settings: Settings, batches: int, under_way: int = 4, rounds: int = 3) -> dict[str, Any]:
    """Events a second through the API and through a bare producer, batch by batch; the median of several rounds."""

    def batch(n: int) -> list[dict[str, Any]]:
        now_ms = time.time_ns() // 1_000_000
        return [
            {
                "event_id": f"b{n}-{k}",
                "user_id": f"u{k}",
                "item_id": f"item-{k:07d}",
                "ts_ms": now_ms,
                "dwell_ms": 20_000,
            }
            for k in range(100)
        ]

    producer = make_producer(settings)
    polling = threading.Event()

    def poll() -> None:
        while not polling.is_set():
            producer.poll(0.1)

    threading.Thread(target=poll, daemon=True).start()
    wires = {n: Wire(api) for n in range(under_way)}

    def by_hand(_: int, values: list[dict[str, Any]]) -> None:
        left, done = [len(values)], threading.Event()

        def delivered(error: Any, __: Any) -> None:
            assert error is None
            left[0] -= 1
            if not left[0]:
                done.set()

        for value in values:
            producer.produce("views", key=value["user_id"], value=json.dumps(value), on_delivery=delivered)
        assert done.wait(30)

    def by_api(n: int, values: list[dict[str, Any]]) -> None:
        body = json.dumps([{"topic": "views", "value": value} for value in values]).encode()
        answer = wires[n].ask(request("POST", "/v1/events", body))
        assert answer == b'202{"accepted":100}', answer[:300]

    rates: dict[str, list[float]] = {"bare": [], "api": []}
    for turn in range(rounds + 1):
        for name, send in (("bare", by_hand), ("api", by_api)):
            work = [[batch(turn * 10_000 + n * 100 + k) for k in range(batches // under_way)] for n in range(under_way)]
            started = time.perf_counter()
            with ThreadPoolExecutor(under_way) as pool:
                list(pool.map(lambda n: [send(n, values) for values in work[n]], range(under_way)))  # noqa: B023
            if turn:
                rates[name].append(batches // under_way * under_way * 100 / (time.perf_counter() - started))
    polling.set()
    bare, through = (float(np.median(rates[name])) for name in ("bare", "api"))
    return {"bare_per_s": round(bare), "api_per_s": round(through), "ratio": round(through / bare, 2)}


def resident_mb(pid: int) -> dict[str, int]:
    text = Path(f"/proc/{pid}/status").read_text()
    return {name: int(re.findall(rf"{name}:\s+(\d+)", text)[0]) // 1024 for name in ("VmRSS", "VmHWM")}


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Everything, as one JSON object."""
    result: dict[str, Any] = {"items": args.items, "people": PEOPLE}
    with ExitStack() as stack:
        source = provide(is_measured=True)
        stack.callback(source.close)
        store = stack.enter_context(EmbeddedRedis())
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="attune-bench-")))
        config = directory / "attune.toml"
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        config.write_text(
            f'[api_tokens.bench]\nsha256 = "{digest}"\nscopes = ["lists", "events"]\nrate_per_s = 1000000.0\n'
        )
        names = environment(bootstrap=source.bootstrap, redis=store.url, partitions=str(PARTITIONS), config=str(config))
        settings = read_settings(names)
        create_topics(settings)
        furnish(settings, args.items)

        def start(*command: str) -> tuple[str, int]:
            process = subprocess.Popen([sys.executable, *command], env=names, stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            assert process.stdout is not None
            return process.stdout.readline().strip(), process.pid

        api, pid = start("-m", "attune.cli.main", "serve")
        hello, hello_pid = start("-c", HELLO)
        started = time.perf_counter()
        eventually(lambda: Wire(api).ask(request("GET", "/readyz")).startswith(b"200"), 300, 0.5, what="readiness")
        result["ready_after_s"] = round(time.perf_counter() - started, 1)
        result["list"] = beside_hello(api, hello, {"list": pid, "hello": hello_pid}, args.rounds, 500)
        result["reranked"] = [reranked(api, 100.0, args.seconds) for _ in range(3)]
        result["events"] = events_in(api, settings, 400)
        result["memory_mb"] = resident_mb(pid)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10, help="blocks of 500 requests each")
    parser.add_argument("--seconds", type=float, default=20.0, help="of re-ranking, three times")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = run(args)
    print(json.dumps(result, indent=None if args.json else 2))
    if not args.json:
        print_bars(bars(result))


def bars(result: dict[str, Any]) -> list[Bar]:
    """What the API is to reach."""
    reranked_ms = float(np.median([turn["p99_ms"] for turn in result["reranked"]]))
    return [
        Bar("list from Redis over hello, p50", result["list"]["ratio_p50"], most=3.0),
        Bar("list from Redis over hello, p99", result["list"]["ratio_p99"], most=3.0),
        Bar("re-ranked at 100/s, p99 ms (median of three)", reranked_ms, most=10.0),
        Bar("events accepted over a bare producer", result["events"]["ratio"], least=0.5),
        Bar("memory of one process, MB", result["memory_mb"]["VmRSS"], most=400.0),
    ]


if __name__ == "__main__":
    main()
