"""The command line without a database: judge pairs, read judge texts, look after prompts."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from tqdm import tqdm

from rmr1 import evaluation as evaluator
from rmr1.backends.base import Backend, TakesAdapters
from rmr1.backends.loading import load_backend
from rmr1.batch import by_prompt, judge_many
from rmr1.errors import BackendError, ConfigurationError, InputError, RMR1Error, first_problem
from rmr1.evaluation_text import evaluation_text
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.judges import default_judge
from rmr1.pair import Order, Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile, profile_names, save_profile
from rmr1.published import fetch_published_prompt
from rmr1.record import (
    Record,
    judgement_from_record,
    pair_from_record,
    quote_record,
    trace_record,
)
from rmr1.results import opened_results
from rmr1.rollout import read_rollout
from rmr1.settings import Settings
from rmr1.trace import TaskType

_Read = TypeVar("_Read")

app = typer.Typer(no_args_is_help=True)
prompts = typer.Typer(no_args_is_help=True, help="Prompt profiles: list, show, fetch.")
app.add_typer(prompts, name="prompts")


@app.command()
def judge(
    pairs: Annotated[str, typer.Argument(help="JSON lines of pairs, or - for standard input")],
    out: Annotated[Path, typer.Option(help="JSON lines of judgements; an existing file goes on")],
    orders: Annotated[str | None, typer.Option(help="AB, BA or both")] = None,
    votes: Annotated[int | None, typer.Option(help="rollouts for each order")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="budget of one rollout")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of the first rollout")] = None,
    grammar: Annotated[bool | None, typer.Option(help="hold rollouts to the grammar")] = None,
    profile: Annotated[str | None, typer.Option(help="prompt profile: a name or a file")] = None,
    adapter: Annotated[
        str | None,
        typer.Option(help='the backend\'s adapter to judge with; NAME=FOLDER of PEFT; "" for none'),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="pairs judged at once")] = None,
    stop_at: Annotated[
        float | None,
        typer.Option(
            "--adaptive",
            "--stop-at",
            help="draw votes only until the side ahead would keep its lead with this probability",
        ),
    ] = None,
) -> None:
    """Judge pairs, a line each, with the backend of the settings (RMR1_BACKEND__KIND ...).

    Killed at any moment it goes on where it was: a pair that OUT holds a judgement of by the same
    judge under the same plan is not judged again, unless its backend failed. Exits with 1 if a
    backend failed on any pair.
    """
    settings = load_settings()
    chosen = {
        "orders": orders,
        "votes": votes,
        "temperature": temperature,
        "seed": seed,
        "max_tokens": max_tokens,
        "grammar": grammar,
        "stop_at": stop_at,
    }
    plan = changed_plan(settings.plan, chosen)
    wanted = {pair.hash: pair for pair in read_lines(pairs, pair_from_record)}
    with ExitStack() as stack:
        results = stack.enter_context(opened_results(out, attrgetter("hash")))
        who = stack.enter_context(opened_judge(settings, profile, adapter))
        same = (plan.hash, who.version.hash)
        todo = [pair for pair in wanted.values() if not results.hold(pair, *same)]
        finished = tqdm(
            judge_many(who, by_prompt(todo), plan, workers=workers),
            total=len(todo),
            unit="pair",
            disable=not sys.stderr.isatty(),
        )
        failed = sum(results.add(judgement) for judgement in finished)
    if failed:
        raise BackendError(f"the judge failed on {failed} of {len(todo)} pairs: run it again.")


@contextmanager
def opened_judge(settings: Settings, profile: str | None, adapter: str | None) -> Iterator[Judge]:
    """The judge that a command's options ask for, on the backend of the settings.

    Raises:
        ConfigurationError: the backend, the profile or the adapter cannot be used.
    """
    with closing(load_backend(settings.backend)) as backend:
        taken = _taken_adapter(backend, adapter)
        yield default_judge(backend, profile or settings.profile, taken)


def _taken_adapter(backend: Backend, adapter: str | None) -> str | None:
    """The adapter to judge with; one that is given with its folder is handed to the backend."""
    name, equals, folder = (adapter or "").partition("=")
    if not equals:
        return adapter
    if not isinstance(backend, TakesAdapters):
        raise ConfigurationError(
            "this backend takes no adapter from a folder: start its server with it, and give the "
            "name that it has there."
        )
    return backend.add_adapter(name, Path(folder))


@app.command()
def parse(
    file: Annotated[str, typer.Argument(help="judge texts, or - for standard input")] = "-",
) -> None:
    """Read judge texts and print their traces, a JSON object a line.

    A line is `{"id", "text", "response_a", "response_b"}` (the responses are optional: with them
    quotations are looked up); a file that is no JSON is one text.
    """
    content = _read_text(file)
    for number, record in enumerate(_texts(content), start=1):
        print_json(_parsed(record, str(record.get("id", number))))


@app.command()
def evaluate(
    judgements: Annotated[str, typer.Argument(help="what `rmr1 judge --out` wrote, or -")],
    expected_types: Annotated[
        str, typer.Option(help="right task types: gsm8k=Reasoning,pandalm=Chat")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="a JSON object a judge")] = False,
) -> None:
    """Hold judgements against the better sides that their pairs name; a report for each judge.

    A pair judged twice by one judge under one plan counts once, as it was judged last.
    """
    expected = _expected_types(expected_types)
    for last in judged_alike(judgements):
        found, version, plan = evaluator.evaluate(last, expected), last[0].version, last[0].plan
        if as_json:
            print_json({"judge": asdict(version), "plan": plan.model_dump(), **found.as_record()})
        else:
            sys.stdout.write(f"### {version.title}\n\n{evaluation_text(found)}\n")


@prompts.command("list")
def list_prompts() -> None:
    """The packaged prompt profiles."""
    for name in profile_names():
        found = load_profile(name)
        print_json(
            {
                "name": name,
                "title": found.title,
                "layout": found.layout,
                "description": found.description,
                "hash": found.hash,
            }
        )


@prompts.command("show")
def show_prompt(profile: Annotated[str, typer.Argument(help="a name or a file")]) -> None:
    """One profile, whole."""
    print_json(load_profile(profile).model_dump())


@prompts.command("fetch")
def fetch_prompt(
    out: Annotated[Path, typer.Option(help="the profile file to write")],
    source: Annotated[
        str, typer.Argument(help="data set on the Hub, or a Parquet or JSONL file of it")
    ] = "gaotang/RM-R1-Entire-RLVR-Train",
) -> None:
    """Read the prompt that a published checkpoint was trained with from its training set."""
    save_profile(fetch_published_prompt(source), out)
    print_json({"profile": str(out), "source": source})


def run(command_line: Callable[[], None]) -> None:
    """Run a command line; what a person can mend is one line on standard error.

    Exit codes: 0 done, 1 the work failed, 2 the input or the settings are wrong.
    """
    try:
        command_line()
    except RMR1Error as error:
        sys.stderr.write(f"rmr1: {error}\n")
        sys.exit(2 if isinstance(error, InputError | ConfigurationError) else 1)


def load_settings() -> Settings:
    """The settings of the environment.

    Raises:
        ConfigurationError: a variable is unknown or holds something unusable.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]  # it may be a key
        said = first["msg"].removeprefix("Value error, ")
        name, *inside = (str(part) for part in first["loc"] or ("",))
        where = f" ({'.'.join(inside)})" if inside else ""
        subject = f"RMR1_{name.upper()}{where}: " if name else ""
        raise ConfigurationError(f"the settings cannot be used: {subject}{said}.") from error
    except SettingsError as error:
        raise ConfigurationError(f"the settings cannot be used: {error}.") from error


