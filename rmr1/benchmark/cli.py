"""The commands of the benchmarks: `rmr1 bench run`, `rmr1 bench score`, `rmr1 bench report`."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from tqdm import tqdm

from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.document import Block, html_page, markdown
from rmr1.benchmark.items import benchmark_files, read_items, select
from rmr1.benchmark.judged import Pile, read_judged
from rmr1.benchmark.manifest import Manifest
from rmr1.benchmark.outcome import Rule
from rmr1.benchmark.report import TITLE, report, score_blocks
from rmr1.benchmark.running import Chosen, identity, run_benchmark
from rmr1.benchmark.score import Score, score
from rmr1.cli import changed_plan, load_settings, opened_judge, print_json
from rmr1.errors import BackendError, InputError
from rmr1.judgement import Judgement
from rmr1.results import opened_results
from rmr1.rollout import State

app = typer.Typer(no_args_is_help=True, help="Benchmarks: run, score, report.")

_RULE = typer.Option(help="how texts become verdicts: published, upstream or own")
_JSON = typer.Option("--json", help="a JSON object a score")
_BENCHMARK = typer.Option(help="count all pairs as of this one; by default their source tells")


@app.command()
def run(
    name: Annotated[
        str, typer.Argument(help="rewardbench, rm-bench, rmb, rewardbench-2 or judgebench")
    ],
    data: Annotated[str, typer.Option(help="a file or folder as published, or hub:OWNER/NAME")],
    out: Annotated[Path, typer.Option(help="JSON lines of judgements; an existing file goes on")],
    sample: Annotated[
        int | None, typer.Option(min=1, help="prompts to choose, stratified; by default all")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the sample and of the sides")] = 0,
    rule: Annotated[Rule, _RULE] = "published",
    as_json: Annotated[bool, _JSON] = False,
    orders: Annotated[str | None, typer.Option(help="AB, BA or both")] = None,
    votes: Annotated[int | None, typer.Option(help="rollouts for each order")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="budget of one rollout")] = None,
    grammar: Annotated[bool | None, typer.Option(help="hold rollouts to the grammar")] = None,
    stop_at: Annotated[
        float | None, typer.Option("--adaptive", help="as in `rmr1 judge`: stop votes early")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="prompt profile: a name or a file")] = None,
    adapter: Annotated[str | None, typer.Option(help="as in `rmr1 judge`")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="pairs judged at once")] = None,
) -> None:
    """Judge a benchmark with the backend of the settings, then score it.

    Killed at any moment it goes on where it was: a pair that OUT holds a judgement of by the same
    judge under the same plan is not judged again, unless its backend failed. Exits with 1 if a
    backend failed on any pair.
    """
    settings = load_settings()
    given = {
        "orders": orders,
        "votes": votes,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "grammar": grammar,
        "stop_at": stop_at,
    }
    plan = changed_plan(settings.plan, given)
    benchmark = by_name(name)
    chosen = _choose(benchmark, data, sample, seed)
    with ExitStack() as stack:
        results = stack.enter_context(opened_results(out, identity))
        _manifest(chosen, data, sample).save(out)
        who = stack.enter_context(opened_judge(settings, profile, adapter))
        same = (plan.hash, who.version.hash)
        left = sum(not results.hold(pair, *same) for pair in chosen.pairs())
        kept = chosen.selection.pairs - left
        _say(f"{left:,} pairs to judge, {kept:,} judged before, by {who.version.title}.")
        failed = _follow(run_benchmark(who, plan, chosen, results, workers=workers), left)
    own = [
        one
        for one in _scores(read_judged([out]), rule)
        if (one.plan.hash, one.version.hash) == same and one.benchmark is benchmark
    ]
    _print(own, as_json)
    if failed:
        raise BackendError(f"the judge failed on {failed:,} of {left:,} pairs: run it again.")


@app.command("score")
def score_paths(
    paths: Annotated[
        list[Path], typer.Argument(help="judgements or released RM-R1 logs, or folders of them")
    ],
    benchmark: Annotated[str | None, _BENCHMARK] = None,
    rule: Annotated[Rule, _RULE] = "published",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Score what has been judged: a score for each judge, plan and benchmark."""
    _print(_scores(_read(paths, benchmark), rule), as_json)


