"""Put the parts together: settings, store, judges, page and command line. Also a Space's entry."""

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from threading import Thread
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from rmr1 import cli as judge_cli
from rmr1 import cluster_cli, injection_cli, ranking_cli
from rmr1.backends.absent import AbsentBackend
from rmr1.backends.loading import load_backend
from rmr1.benchmark import cli as benchmark_cli
from rmr1.errors import InputError, RMR1Error, StorageError
from rmr1.judge import Judge
from rmr1.judges import judges_of
from rmr1.judging_service import JudgingService
from rmr1.plan import Plan
from rmr1.settings import Settings, default_plan
from storage import accounts, benchmark_keeping, benchmarks_cli, users_cli
from storage import cli as storage_cli
from storage.census import census
from storage.database import Database
from storage.offered import OfferedJudges
from storage.offsite import Offsite
from storage.offsite_stores import part_store
from storage.roles import Role
from training import cli as training_cli
from ui import gallery_cli, scaling_cli

if TYPE_CHECKING:
    from ui.gates import Gate

FIRST_ADMIN = "admin"
"""The name of the account that whoever starts a studio is invited to."""

SEPARATOR = " · "
"""Between the names of backend and profile in a judge's title."""

cli = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="See, question and improve a reasoning reward model.",
)
cli.add_typer(judge_cli.app)
cli.add_typer(ranking_cli.app)
cli.add_typer(injection_cli.app, name="probe")
cli.add_typer(cluster_cli.app)
bench = typer.Typer(no_args_is_help=True, help="Benchmarks: run, score, report, keep.")
bench.add_typer(benchmark_cli.app)
bench.add_typer(benchmarks_cli.app)
cli.add_typer(bench, name="bench")
cli.add_typer(scaling_cli.app)
cli.add_typer(gallery_cli.app)
cli.add_typer(storage_cli.app)
cli.add_typer(users_cli.app, name="users")
cli.add_typer(training_cli.app, name="train")


def open_database(settings: Settings) -> Database:
    """The database of the settings, with its journal beside it."""
    url = settings.database_url or f"sqlite:///{settings.data_dir / 'rmr1.db'}"
    return Database.open(url, settings.data_dir / "labels.jsonl")


@cli.callback()
def _remember_database(context: typer.Context) -> None:
    context.obj = lambda: open_database(judge_cli.load_settings())


@bench.command("work", hidden=True)
def work_on_benchmark(run_id: int) -> None:
    """Judge what a benchmark run of the database was opened for; the pages start this."""
    settings = judge_cli.load_settings()
    with ExitStack() as stack:
        database = stack.enter_context(open_database(settings))

        def open_judge(title: str) -> Judge:
            judges = OfferedJudges(database, load_judges(settings, stack), SEPARATOR)
            if title not in judges:
                raise InputError(f"There is no judge {title!r} any more: start a new run.")
            return judges[title]

        benchmark_keeping.work(database, run_id, open_judge, settings.data_dir)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="instead of RMR1_HOST")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="instead of RMR1_PORT")] = None,
    api_only: Annotated[
        bool, typer.Option("--api", help="only the endpoints under /v1, without the pages")
    ] = False,
) -> None:
    """Serve the studio on the host and port of the settings (http://127.0.0.1:7860)."""
    settings = judge_cli.load_settings()
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    signal.signal(signal.SIGTERM, _end)
    if api_only:
        _serve_api(settings)
    else:
        _serve_studio(settings)


def _serve_api(settings: Settings) -> None:
    from rmr1.api_server import serve_api

    with ExitStack() as stack:
        fixed = load_judges(settings, stack)
        database = stack.enter_context(open_database(settings))
        service = open_service(settings, OfferedJudges(database, fixed, SEPARATOR), stack)
        serve_api(service, settings.host, settings.port)


def _serve_studio(settings: Settings) -> None:
    # Gradio reads these at its import, takes seconds for it, and no other command needs it.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    stack = ExitStack()
    uploads = stack.enter_context(tempfile.TemporaryDirectory(prefix="rmr1-uploads-"))
    os.environ.setdefault("GRADIO_TEMP_DIR", uploads)
    gc.disable()  # a fifth of the import's time: nothing that it makes is garbage
    from rmr1.api_server import is_local
    from rmr1.serving import api_routes
    from ui.bencher import BenchmarkCommand
    from ui.limits import Buckets
    from ui.studio import Studio, build_page, launch
    from ui.trainer import TrainingCommand

    with stack:
        fixed = load_judges(settings, stack, or_absent=True)
        database = stack.enter_context(open_database(settings))
        offsite = open_offsite(settings, database, stack)
        judges = OfferedJudges(database, fixed, SEPARATOR)
        gate = open_gate(settings, database)
        studio = Studio(
            database,
            judges,
            settings.plan,
            settings.data_dir,
            plans_of_others(settings, judges),
            TrainingCommand.of_python(settings.training_python, settings.data_dir),
            gate=gate,
            benchmarks=BenchmarkCommand.of_python(settings.data_dir),
            visitor_rollouts=Buckets(
                settings.auth.visitor_rollouts, settings.auth.visitor_rollouts
            ),
            offsite=offsite,
        )
        # Where others reach the page, the endpoints are there only for who has the token.
        is_own = is_local(settings.host) and gate.mode == "local"
        offered = is_own or settings.api.token.get_secret_value()
        routes = api_routes(open_service(settings, judges, stack)) if offered else []
        page = build_page(studio)
        gc.freeze()
        gc.enable()
        sys.stderr.write(f"RM-R1 studio: http://{settings.host}:{settings.port}\n")
        Thread(target=look_ahead, args=(database,), name="census", daemon=True).start()
        launch(
            page,
            studio,
            host=settings.host,
            port=settings.port,
            allowed_hosts=settings.allowed_hosts,
            routes=routes,
        )


