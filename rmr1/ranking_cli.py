"""The command that ranks more than two responses: `rmr1 rank`."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from rmr1.cli import changed_plan, load_settings, opened_judge, print_json, read_lines
from rmr1.errors import BackendError
from rmr1.group import group_from_record
from rmr1.judgement import State
from rmr1.tournament import (
    Method,
    Ranking,
    judged_by,
    judgement_limit,
    rank_many,
    ranking_record,
)

app = typer.Typer()

_EXCERPT = 72
"""Characters of a response that the table shows."""


@app.command()
def rank(
    groups: Annotated[
        str, typer.Argument(help='JSON lines of {"prompt", "responses": [...]}, or -')
    ],
    method: Annotated[Method, typer.Option(help="who meets whom")] = "round-robin",
    as_json: Annotated[bool, typer.Option("--json", help="a JSON object a line")] = False,
    orders: Annotated[str | None, typer.Option(help="AB, BA or both")] = None,
    votes: Annotated[int | None, typer.Option(help="rollouts for each order")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="budget of one rollout")] = None,
    profile: Annotated[str | None, typer.Option(help="prompt profile: a name or a file")] = None,
    adapter: Annotated[
        str | None, typer.Option(help="as in `rmr1 judge`; by default the judge's own")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="pairs judged at once")] = None,
) -> None:
    """Rank the responses to each prompt, best first, with the ties named.

    How many judgements that takes at most is said first, on standard error. Exits with 1 if the
    backend failed on any pair; such a pair counts for neither response.
    """
    settings = load_settings()
    given = {
        "orders": orders,
        "votes": votes,
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    plan = changed_plan(settings.plan, given)
    wanted = list(read_lines(groups, group_from_record))
    most = sum(judgement_limit(len(set(group.responses)), method) for group in wanted)
    sys.stderr.write(f"{len(wanted):,} prompts, at most {most:,} pairs to judge\n")
    failed = 0
    with opened_judge(settings, profile, adapter) as who:
        for number, found in enumerate(
            rank_many(wanted, judged_by(who, plan, workers), method), start=1
        ):
            failed += sum(match.judgement.state is State.FAILED for match in found.undecided)
            name = found.group.id or str(number)
            if as_json:
                print_json({**ranking_record(found), "id": name})
            else:
                sys.stdout.write("\n".join(_table(name, found)) + "\n\n")
    if failed:
        raise BackendError(f"the judge failed on {failed} pairs: the ranking does without them.")


def _table(name: str, found: Ranking) -> Iterator[str]:
    """The ranking for a terminal; whatever a model wrote is shown as one line of plain text."""
    yield f"{_one_line(name)}  {_one_line(found.group.conversation[-1].content)}"
    for one in found.standings:
        rate = "   -" if one.win_rate is None else f"{one.win_rate:4.0%}"
        shown = _one_line(found.group.responses[one.index])
        met = f"{one.wins} won, {one.losses} lost, {one.undecided} undecided"
        yield f"{one.rank:3}. #{one.index} {rate}  {met}  {shown}"
    for indices in found.ties:
        yield "     tied: " + ", ".join(f"#{index}" for index in indices)
    for match in found.undecided:
        said = f"{match.judgement.state} {_one_line(match.judgement.reason)}".strip()
        yield f"     undecided: #{match.first} and #{match.second}: {said}"


def _one_line(text: str) -> str:
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return plain if len(plain) <= _EXCERPT else f"{plain[: _EXCERPT - 1]}…"