@app.command("report")
def write_report(
    paths: Annotated[list[Path], typer.Argument(help="as of `score`")],
    out: Annotated[Path, typer.Option(help="the report: .md or .html")],
    benchmark: Annotated[str | None, _BENCHMARK] = None,
    rule: Annotated[Rule, _RULE] = "published",
) -> None:
    """Write a report: our runs beside the paper's rows, and what differs in protocol."""
    if out.suffix not in {".md", ".html"}:
        raise InputError(f"{out}: the name of a report ends in .md or .html.")
    blocks = report(_scores(_read(paths, benchmark), rule))
    page = html_page(TITLE, blocks) if out.suffix == ".html" else markdown(blocks)
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}.") from error
    _say(f"Written: {out}")


def _choose(benchmark: Benchmark, data: str, sample: int | None, seed: int) -> Chosen:
    files = benchmark_files(benchmark, data)
    found = select(benchmark, read_items(benchmark, files, seed), sample, seed)
    _say(
        f"{benchmark.title}: {found.prompts:,} of {found.all_prompts:,} prompts, "
        f"{found.pairs:,} of {found.all_pairs:,} pairs"
        + (f"; the whole benchmark has {benchmark.size:,}." if benchmark.size else ".")
    )
    _say_unusable(found.unusable, found.reasons)
    return Chosen(benchmark, files, found, seed)


def _manifest(chosen: Chosen, data: str, sample: int | None) -> Manifest:
    found = chosen.selection
    return Manifest(
        benchmark=chosen.benchmark.name,
        data=data,
        sample=sample,
        seed=chosen.seed,
        prompts=found.prompts,
        pairs=found.pairs,
        all_prompts=found.all_prompts,
        all_pairs=found.all_pairs,
        unusable=found.unusable,
    )


def _follow(judgements: Iterable[Judgement], total: int) -> int:
    """Show progress and cost while judgements come; how many the backend failed on."""
    started = perf_counter()
    failed = read = written = 0
    interactive = sys.stderr.isatty()
    with tqdm(total=total, unit="pair", mininterval=0.5 if interactive else 30) as bar:
        for judgement in judgements:
            failed += judgement.state is State.FAILED
            for rollout in judgement.rollouts:
                read += rollout.prompt_tokens or 0
                written += rollout.completion_tokens or 0
            said = f"{read:,} tokens read, {written:,} written, {failed:,} failed"
            bar.set_postfix_str(said, refresh=False)
            bar.update()
    _say(
        f"Judged {total:,} pairs in {perf_counter() - started:,.0f} s: {read:,} tokens read, "
        f"{written:,} written, failed on {failed:,}."
    )
    return failed


def _read(paths: Sequence[Path], benchmark: str | None) -> Pile:
    pile = read_judged(paths, by_name(benchmark) if benchmark else None)
    _say_unusable(pile.unusable, pile.reasons)
    return pile


def _scores(pile: Pile, rule: Rule) -> list[Score]:
    return [score(judged, rule) for judged in pile.groups.values()]


def _print(scores: Iterable[Score], as_json: bool) -> None:
    for one in scores:
        if as_json:
            print_json(one.as_record())
        else:
            sys.stdout.write(markdown(_shown(one)) + "\n")


def _shown(one: Score) -> Iterator[Block]:
    return score_blocks(one, f"{one.benchmark.title}: {one.version.title}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _say_unusable(count: int, reasons: Sequence[str]) -> None:
    if count:
        _say(f"{count:,} rows cannot be used, such as: {'; '.join(reasons[:3])}")
