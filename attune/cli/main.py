"""`attune`: every command, one thin file each. Settings are read once, by the command that runs."""

from importlib.metadata import version

import typer

from attune.cli.bench import bench
from attune.cli.challenger import challenger
from attune.cli.console import console
from attune.cli.dead_letters import dead_letters
from attune.cli.demo import demo
from attune.cli.erase import erase
from attune.cli.evaluate import evaluate
from attune.cli.experiment import experiment
from attune.cli.explain import explain
from attune.cli.failure import Commands
from attune.cli.lag import lag
from attune.cli.mailer import mailer
from attune.cli.preview import preview
from attune.cli.produce import produce
from attune.cli.profile import profile
from attune.cli.recommend import recommend
from attune.cli.replay import replay
from attune.cli.search import search
from attune.cli.sending import sending
from attune.cli.serve import serve
from attune.cli.simulate import simulate
from attune.cli.topics import topics
from attune.cli.worker import worker

app = typer.Typer(
    name="attune",
    cls=Commands,
    help="What to recommend to each person, and when to write to them: live, on Kafka.",
    epilog="Settings: ./attune.toml and ATTUNE_* variables. Exit codes: 0 done, 1 failed, 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"attune {version('attune')}")
        raise typer.Exit


@app.callback()
def attune(
    _: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """What to recommend to each person, and when to write to them: live, on Kafka."""


app.command()(demo)
app.command()(worker)
app.add_typer(topics, name="topics")
app.command()(produce)
app.command()(replay)
app.command()(evaluate)
app.command()(simulate)
app.add_typer(experiment, name="experiment")
app.command()(serve)
app.add_typer(challenger, name="challenger")
app.command()(console)
app.command()(recommend)
app.command()(search)
app.command()(explain)
app.command()(profile)
app.command()(erase)
app.add_typer(sending, name="sending")
app.add_typer(mailer, name="mailer")
app.command()(preview)
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(lag, name="lag")
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(bench)

if __name__ == "__main__":
    app()
