"""The command line's part on judges: compare two versions, promote an adapter, roll it back."""

import getpass
import sys
from dataclasses import asdict
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from rmr1.errors import InputError
from storage import adapters, comparing
from storage.adapters import Promotion
from storage.common_pairs import CompareOptions
from storage.comparison_text import describe
from storage.console import DatabaseUrl, opened, say, sentence
from storage.splits import Fractions

app = typer.Typer()
kept = typer.Typer(no_args_is_help=True, help="Adapters: list them, promote one, roll back.")
app.add_typer(kept, name="adapters")

By = Annotated[str, typer.Option("--by", help="who decides; by default the user's login name")]


@app.command("compare")
def compare(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="hash of a judge version, or its beginning")],
    new: Annotated[str, typer.Argument(help="the same of the other one")],
    truth: Annotated[
        Literal["labels", "known", "either"],
        typer.Option(help="what is right: people's labels, what sources knew, or either"),
    ] = "either",
    stage: Annotated[
        Literal["blind", "final"], typer.Option(help="which label of a person counts")
    ] = "blind",
    sources: Annotated[
        list[str] | None, typer.Option("--source", help="only pairs of this source")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="with the pairs of the training split")
    ] = False,
    split: Annotated[
        str, typer.Option(help="shares TRAIN,VALIDATION,TEST of the exports")
    ] = "0.9,0.05,0.05",
    seed: Annotated[int, typer.Option(help="of the exports")] = 0,
    flips: Annotated[int, typer.Option(min=0, help="in the table: so many each way")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="everything, as one JSON object")] = False,
    database: DatabaseUrl = "",
) -> None:
    """Compare two judge versions on the held-out pairs that both judged."""
    options = _options(
        truth=truth, stage=stage, sources=sources, held_out=not everything, split=split, seed=seed
    )
    with opened(context, database) as store, store.read() as session:
        found = comparing.compare(session, old, new, options)
    if as_json:
        say({**asdict(found), "options": options.model_dump(mode="json")})
    else:
        sys.stdout.write(describe(found, flips) + "\n")


@kept.command("list")
def list_adapters(context: typer.Context, database: DatabaseUrl = "") -> None:
    """All adapters, newest first, and which one judges."""
    with opened(context, database) as store, store.read() as session:
        judging = adapters.promoted(session)
        for adapter in adapters.all(session):
            say({"version": adapter.version, **asdict(adapter), "promoted": adapter == judging})


@kept.command("register")
def register(
    context: typer.Context,
    run: Annotated[int, typer.Argument(help="the training run that left the adapter")],
    name: Annotated[str, typer.Option(help="what it is to be called")],
    database: DatabaseUrl = "",
) -> None:
    """Put the adapter of a run on record, so that it can be compared and promoted."""
    with opened(context, database) as store, store.write() as session:
        adapter = adapters.get(session, adapters.register_of_run(session, run, name))
    say({"version": adapter.version, **asdict(adapter)})


@kept.command("history")
def history(context: typer.Context, database: DatabaseUrl = "") -> None:
    """All promotions and rollbacks, newest first."""
    with opened(context, database) as store, store.read() as session:
        for promotion in adapters.promotions(session):
            say(_described(promotion))


@kept.command("promote")
def promote(
    context: typer.Context,
    adapter: Annotated[str, typer.Argument(help="its id, NAME@HASH, or NAME: the newest")] = "",
    base: Annotated[bool, typer.Option("--base", help="the base model, without adapter")] = False,
    by: By = "",
    database: DatabaseUrl = "",
) -> None:
    """Let an adapter judge from now on; a running studio takes it over."""
    if bool(adapter) == base:
        raise InputError("Name the adapter to promote, or give --base for the base model alone.")
    with opened(context, database) as store, store.write() as session:
        chosen = None if base else adapters.find(session, adapter).id
        promotion = adapters.promote(session, chosen, by or _user())
    say(_described(promotion))


@kept.command("rollback")
def rollback(context: typer.Context, by: By = "", database: DatabaseUrl = "") -> None:
    """Let the adapter judge that was promoted before the present one."""
    with opened(context, database) as store, store.write() as session:
        promotion = adapters.rollback(session, by or _user())
    say(_described(promotion))


def _options(*, split: str, sources: list[str] | None, **values: object) -> CompareOptions:
    try:
        fractions = Fractions(*map(float, split.split(",")))
    except (TypeError, ValueError) as error:
        raise InputError("--split wants three shares, such as 0.8,0.1,0.1.") from error
    given = {**values, "fractions": fractions, "sources": tuple(sources or ())}
    try:
        return CompareOptions.model_validate(given)
    except ValidationError as error:
        raise InputError(sentence(error)) from error


def _described(promotion: Promotion) -> dict[str, object]:
    return {
        "action": promotion.action,
        "adapter": promotion.adapter.version if promotion.adapter else None,
        "by": promotion.by,
        "created_at": promotion.created_at.isoformat(),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError) as error:
        raise InputError("Nobody knows who decides this: give --by NAME.") from error
