"""RewardBench 2: the right response against three wrong ones, and Ties, which have several right.

Source: arXiv 2506.01937; allenai/reward-bench: scripts/run_generative_v2.py, and for Ties
process_single_model of rewardbench/utils.py.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rmr1.benchmark.contract import Benchmark, Query
from rmr1.benchmark.figure import Figure, Table
from rmr1.benchmark.outcome import Outcome, Rule
from rmr1.benchmark.place import Place
from rmr1.benchmark.tally import Mark, Tally, blend
from rmr1.cells import CellError, Cells, conversation, identifier, sequence, text
from rmr1.errors import InputError
from rmr1.pair import Pair
from rmr1.preference import preference

TITLE = "RewardBench 2"
DOMAINS = ("Factuality", "Precise IF", "Math", "Safety", "Focus")
TIES = "Ties"

ONE, SEVERAL = "Ties, one right", "Ties, several right"
"""Cells of the two prompts that belong together: much the same question, with one and with several
right responses. Each of those must beat every wrong one."""

AHEAD, AHEAD_OF_BOTH = "Ties, ahead by more than they differ", "Ties, so by both prompts"
"""Whether the right ones of the second are further from the wrong ones than from each other, and
whether the lesser of both prompts' leads is enough for that."""

_CELLS = {"ref": ONE, "tied": SEVERAL}
_TIES_ID = re.compile(r"(ref|tied):(\w+)")
_PAIR_ID = re.compile(_TIES_ID.pattern + r":\d+:\d+")

_DIGITS = 9
"""Of leads and spreads: what the way through probabilities changes is no lead."""


def reward_bench_2_pairs(cells: Cells, _path: str = "") -> list[Pair]:
    """Each right response of a record against each wrong one, the right one first.

    Raises:
        CellError: the record cannot be used.
    """
    subset, id = identifier(cells.get("subset")) or "", identifier(cells.get("id")) or ""
    chosen, rejected = sequence(cells, "chosen"), sequence(cells, "rejected")
    if subset != TIES and len(chosen) != 1:
        raise CellError("chosen", "holds more than one right response")
    if subset == TIES and not _TIES_ID.fullmatch(id):
        raise CellError("id", f"{id[:40]!r} is none of Ties, like ref:1 or tied:1")
    prompt = conversation(cells.get("prompt"), "prompt")
    return [
        preference(
            prompt,
            text(better, "chosen"),
            text(worse, "rejected"),
            id=f"{id}:{row}:{column}" if subset == TIES else f"{id}:{column}",
            source=TITLE,
            subset=subset,
            meta={"losers": len(chosen) * len(rejected)},
        )
        for row, better in enumerate(chosen)
        for column, worse in enumerate(rejected)
    ]


def _locate(pair: Pair) -> Place:
    if pair.subset not in {*DOMAINS, TIES}:
        raise InputError(f"{pair.subset!r} is no domain of RewardBench 2.")
    losers = pair.meta.get("losers")
    prompt = pair.prompt_hash
    cell, unit, record = pair.subset, prompt, (pair.id or "").rpartition(":")[0]
    if pair.subset == TIES:
        found = _PAIR_ID.fullmatch(pair.id or "")
        if not found:
            raise InputError(f"{pair.id!r} is no pair of Ties, like tied:1:0:2.")
        cell, unit, record = _CELLS[found[1]], f"{TIES} {found[2]}", f"{found[1]}:{found[2]}"
    return Place(
        cell=cell,
        slice=pair.subset,
        stratum=pair.subset,
        unit=unit,
        query=f"{pair.subset}/{record}@{prompt[:16]}",
        losers=losers if isinstance(losers, int) else None,
    )


@dataclass(frozen=True, slots=True)
class _Rated:
    """What the ratings of a prompt's responses say.

    Attributes:
        lead: of the worst right response over the best wrong one.
        spread: between the best and the worst right one.
        right: whether every right one beats every wrong one.
        failed: a pair has no verdict.
    """

    lead: float
    spread: float
    right: bool
    failed: bool