def judged_alike(file: str) -> list[list[Judgement]]:
    """The judgements of a file, those of one judge under one plan together, each pair as it was
    judged last.

    Args:
        file: what `rmr1 judge --out` wrote, or - for standard input.

    Raises:
        InputError: it cannot be read, or a line of it is no judgement.
    """
    judged: dict[tuple[str, str], dict[str, Judgement]] = {}
    for one in read_lines(file, judgement_from_record):
        judged.setdefault((one.version.hash, one.plan.hash), {})[one.pair.hash] = one
    return [list(by_pair.values()) for by_pair in judged.values()]


def print_json(record: Record) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")


def changed_plan(default: Plan, chosen: dict[str, Any]) -> Plan:
    """A plan with the options that were given; those that are None stay as they are.

    Raises:
        InputError: an option cannot have its value.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Plan.model_validate({**default.model_dump(), **given})
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"--{where}: {what}".replace("_", "-")) from error


def _read_text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as UTF-8 text: {error}") from error


def read_lines(file: str, read: Callable[[Record], _Read]) -> Iterator[_Read]:
    """What the lines of a file of JSON objects hold; - is standard input, empty lines are passed.

    Raises:
        InputError: it cannot be read; the sentence names the line.
    """
    for number, line in enumerate(_read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield read(_object(line))
        except InputError as error:
            raise InputError(f"{file}, line {number}: {error}") from error


def _expected_types(text: str) -> dict[str, TaskType]:
    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return {source.strip(): TaskType(name.strip()) for source, _, name in parts}
    except ValueError as error:
        raise InputError(
            f"--expected-types: {error}; expected source=Chat or source=Reasoning, by commas."
        ) from error


def _object(line: str | bytes) -> Record:
    try:
        record = orjson.loads(line)  # refuses half surrogates, which no UTF-8 file can hold
    except ValueError as error:
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(record, dict):
        raise InputError("expected a JSON object")
    return record


def _texts(content: str) -> Iterable[Record]:
    lines = [line for line in content.split("\n") if line.strip()]
    try:
        records = [_object(line) for line in lines]
    except InputError:
        return [{"text": content}]
    return records


def _parsed(record: Record, name: str) -> Record:
    text = record.get("text")
    if not isinstance(text, str):
        raise InputError(f"{name}: text: expected a text")
    a, b = str(record.get("response_a") or ""), str(record.get("response_b") or "")
    try:
        pair = Pair.of("(not given)", a, b)
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"{name}: {where}: {what}") from error
    rollout = read_rollout(pair, Order.AB, text)
    known = bool(a or b)
    return {
        "id": name,
        "verdict": rollout.verdict,
        "state": rollout.state,
        "reason": rollout.reason,
        **trace_record(rollout.trace),
        "quotes": [
            quote_record(quote) if known else {**quote_record(quote), "match": None}
            for quote in rollout.quotes
        ],
        "text": text,
    }
