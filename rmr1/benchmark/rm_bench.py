"""RM-Bench: three chosen styles against three rejected ones, in four domains.

Source: THU-KEG/RM-Bench, README; RM-R1-UIUC/RM-R1 at d4c2542, eval/RM-Bench:
scripts/run_generative.py, process_final_result.py.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.figure import Figure, Table
from rmr1.benchmark.place import Place
from rmr1.benchmark.tally import Tally, blend
from rmr1.cells import CellError, Cells, identifier, sequence, text
from rmr1.errors import InputError
from rmr1.pair import Message, Pair
from rmr1.preference import preference

TITLE = "RM-Bench"
DOMAINS = ("chat", "math", "code", "safety")
STYLES = ("concise", "detailed", "detailed in markdown")

Cell = tuple[int, int]
"""Numbers of the chosen and the rejected response's style."""

DIFFICULTIES: Mapping[str, Sequence[Cell]] = {
    "Hard": ((0, 1), (0, 2), (1, 2)),
    "Normal": ((0, 0), (1, 1), (2, 2)),
    "Easy": ((1, 0), (2, 0), (2, 1)),
}
"""Hard: the rejected response has the richer style; easy: the chosen one has."""

SLIPPED: Mapping[str, Sequence[Cell]] = {
    "Hard": ((0, 2), (0, 2), (1, 0)),
    "Normal": DIFFICULTIES["Normal"],
    "Easy": ((1, 0), (2, 1), (2, 1)),
}
"""The cells that `process_final_result.py` averages, as it reads file 3 in the place of file 2."""

_DOMAIN_OF = {
    "alpacaeval": "chat",
    "bigcode/humanevalpack": "code",
    "xstest-should-respond": "safety-response",
    "xstest-should-refuse": "safety-refuse",
    "refusals-dangerous": "safety-refuse",
    "refusals-offensive": "safety-refuse",
    "donotanswer": "safety-refuse",
}
"""Domains of the subsets, in files that do not name the domain."""

_CELL = re.compile(r"(.*):([012])-([012])", re.DOTALL)


def rm_bench_pairs(cells: Cells, path: str = "") -> list[Pair]:
    """The nine pairs of a record, the better response first.

    Args:
        path: of the file; `math_filtered.json` and its like name the domain.

    Raises:
        CellError: the record cannot be used.
    """
    chosen = [text(one, "chosen") for one in sequence(cells, "chosen")]
    rejected = [text(one, "rejected") for one in sequence(cells, "rejected")]
    if len(chosen) != 3 or len(rejected) != 3:
        raise CellError("chosen", "RM-Bench has three chosen and three rejected responses")
    stem, filtered, _ = path.rpartition("/")[2].partition("_filtered")
    named = {"domain": stem, **cells} if filtered and _domain(stem) else cells
    return [
        rm_bench_pair(named, (i, chosen[i]), (j, rejected[j])) for i in range(3) for j in range(3)
    ]


def rm_bench_pair(cells: Cells, chosen: tuple[int, str], rejected: tuple[int, str]) -> Pair:
    """One cell of the three by three, the chosen response on side A.

    Args:
        chosen: number of the style, and the response.
        rejected: likewise.
    """
    return preference(
        [Message(role="user", content=text(cells.get("prompt"), "prompt"))],
        chosen[1],
        rejected[1],
        id=f"{identifier(cells.get('id'))}:{chosen[0]}-{rejected[0]}",
        source=TITLE,
        subset=identifier(cells.get("domain") or cells.get("subset")) or "",
        meta={"chosen_style": chosen[0], "rejected_style": rejected[0]},
    )


def _domain(subset: str) -> str | None:
    """The domain as published, safety's two halves apart; None where there is no such."""
    found = _DOMAIN_OF.get(subset, subset)
    known = {*DOMAINS, "safety-refuse", "safety-response"}
    return found if found in known else None


def _locate(pair: Pair) -> Place:
    match = _CELL.fullmatch(pair.id or "")
    domain = _domain(pair.subset)
    if match is None or domain is None:
        raise InputError(
            f"{pair.id!r} of {pair.subset!r} names no domain and styles of RM-Bench "
            "(an id like chat/215:0-2)."
        )
    record, i, j = match.groups()
    pooled = "safety" if domain.startswith("safety") else domain
    cell = _name(pooled, (int(i), int(j)))
    return Place(cell, domain, domain, f"{record}@{pair.prompt_hash[:16]}")


def _name(domain: str, cell: Cell) -> str:
    return f"{domain}:{cell[0]}-{cell[1]}"


def _tables(tally: Tally) -> list[Table]:
    return [
        Table("Domains and difficulties", tuple(_figures(tally, DIFFICULTIES))),
        Table(
            "As the published script aggregates",
            tuple(_figures(tally, SLIPPED)),
            "The script reads file 3 in the place of file 2, so that three of the nine cells are "
            "counted twice and three not at all; only for comparison with the paper's rows.",
        ),
        *[styles for domain in DOMAINS if (styles := _styles(tally, domain)).figures],
    ]


def _figures(tally: Tally, difficulties: Mapping[str, Sequence[Cell]]) -> Iterator[Figure]:
    """Four domains, three difficulties, and the mean of either."""
    levels = {
        (domain, level): blend(
            (name, 1.0, tally.only(name)) for name in (_name(domain, cell) for cell in cells)
        )
        for domain in DOMAINS
        for level, cells in difficulties.items()
    }

    def mean(name: str, keys: Sequence[tuple[str, str]]) -> Figure:
        weights, _ = blend((level, 1.0, levels[domain, level][0]) for domain, level in keys)
        missing = {cell for key in keys for cell in levels[key][1]}
        gone = [d for d in DOMAINS if not any(levels[d, level][0] for level in difficulties)]
        lost = [domain for domain in gone if any(key[0] == domain for key in keys)]
        rest = sorted(cell for cell in missing if cell.partition(":")[0] not in gone)
        return tally.figure(name, weights, [*lost, *rest])

    for domain in DOMAINS:
        yield mean(domain.capitalize(), [(domain, level) for level in difficulties])
    for level in difficulties:
        yield mean(level, [(domain, level) for domain in DOMAINS])
    yield mean("Overall", list(levels))


def _styles(tally: Tally, domain: str) -> Table:
    """The matrix of one domain: chosen style by rejected style."""
    cells = [(i, j) for i in range(3) for j in range(3) if tally.n(_name(domain, (i, j)))]
    return Table(
        f"Styles in {domain}, chosen against rejected",
        tuple(
            tally.cell(_name(domain, (i, j)), f"{STYLES[i]} against {STYLES[j]}") for i, j in cells
        ),
    )


RM_BENCH = Benchmark(
    name="rm-bench",
    title=TITLE,
    size=11_943,
    origin="hub:THU-KEG/RM-Bench",
    patterns=("**/total_dataset.json", "**/*_filtered.json", "**/*.parquet", "**/*.json*"),
    pairs=rm_bench_pairs,
    locate=_locate,
    tables=_tables,
)
