"""Kafka's jars, by Maven, kept in the user's cache under a hash of the pom."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).parent / "kafka" / "pom.xml"


class NoJars(RuntimeError):
    """There is no way to a Kafka from jars here; the message says in one line what is missing."""


def cache_dir(pom: Path = POM) -> Path:
    """Where jars of a pom belong; it exists only once they are complete."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "attune" / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}"


def kafka_jars(pom: Path = POM) -> Path:
    """The directory with the jars, fetched on the first call (44 MB, some seconds).

    Raises:
        NoJars: no Java, or the jars are not cached and Maven is absent or could not fetch them.
    """
    if shutil.which("java") is None:
        raise NoJars("no java")
    jars = cache_dir(pom)
    if jars.is_dir():
        return jars
    if shutil.which("mvn") is None:
        raise NoJars("no mvn")
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix=".fetch-") as work:
        shutil.copy(pom, Path(work, "pom.xml"))
        fetched = Path(work, "libs")
        command = [
            "mvn",
            "-q",
            "-B",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={fetched}",
        ]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode or not any(fetched.glob("kafka_*.jar")):
            reason = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
            raise NoJars(f"mvn could not fetch Kafka's jars: {reason.strip()[:200]}")
        try:
            fetched.rename(jars)
        except OSError:  # another run was quicker
            if not jars.is_dir():
                raise
    return jars
