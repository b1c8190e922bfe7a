"""The processes of training: `run ID` works on a run, `start` and `resume` begin one.

A page calls `start`, `resume` and `recipes`; people call `rmr1 train`, and `compose` here, as it
needs the trainers' libraries.
"""

import sys

import typer

from rmr1 import cli as judge_cli
from rmr1.cli import load_settings
from storage.database import Database
from training import cli, launching, mix_cli
from training.cli import Data, Launcher, RecipeName, RunId, Set
from training.recipe import load_recipe, read_overrides
from training.running import work

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command("recipes")(cli.recipes)
app.add_typer(mix_cli.app)


@app.command()
def run(run_id: RunId) -> None:
    """Do the work of a run that is on record."""
    settings = load_settings()
    with Database.open(launching.database_url(settings)) as database:
        code = work(settings, database, run_id)
    raise typer.Exit(code)


@app.command()
def start(recipe: RecipeName, data: Data, sets: Set = None, launcher: Launcher = "") -> None:
    """Open a run, start its process, say its id and return."""
    wanted = load_recipe(recipe, read_overrides(sets or []))
    found = load_settings()
    with Database.open(launching.database_url(found)) as database:
        started = launching.start(found, database, wanted, data, launcher)
    sys.stdout.write(f'{{"run": {started.run_id}}}\n')


@app.command()
def resume(run_id: RunId) -> None:
    """Let a run go on from its last checkpoint, say its id and return."""
    found = load_settings()
    with Database.open(launching.database_url(found)) as database:
        started = launching.resume(found, database, run_id)
    sys.stdout.write(f'{{"run": {started.run_id}}}\n')


if __name__ == "__main__":
    judge_cli.run(app)
