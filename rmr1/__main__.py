"""`python -m rmr1`: the part of the command line that needs no database."""

import typer

from rmr1 import cli, injection_cli, ranking_cli
from rmr1.benchmark import cli as benchmark_cli

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Judge, rank and measure; `rmr1` has the database and the pages, too.",
)
app.add_typer(cli.app)
app.add_typer(ranking_cli.app)
app.add_typer(injection_cli.app, name="probe")
app.add_typer(benchmark_cli.app, name="bench")

if __name__ == "__main__":
    cli.run(app)
