"""The command line of training data: make a data set, let an oracle write traces.

Results are JSON on standard output; progress goes to standard error.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from rmr1.backends.loading import load_backend
from rmr1.cli import load_settings
from rmr1.errors import ConfigurationError, InputError, first_problem
from rmr1.judge import Judge
from rmr1.prompt import load_profile
from rmr1.settings import Settings
from storage.export_files import FORMATS
from training import dataset
from training.attempts import Prices
from training.oracle import Asked, OracleOptions, collect
from training.selection import DataOptions, select
from training.sources import PUBLISHED

_M = TypeVar("_M", bound=BaseModel)

app = typer.Typer(no_args_is_help=True)

From = Annotated[
    list[str],
    typer.Option(
        "--from", help=f"a file, hub:OWNER/NAME[:SPLIT], or one of {', '.join(PUBLISHED)}; again"
    ),
]
Out = Annotated[Path, typer.Option(help="folder of the data set")]
Profile = Annotated[str, typer.Option(help="prompt profile of the judge to train")]
Shares = Annotated[str, typer.Option("--split", help="shares TRAIN,VALIDATION,TEST")]
Distillation = Annotated[
    str, typer.Option(help="share of training prompts for sft and dpo, the rest for rlvr; or all")
]
Seed = Annotated[int, typer.Option(help="of splits and orders")]
Refuse = Annotated[
    list[str] | None,
    typer.Option(help="benchmark whose prompts are left out: a file, a folder, hub:OWNER/NAME"),
]
Limit = Annotated[int | None, typer.Option(min=1, help="pairs of each source at most, by lot")]
Allow = Annotated[
    bool, typer.Option("--allow-leaks", help="write it though the form of pairs tells the label")
]


@app.command()
def data(
    kind: Annotated[
        Literal["sft", "rlvr", "dpo", "preference"], typer.Argument(help="the trainer's kind")
    ],
    sources: From,
    out: Out,
    file_format: Annotated[
        Literal["jsonl", "parquet", "both"], typer.Option("--format", help="of the files")
    ] = "both",
    profile: Profile = "cor",
    split: Shares = "0.9,0.05,0.05",
    distillation: Distillation = "0.5",
    seed: Seed = 0,
    refuse: Refuse = None,
    limit: Limit = None,
    traces: Annotated[int, typer.Option(help="in sft and dpo: at most so many for a pair")] = 1,
    both_orders: Annotated[
        bool, typer.Option("--both-orders", help="in rlvr: every pair twice, for the reward swap")
    ] = False,
    keep_surplus: Annotated[
        bool, typer.Option("--keep-surplus", help="in sft and dpo: though one letter wins more")
    ] = False,
    allow_leaks: Allow = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count and scan")] = False,
) -> None:
    """Make a data set of public sets, local files, released logs, exports, an oracle's attempts.

    All pairs of a prompt stay together, benchmarks' prompts are left out, the order of the
    responses is balanced, and label leaks are looked for.
    """
    options = _options(
        profile=profile,
        fractions=split.split(","),
        distillation=None if distillation == "all" else distillation,
        seed=seed,
        refuse=refuse or (),
        limit=limit,
        traces_per_pair=traces,
        both_orders=both_orders,
        surplus="keep" if keep_surplus else "drop",
        allow_leaks=allow_leaks,
    )
    if dry_run:
        manifest = dataset.count(sources, kind, options)
    else:
        formats = FORMATS if file_format == "both" else (file_format,)
        manifest = dataset.build(sources, kind, out, options, formats)
    _say(manifest.model_dump_json(indent=2))


@app.command()
def oracle(
    sources: From,
    out: Out,
    attempts: Annotated[
        Path | None,
        typer.Option(help="file of all attempts, gone on with if it is there; by default in OUT"),
    ] = None,
    backend: Annotated[str, typer.Option(help="one of RMR1_BACKENDS; else the default")] = "",
    teller: Annotated[str, typer.Option(help="likewise, for the pass with the verdict")] = "",
    profile: Profile = "cor",
    split: Shares = "0.9,0.05,0.05",
    distillation: Distillation = "0.5",
    seed: Seed = 0,
    refuse: Refuse = None,
    limit: Limit = None,
    tries: Annotated[int, typer.Option(min=1, help="blind attempts on a pair at most")] = 1,
    told_tries: Annotated[
        int, typer.Option(min=0, help="attempts with the verdict at most, after those")
    ] = 1,
    temperature: Annotated[float, typer.Option(help="0 is greedy")] = 0.0,
    max_tokens: Annotated[int, typer.Option(help="budget of one attempt")] = 4096,
    grammar: Annotated[bool, typer.Option("--grammar", help="hold it to the grammar")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="pairs judged at once")] = None,
    prompt_price: Annotated[float, typer.Option(help="of a million prompt tokens")] = 0.0,
    completion_price: Annotated[float, typer.Option(help="of a million completion tokens")] = 0.0,
    allow_leaks: Allow = False,
) -> None:
    """Let a judge write traces on pairs whose better side is known, and make sft data of them.

    Blind first; what failed once more with the verdict and the failed attempt in view. Killed at
    any moment it goes on where it was.
    """
    options = _options(
        profile=profile,
        fractions=split.split(","),
        distillation=None if distillation == "all" else distillation,
        seed=seed,
        refuse=refuse or (),
        limit=limit,
        allow_leaks=allow_leaks,
    )
    drawing = _checked(
        OracleOptions,
        plan={
            "temperature": temperature,
            "max_tokens": max_tokens,
            "seed": seed,
            "grammar": grammar,
        },
        tries=tries,
        told_tries=told_tries,
        workers=workers,
        prices=Prices(prompt=prompt_price, completion=completion_price),
    )
    asked_for = load_profile(profile)
    selection = select(sources, "distillation", options, layout=asked_for.layout)
    # Nobody tests a judge on traces: the pairs of the test split are left alone.
    asked = [
        Asked(pair=one.pair, order=one.order) for one in selection.pairs if one.split != "test"
    ]
    book = attempts or out / "attempts.jsonl"
    settings = load_settings()
    with ExitStack() as stack:
        judge = _judge(settings, backend, profile, stack)
        second = _judge(settings, teller, profile, stack) if teller else None
        report = collect(judge, asked, book, drawing, teller=second)
    _say(report.model_dump_json(indent=2))
    manifest = dataset.build([book], "sft", out, options.model_copy(update={"limit": None}))
    _say(manifest.model_dump_json(indent=2))


def _judge(settings: Settings, name: str, profile: str, stack: ExitStack) -> Judge:
    if name and name not in settings.backends:
        known = ", ".join(settings.backends) or "none"
        raise ConfigurationError(f"RMR1_BACKENDS has no {name!r}; it has {known}.")
    backend = load_backend(settings.backends[name] if name else settings.backend)
    stack.callback(backend.close)
    return Judge(backend, load_profile(profile))


def _options(**chosen: Any) -> DataOptions:
    return _checked(DataOptions, **chosen)


def _checked(model: type[_M], **chosen: Any) -> _M:
    try:
        return model.model_validate(chosen)
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"{where}: {what}" if where else what) from error


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
