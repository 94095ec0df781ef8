"""Settings come from the packaged file, one's own, the environment and options, in this order; errors name the key."""

from pathlib import Path

import msgspec
import pytest

from streams.settings import Settings, SettingsError, read_settings


def own_file(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "attune.toml"
    path.write_text(text)
    return {"ATTUNE_CONFIG": str(path)}


def test_defaults_hold_both_packs() -> None:
    settings = read_settings({})
    assert set(settings.packs) == {"jobs", "shop"}
    assert {name: pack.name for name, pack in settings.packs.items()} == {"jobs": "jobs", "shop": "shop"}
    assert settings.pack.applied == "exclude"
    assert read_settings({"ATTUNE_DOMAIN": "shop"}).pack.applied == "allow"


def test_the_later_source_wins(tmp_path: Path) -> None:
    environ = own_file(tmp_path, 'bootstrap = "file:1"\nflush_ms = 7\n[packs.jobs.scores]\ntext = 9.0\n')
    assert read_settings(environ).bootstrap == "file:1"
    environ |= {"ATTUNE_BOOTSTRAP": "env:1"}
    assert read_settings(environ).bootstrap == "env:1"
    assert read_settings(environ, bootstrap="option:1").bootstrap == "option:1"
    assert read_settings(environ, bootstrap=None).bootstrap == "env:1"
    merged = read_settings(environ)
    assert merged.flush_ms == 7
    assert (merged.pack.scores.text, merged.pack.salary_veto) == (9.0, True)


def test_a_table_of_client_settings(tmp_path: Path) -> None:
    environ = own_file(tmp_path, '[kafka]\n"security.protocol" = "SASL_SSL"\n"sasl.username" = "attune"\n')
    assert read_settings(environ).kafka == {"security.protocol": "SASL_SSL", "sasl.username": "attune"}


def test_the_interval_of_the_settings_goes_before_the_packs() -> None:
    assert read_settings({}).pack.min_interval_ms == 1_000
    assert read_settings({"ATTUNE_MIN_INTERVAL_MS": "0"}).pack.min_interval_ms == 0


def test_names_of_other_programs_are_left_alone() -> None:
    read_settings({"ATTUNE_DATA": "/data", "ATTUNE_TEST_BOOTSTRAP": "x", "PATH": "/bin"})


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ATTUNE_COLOUR": "red"}, ("ATTUNE_COLOUR", "no such setting", "bootstrap")),
        ({"ATTUNE_PARTITIONS": "many"}, ("partitions", "many")),
        ({"ATTUNE_PARTITIONS": "0"}, ("partitions", ">= 1", "'0'")),
        ({"ATTUNE_FLUSH_MS": "60001"}, ("flush_ms", "60000")),
        ({"ATTUNE_SESSION_S": "nan"}, ("session_s",)),
        ({"ATTUNE_CLOCK": "sundial"}, ("clock", "sundial")),
        ({"ATTUNE_DOMAIN": "cars"}, ("domain", "cars")),
        ({"ATTUNE_REDIS": "localhost"}, ("redis", "localhost")),
        ({"ATTUNE_HTTP_PORT": "70000"}, ("http_port", "70000")),
        ({"ATTUNE_BOOTSTRAP": ""}, ("bootstrap",)),
        ({"ATTUNE_TEST_SABOTAGE": "everything"}, ("sabotage", "everything")),
        ({"ATTUNE_CONFIG": "/nowhere/attune.toml"}, ("/nowhere/attune.toml", "No such file")),
    ],
)
def test_errors_name_key_and_value(environ: dict[str, str], words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(environ)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", ("colour",)),
        ("bootstrap = [", ("attune.toml",)),
        ("[packs.jobs]\nlist_size = 0", ("packs", "list_size")),
        ("[packs.jobs.scores]\nluck = 1.0", ("scores", "luck")),
        ("[packs.jobs.actions]\nview = -1.0", ("actions.view", "-1.0")),
        ("[packs.cars]\nlist_size = 5", ("cars",)),
    ],
)
def test_errors_of_a_file_name_the_key(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(own_file(tmp_path, text))
    for word in words:
        assert word in str(error.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        read_settings({}).domain = "shop"  # type: ignore[misc]
    assert msgspec.structs.asdict(Settings())["domain"] == "jobs"


EXPERIMENT = """
[[experiments]]
name = "fresher"
arms = { control = 0.5, treatment = 0.5 }
[experiments.packs.treatment]
freshness_half_life_d = 3.0
"""


def test_experiments_are_a_table_and_are_checked_against_the_pack(tmp_path: Path) -> None:
    (found,) = read_settings(own_file(tmp_path, EXPERIMENT)).experiments
    assert (found.name, found.packs) == ("fresher", {"treatment": {"freshness_half_life_d": 3.0}})
    for right, wrong, says in (
        ("freshness_half_life_d = 3.0", 'models = "blend"', "fresher, arm treatment: models is the same"),
        ("name = ", "unknown = 1\nname = ", "unknown"),
        ("treatment = 0.5", "treatment = 0.6", "arms must be"),
    ):
        with pytest.raises(SettingsError, match=says):
            read_settings(own_file(tmp_path, EXPERIMENT.replace(right, wrong)))
