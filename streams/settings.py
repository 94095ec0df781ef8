"""Settings: one frozen struct, read once at the composition root from defaults, `attune.toml` and `ATTUNE_*` variables.

Later sources win. An unknown key or variable is an error that names it.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from processors.arms import Arms
from processors.experiment import Experiment
from processors.merchandising import Rule
from processors.pack import Pack
from schemas.access import Grant

PACKAGED: Final = Path(__file__).parent.parent / "attune" / "attune.toml"
"""The defaults that ship with Attune; the packs are defined there."""

SABOTAGE_VARIABLE: Final = "ATTUNE_TEST_SABOTAGE"
Sabotage = Literal["dedupe", "order", "dominance", "lease", "raise"]
"""What a negative control switches off; `raise` makes `step` fail on events whose id starts with `raise-`."""

Port = Annotated[int, Meta(ge=0, le=65_535)]
Seconds = Annotated[float, Meta(gt=0.0, le=86_400.0)]
Count = Annotated[int, Meta(ge=1, le=100_000_000)]

Kind = TypeVar("Kind")


class SettingsError(Exception):
    """Settings cannot be used; the message names the key and the value."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. Times are in the unit of the name; ports of 0 mean a free one, which is printed."""

    bootstrap: Annotated[str, Meta(min_length=1)] = "127.0.0.1:9092"
    redis: Annotated[str, Meta(pattern=r"^(redis|rediss|unix)://")] = "redis://127.0.0.1:6379/0"
    domain: Literal["jobs", "shop"] = "jobs"
    clock: Literal["wall", "log"] = "wall"
    log_idle_s: Annotated[float, Meta(ge=0.0, le=3_600.0)] = 2.0
    """On the `log` clock, a partition silent for so long lets pending wakes go (0: never, for lockstep runs)."""
    state_dir: str = ".attune"
    partitions: Annotated[int, Meta(ge=1, le=1_000)] = 12
    replication: Annotated[int, Meta(ge=1, le=9)] = 1
    min_interval_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | None = None
    """Overrides the pack's: at most one recommendation per person in so many milliseconds of event time."""
    surface: Literal["site", "email"] = "site"
    mails: bool = True
    """Whether mail is planned; without, another system decides when to write and whether."""
    erasure_key: str = ""
    """Secret of the HMAC under which erased people are remembered."""
    erasure_complete_ms: Annotated[int, Meta(ge=0)] = 15 * 86_400_000
    """After an erasure the logs have forgotten the person: the longest retention of personal data, and a day."""

    flush_ms: Annotated[int, Meta(ge=1, le=60_000)] = 250
    flush_events: Count = 4_000
    model_flush_ms: Annotated[int, Meta(ge=1, le=60_000)] = 1_000
    """The learner's own interval: one example touches some ten rows, so rows that wait a second are written once."""
    live_profiles: Count = 12_000
    session_s: Annotated[float, Meta(ge=2.0, le=300.0)] = 10.0
    watchdog_s: Seconds = 60.0
    linger_ms: Annotated[int, Meta(ge=0, le=1_000)] = 5

    worker_host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    """What the port for health and metrics is bound to."""
    http_port: Port = 0
    worker_port: Port = 0
    console_port: Port = 0
    mailer_port: Port = 0
    lag_port: Port = 0

    api_tokens: Mapping[str, Grant] = {}
    """Bearer tokens of the HTTP API by name; without any, nobody may ask."""
    user_token_key: str = ""
    """Secret of the HMAC of user tokens for browsers; empty: there are none."""
    user_token_s: Annotated[int, Meta(ge=1, le=3_600)] = 900
    console_viewer: str = ""
    """Password and bearer token of those who may look at the console."""
    console_operator: str = ""
    """Of those who may also replay and erase; without either one is made up at the start."""
    cors_origins: tuple[str, ...] = ()
    """Origins of pages that may call the API from a browser."""
    list_fresh_s: Seconds = 21_600.0
    """A list older than this is made anew for the request, or marked as stale."""
    rules: tuple[Rule, ...] = ()
    """What the house wants of its lists."""
    smtp: Annotated[str, Meta(pattern=r"^$|^(smtp|smtps|smtp\+starttls)://")] = ""
    """The mail server; name and password percent-encoded in the URL."""
    mail_from: Annotated[str, Meta(min_length=3)] = "Attune <attune@localhost>"
    mailer_url: Annotated[str, Meta(pattern=r"^$|^https?://")] = ""
    """Where readers reach the mailer's pages; empty: the port it listens on."""
    link_key: Annotated[str, Meta(pattern=r"^$|^.{16,}$")] = ""
    """Secret that signs the links of mails; empty: one is made and kept in `state_dir`."""
    mail_images: bool = False
    """Whether mails load pictures, and so count openings."""
    mails_per_s: Annotated[float, Meta(gt=0.0, le=10_000.0)] = 20.0

    kafka: Mapping[str, str] = {}
    """More librdkafka settings for every client: `security.protocol`, `sasl.*`, `ssl.*`."""
    packs: Mapping[str, Pack] = {}
    experiments: tuple[Experiment, ...] = ()
    """`[[experiments]]`: beside those that `attune experiment start` keeps in the state directory."""
    sabotage: tuple[Sabotage, ...] = ()

    @property
    def pack(self) -> Pack:
        """The pack of the domain, with what the settings override."""
        pack = self.packs[self.domain]
        if self.min_interval_ms is None:
            return pack
        return msgspec.structs.replace(pack, min_interval_ms=self.min_interval_ms)


