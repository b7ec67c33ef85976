"""``make conformance``: every story in its orders, on both databases, in several processes, with a table at the end."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import click

from tests.conformance.campaign import KINDS, Job, Result, Sizes, Workshop, plan
from tests.conformance.crew import done
from tests.conformance.report import Progress, table
from tests.conformance.stories import ALL, BY_NAME, Story
from tests.support import databases

SHOWN = 12  # failures that are printed whole


class _Options:
    """What pytest's configuration would say to the databases."""

    collectonly = False
    option: "_Options"


@click.command()
@click.option("--stories", default="", help="Only these, split at semicolons: names, or parts of names.")
@click.option("--kinds", default=",".join(KINDS), show_default=True, help="Only these kinds of runs.")
@click.option("--runs", default=Sizes.runs, show_default=True, help="Orders sampled of each story, beside the walks.")
@click.option("--seed", default=1, show_default=True, help="Another seed samples other orders.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="Processes at once.")
@click.option("--only", default="", help="One run, as a report names it: prints what happens in it.")
def main(stories: str, kinds: str, runs: int, seed: int, jobs: int, only: str) -> None:
    """Play stories of purchases in every order, doubled, lost, raced and killed; exit 1 if anything goes wrong."""
    chosen = _chosen(stories)
    with _world() as folder:
        if only:
            sys.exit(_once(chosen, only, folder))
        started = time.monotonic()
        sizes = Sizes(runs, seed)
        planned = _planned(chosen, kinds.split(","), sizes, folder)
        results: list[Result] = []
        with suppress(KeyboardInterrupt):
            for result in _watched(planned, jobs, folder):
                results.append(result)
    click.echo(table(chosen, results))
    if stopped := len(planned) - len(results):
        click.echo(f"\nStopped early: {stopped} of {len(planned)} parts were not run.")
    failures = [text for result in results for text in result.failures]
    for text in failures[:SHOWN]:
        click.echo(f"\n{text}")
    took = time.monotonic() - started
    ran = sum(result.runs for result in results), sum(result.messages for result in results)
    click.echo(f"\n{ran[0]:,} runs with {ran[1]:,} messages in {took / 60:.1f} minutes, {len(failures)} failed.")
    sys.exit(1 if failures or stopped else 0)


def _chosen(stories: str) -> list[Story]:
    wanted = [text.strip() for text in stories.split(";") if text.strip()]
    found = [story for story in ALL if not wanted or story.name in wanted]
    found += [story for story in ALL for text in wanted if text not in BY_NAME and text in story.name]
    if not found:
        raise click.ClickException(f"No story is called {stories!r}. There are: {'; '.join(one.name for one in ALL)}.")
    return found


@contextmanager
def _world() -> Iterator[Path]:
    """The database server and a folder; both are gone afterwards."""
    os.environ["PAYWALL_ENV"] = "testing"
    memory = Path("/dev/shm")  # commits that need not survive the machine
    folder = Path(tempfile.mkdtemp(prefix="conformance-", dir=memory if memory.is_dir() else None))
    options = _Options()
    options.option = options
    databases.start(options)  # type: ignore[arg-type]
    try:
        yield folder
    finally:
        databases.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _once(chosen: list[Story], only: str, folder: Path) -> int:
    """One run; prints all that happens in it."""
    kind, database, name = only.split(":", 2)
    workshop = Workshop(folder)
    job = Job(chosen[0].name, kind, database, (name,))
    failed = 0
    try:
        if kind == "walked":
            failures = workshop.do(job).failures
            click.echo("\n".join(failures))
            return 1 if failures else 0
        with workshop.on(database):
            for run in workshop.runs(job, name):
                click.echo("\n".join([*run.trace, *(f"FAULT {fault}" for fault in run.faults), ""]))
                failed += bool(run.faults)
    finally:
        workshop.close()
    return 1 if failed else 0


def _planned(chosen: list[Story], kinds: list[str], sizes: Sizes, folder: Path) -> list[Job]:
    """All jobs, mixed, so that the bar tells the time that is left. Stops when a story fails even in its own order."""
    workshop = Workshop(folder / "plan")
    found: list[Job] = []
    try:
        with Progress(len(chosen), "stories read") as progress:
            for story in chosen:
                jobs = plan(story, workshop.tape(story, "sqlite").count, sizes)
                found += [job for job in jobs if job.kind in kinds]
                progress.step(1, 0)
    except AssertionError as failure:
        raise click.ClickException(str(failure)) from None
    finally:
        workshop.close()
    Random(sizes.seed).shuffle(found)
    return found


def _watched(planned: list[Job], processes: int, folder: Path) -> Iterator[Result]:
    with Progress(sum(len(job.names) for job in planned), "runs") as progress:
        for result in done(planned, processes, folder):
            progress.step(len(result.job.names), len(result.failures))
            for text in result.failures[:1]:  # known at once, not after the last run
                click.echo(f"\nfailed: {text.splitlines()[0]}", err=True)
            yield result


if __name__ == "__main__":
    main()
