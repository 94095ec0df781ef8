"""The story on a terminal: what happens, in tables that fit a README."""

from collections.abc import Collection
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from attune.demo.letters import Told
from attune.demo.story import Outcome, Scene, Shown

WIDTH = 110


class Screen:
    """Prints each scene as it comes."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def show(self, scene: Scene) -> None:
        """One scene."""
        facts = scene.facts
        match scene.name:
            case "opening":
                self._line(f"Attune, live on this machine. Seed {facts['seed']}.", "bold")
                self._line("Starting an embedded Kafka and Redis, a worker, the learner and the sink …", "dim")
            case "market":
                self._line(
                    f"A job market: {facts['items']:,} open jobs, {facts['people']:,} people, "
                    f"{facts['events']:,} things they did lately."
                )
            case "learned":
                self._line(
                    f"All of it read and learned after {facts['seconds']:.0f} s; the market goes on live from here."
                )
            case "page":
                self._line(f"Look around and click yourself: {facts['url']}", "bold")
                self._line(f"What on-call sees: {facts['console']}   password {facts['password']}")
            case "before":
                self._list(f"What {facts['person']} is shown after looking at two jobs", facts["list"], ())
            case "after":
                self._after(facts["outcome"])
            case "mails":
                self._mails(facts["told"])

    def _after(self, outcome: Outcome) -> None:
        saved = outcome.saved
        self.console.print()
        self._line(f"{outcome.saver} saves “{saved.title}” ({saved.brand}, {saved.city}).", "bold")
        new = outcome.new_items
        title = f"What {outcome.saver} is shown {outcome.save_to_redis_ms:.0f} ms later"
        self._list(title, outcome.after, new, saved.title)
        self.console.print()
        self._line(f"{len(new)} jobs are new, {outcome.new_naming_saved} of them because of the save.", "bold green")
        kept = "keeps the same list" if outcome.bystander_unchanged else "got another list, which should not be"
        self._line(f"{outcome.bystander}, who did nothing meanwhile, {kept}.")

    def _mails(self, told: Collection[Told]) -> None:
        self.console.print()
        self._line("Two jobs are posted; four people asked to hear of such jobs at once.", "bold")
        for one in told:
            what = "a mail" if one.mail else "no mail"
            self._line(f"{one.person}, where it is {one.clock}: {what} after {one.after_s:.1f} s: {one.why}")
        self._line("The mails, until the demo ends:", "dim")
        for one in told:
            if one.mail:
                self.console.print(Text(f"  {one.mail}"), soft_wrap=True)

    def _list(self, title: str, shown: Collection[Shown], new: Collection[str], saved: str = "") -> None:
        table = Table(
            box=box.SIMPLE_HEAD, title=Text(title, style="bold"), title_justify="left", width=WIDTH, pad_edge=False
        )
        table.add_column("", width=3, no_wrap=True)
        table.add_column("job", width=44, no_wrap=True)
        table.add_column("town", width=10, no_wrap=True)
        table.add_column("why", ratio=1, no_wrap=True)
        for place in shown:
            why = next((reason for reason in place.reasons if saved and saved in reason), (*place.reasons, "")[0])
            fresh = place.item_id in new
            table.add_row(
                Text(f"{place.rank:>2}{'+' if fresh else ' '}"),
                Text(place.title),
                Text(place.city or ""),
                Text(why),
                style="green" if fresh else "",
            )
        self.console.print(table)

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))


def pulse(events: int, lists: int, dead_letters: int, latency_ms: dict[str, Any]) -> Text:
    """How the live market stands, in one line.

    >>> pulse(3000, 1500, 0, {"p50": 44, "p99": 55, "count": 20}).plain
    '3,000 events in   1,500 lists out   event to list 44 ms (p50), 55 ms (p99)   0 dead letters'
    """
    p50, p99 = latency_ms["p50"], latency_ms["p99"]
    took = "not measured yet" if p50 is None else f"{p50} ms (p50), {p99} ms (p99)"
    return Text(f"{events:,} events in   {lists:,} lists out   event to list {took}   {dead_letters:,} dead letters")