def look_ahead(database: Database) -> None:
    """Read what lists walk before somebody asks for one: of a million judgements it takes long."""
    with suppress(StorageError), database.read() as session:
        census(session)


def open_offsite(settings: Settings, database: Database, stack: ExitStack) -> Offsite | None:
    """What keeps the journal elsewhere, with what is there put back; None where nothing does."""
    wanted = settings.offsite
    if not wanted.repo:
        return None
    store = part_store(wanted.repo, wanted.folder)
    offsite = Offsite(database, store, seconds=wanted.seconds, lines=wanted.lines)
    offsite.start()
    stack.callback(offsite.close)
    return offsite


def open_gate(settings: Settings, database: Database) -> "Gate":
    """What tells whose a request is; standard error says what the host must know of it."""
    from rmr1.api_server import is_local
    from ui.gates import gate_of

    auth = settings.auth
    # A header of the proxy's counts by where it comes from, which must not be rewritten before.
    proxies = () if auth.mode == "header" else sorted(auth.proxies)
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(proxies)
    is_own = is_local(settings.host)
    secret = os.environ.get("OAUTH_CLIENT_SECRET", "")
    gate = gate_of(auth, database, is_local=is_own, oauth_secret=secret)
    if auth.mode == "local" and not is_own:
        sys.stderr.write(
            f"rmr1: others reach {settings.host}, and nobody has an account: all are visitors, who "
            "look and judge. RMR1_AUTH__MODE=accounts lets people sign in.\n"
        )
    if auth.mode == "accounts":
        _invite_first_admin(settings, database)
    return gate


def _invite_first_admin(settings: Settings, database: Database) -> None:
    """Where no admin can sign in yet, whoever reads the terminal may become one."""
    with database.write() as session:
        if accounts.has_admin(session):
            return
        token = accounts.invite(session, FIRST_ADMIN, Role.ADMIN)
    path = accounts.welcome_path(FIRST_ADMIN, token)
    address = f"http://{settings.host}:{settings.port}{path}"
    sys.stderr.write(f"rmr1: nobody can sign in yet. Choose the admin's password: {address}\n")


def open_service(
    settings: Settings, judges: Mapping[str, Judge], stack: ExitStack
) -> JudgingService:
    """The judges for the endpoints; closed by `stack`."""
    plans = plans_of_others(settings, judges)
    service = JudgingService(judges, settings.plan, settings.api, plans)
    stack.callback(service.close)
    return service


def plans_of_others(settings: Settings, judges: Iterable[str]) -> dict[str, Plan]:
    """The plans of the judges whose backend is not the default one, by title."""
    return {
        title: default_plan(settings.backends[name].kind)
        for title in judges
        if (name := title.rpartition(SEPARATOR)[0]) in settings.backends
    }


def load_judges(
    settings: Settings, stack: ExitStack, *, or_absent: bool = False
) -> dict[str, Judge]:
    """The judges to choose from, by title: those of each backend, the default first.

    Args:
        stack: closes the backends.
        or_absent: let a judge that says what is wrong stand in for a backend that cannot be made.

    Raises:
        ConfigurationError: a backend cannot be made, and nothing may stand in for it.
    """
    backends = {settings.backend.kind: settings.backend, **settings.backends}
    judges = {}
    for name, wanted in backends.items():
        try:
            backend = load_backend(wanted, warm=wanted is settings.backend)
        except RMR1Error as error:
            if not or_absent:
                raise
            sys.stderr.write(f"rmr1: no judge on {name}: {error}\n")
            backend = AbsentBackend(wanted.kind, str(error))
        stack.callback(backend.close)
        for title, judge in judges_of(backend, settings.profile).items():
            judges[f"{name}{SEPARATOR}{title}"] = judge
    return judges


def _end(*_: object) -> NoReturn:
    """Leave as after Ctrl+C, so that everything is closed."""
    sys.exit(0)


def main() -> None:
    """Run the command line: see `rmr1.cli.run` for its exit codes."""
    judge_cli.run(cli)


if __name__ == "__main__":
    if len(sys.argv) == 1:  # `python app.py`, as a Space starts it
        sys.argv.append("serve")
    main()