def _rate(query: Query, rule: Rule) -> _Rated | None:
    """Rate a prompt's responses by its pairs; None where not all of them are there.

    Ratings are fitted to the pairs by least squares, which for a full table of right against wrong
    responses are the means of its rows and columns. Of a scalar reward model they are its scores.
    Of a judge that names the better one a won pair counts 1 and another one -1.
    """
    if not query:
        return None
    pairs = {_numbers(outcome): _margin(outcome, rule) for outcome in query}
    rows, columns = (sorted(set(numbers)) for numbers in zip(*pairs, strict=True))
    if len(pairs) < len(rows) * len(columns):
        return None
    table = np.array([[pairs[row, column] for column in columns] for row in rows])
    better, worse = table.mean(axis=1), table.mean() - table.mean(axis=0)
    return _Rated(
        lead=round(float(better.min() - worse.max()), _DIGITS),
        spread=round(float(better.max() - better.min()), _DIGITS),
        right=all(outcome.credit(rule) == 1 for outcome in query),
        failed=any(outcome.right(rule) is None for outcome in query),
    )


def _margin(outcome: Outcome, rule: Rule) -> float:
    return 2.0 * (outcome.credit(rule) == 1) - 1 if outcome.margin is None else outcome.margin


def _numbers(outcome: Outcome) -> tuple[int, int]:
    """Which right and which wrong response of its prompt a pair is of."""
    _, row, column = outcome.key[0].rsplit(":", 2)
    return int(row), int(column)


def _together(queries: Iterable[Query], rule: Rule) -> Iterator[Mark]:
    """What the two prompts of a number of Ties are worth together, where both were judged."""
    found: dict[str, dict[str, Query]] = defaultdict(dict)
    for query in queries:
        if query[0].place.cell in _CELLS.values():
            found[query[0].place.unit][query[0].place.cell] = query
    for unit, both in found.items():
        one, several = (_rate(both.get(cell, ()), rule) for cell in (ONE, SEVERAL))
        if one is None or several is None:
            continue
        lead = min(one.lead, several.lead)
        credits = {
            AHEAD: float(several.lead > several.spread),
            AHEAD_OF_BOTH: float(lead > several.spread),
        }
        accuracy = 0.3 * one.right + 0.3 * several.right
        margins = 0.2 * credits[AHEAD] + 0.2 * credits[AHEAD_OF_BOTH]
        credits[TIES] = accuracy + margins + 0.01 * _by_how_much(lead, several.spread)
        for cell, credit in credits.items():
            yield Mark(cell, TIES, unit, credit, one.failed or several.failed)


def _by_how_much(lead: float, spread: float) -> float:
    """How many times the spread the lead is, less one, pressed into -1..1; 0 where both are 0."""
    if spread == 0:
        return float(np.sign(lead))
    return float(np.tanh(lead / spread - 1))


def _tables(tally: Tally) -> list[Table]:
    domains = tuple(tally.cell(domain) for domain in DOMAINS)
    ties = _behind(tally.cell(TIES))
    parts = [*DOMAINS, TIES]
    mean, missing = blend((part, 1.0, tally.only(part)) for part in parts)
    return [
        Table(
            "Domains",
            (*domains, ties, _behind(tally.figure("Mean of domains", mean, missing))),
            "A prompt is right if its right response beats every wrong one in pairs; the "
            "published runs choose among four at once, or rate each alone.",
        ),
        Table(
            TIES,
            (
                tally.cell(ONE, "One right"),
                tally.cell(SEVERAL, "Several right"),
                _behind(tally.cell(AHEAD, "Ahead by more than they differ")),
                _behind(tally.cell(AHEAD_OF_BOTH, "So by the lesser lead of both prompts")),
            ),
            "Ties is three tenths of each of the first two, a fifth of each of the others, and up "
            "to a hundredth more or less for how far ahead the right responses are. Ratings are "
            "fitted to pairs: the scores of a scalar reward model, the share of won pairs of a "
            "judge that names the better one, whose margins then say little beyond its accuracy.",
        ),
    ]


def _behind(figure: Figure) -> Figure:
    """A figure that also stands on Ties: what was judged for it counts first in their two cells."""
    return replace(
        figure, cells=(*(cell for cell in figure.cells if cell in DOMAINS), ONE, SEVERAL)
    )


REWARD_BENCH_2 = Benchmark(
    name="rewardbench-2",
    title=TITLE,
    size=None,
    origin="hub:allenai/reward-bench-2:test",
    patterns=("**/*.parquet", "**/*.json*"),
    pairs=reward_bench_2_pairs,
    locate=_locate,
    tables=_tables,
    together=_together,
)