NOT_SETTINGS: Final = frozenset({"ATTUNE_CONFIG", "ATTUNE_DATA"})
"""Names with the prefix that other programs read: where attune.toml is, where the real logs are."""


def read_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings.

    `attune.toml` is looked for in the working directory, or where `ATTUNE_CONFIG` says. Overrides that are None are
    ignored, so that command-line options can be passed on as they are.

    Raises:
        SettingsError: an unknown key, a value of the wrong kind or outside its range, an unreadable file.
    """
    environ = os.environ if environ is None else environ
    values = _read_toml(PACKAGED)
    chosen = environ.get("ATTUNE_CONFIG")
    own = Path(chosen) if chosen else Path("attune.toml")
    if chosen or own.exists():
        values = _merged(values, _read_toml(own))
    values = _merged(values, _from_environment(environ))
    values = _merged(values, {key: value for key, value in overrides.items() if value is not None})
    packs = values.get("packs", {})
    for name, table in packs.items() if isinstance(packs, dict) else ():
        if isinstance(table, dict):
            table["name"] = name
        _converted(table, Pack, f"packs.{name}.")  # by itself: an error within a mapping would not name the pack
    settings = _converted(values, Settings)
    if settings.domain not in settings.packs:
        raise SettingsError(f"domain: no pack '{settings.domain}' is defined (packs: {', '.join(settings.packs)})")
    try:
        Arms(settings.pack, settings.experiments)
    except ValueError as error:
        raise SettingsError(f"experiments: {error}") from None
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = set(Settings.__struct_fields__)
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if not name.startswith("ATTUNE_") or name in NOT_SETTINGS:
            continue
        if name == SABOTAGE_VARIABLE:
            found["sabotage"] = [word for word in value.split(",") if word]
        elif name.startswith("ATTUNE_TEST_"):
            continue
        elif (key := name.removeprefix("ATTUNE_").lower()) in known:
            found[key] = value
        else:
            raise SettingsError(f"{name}: no such setting (settings: {', '.join(sorted(known))})")
    return found


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return merged


def _converted(values: Any, kind: type[Kind], place: str = "") -> Kind:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        keys = path.removesuffix("`").removeprefix("$").removeprefix(".")
        value: Any = values
        for key in keys.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        shown = f", not {value!r}" if keys and value is not None else ""
        where = (place + keys).rstrip(".")
        raise SettingsError(f"{where}: {reason}{shown}" if where else reason) from None
