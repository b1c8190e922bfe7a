"""RMB: pairs and best of N, for helpfulness and harmlessness; four parts, the mean of which counts.

Source: RM-R1-UIUC/RM-R1 at d4c2542, eval/RMB-Reward-Model-Benchmark/eval: my_utils/utils.py,
scripts/run_generative.py, run_generative_bestofn.py, process_final_result.py.
"""

import re
from collections.abc import Mapping

from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.figure import Table
from rmr1.benchmark.place import Place
from rmr1.benchmark.tally import Tally, blend
from rmr1.cells import CellError, Cells, conversation, identifier, kind, sequence, text
from rmr1.errors import InputError
from rmr1.pair import Pair
from rmr1.preference import preference

TITLE = "RMB"

PARTS: Mapping[tuple[str, str], str] = {
    ("Pairwise_set", "Helpfulness"): "Helpfulness, pairs",
    ("Pairwise_set", "Harmlessness"): "Harmlessness, pairs",
    ("BoN_set", "Helpfulness"): "Helpfulness, best of N",
    ("BoN_set", "Harmlessness"): "Harmlessness, best of N",
}
"""Names of the four parts, by the first two folders of a category."""

_FOLDERS = re.compile(r"(?:Pairwise|BoN)_set/.+(?=\.json)")


def rmb_pairs(cells: Cells, path: str = "") -> list[Pair]:
    """The pairs of a record of either set, the better response first.

    Args:
        path: of the file; its folders name the category where the record does not.

    Raises:
        CellError: the record cannot be used.
    """
    folders = _FOLDERS.search(path)
    if folders and not cells.get("category_path"):
        cells = {**cells, "category_path": folders[0]}
    return best_of_n_pairs(cells) if "loser_list" in cells else [rmb_pair(cells)]


def rmb_pair(cells: Cells) -> Pair:
    """The pair of a record of the pairwise set, the better response first.

    Raises:
        CellError: the record cannot be used.
    """
    uid = identifier(cells.get("pair_uid")) or ""
    return _pair(cells, uid, "chosen", ("reject", cells.get("reject")), {})


def best_of_n_pairs(cells: Cells) -> list[Pair]:
    """The best response of a query against each of its losers, the best first.

    Raises:
        CellError: the record cannot be used.
    """
    losers = sequence(cells, "loser_list")
    uid = identifier(cells.get("bon_uid")) or ""
    size: dict[str, object] = {"losers": len(losers)}
    return [
        _pair(cells, f"{uid}:{number}", "bon_best", ("loser_list", loser), size)
        for number, loser in enumerate(losers)
    ]


def _pair(
    cells: Cells, id: str, best_column: str, loser: tuple[str, object], meta: dict[str, object]
) -> Pair:
    best, worse = _answer(cells.get(best_column), best_column), _answer(loser[1], loser[0])
    return preference(
        conversation(cells.get("conversation_input"), "conversation_input"),
        best[0],
        worse[0],
        id=id,
        source=TITLE,
        subset=identifier(cells.get("category_path")) or "",
        meta={"chosen_model": best[1], "rejected_model": worse[1], **meta},
    )


def _answer(value: object, column: str) -> tuple[str, str]:
    if not isinstance(value, Mapping):
        raise CellError(column, f"is {kind(value)} where an object with an answer is wanted")
    return text(value.get("answer"), column), str(value.get("llm_name") or "")


def _locate(pair: Pair) -> Place:
    folders = pair.subset.split("/")
    part = PARTS.get((folders[0], folders[1])) if len(folders) > 1 else None
    if part is None:
        raise InputError(f"{pair.subset!r} is no category of RMB (like BoN_set/Helpfulness/Code).")
    losers = pair.meta.get("losers")
    uid = (pair.id or "").partition(":")[0]
    prompt = pair.prompt_hash
    return Place(
        cell=part,
        slice=pair.subset,
        stratum=folders[1],
        unit=prompt,
        query=f"{pair.subset}/{uid}@{prompt[:16]}" if folders[0] == "BoN_set" else None,
        losers=losers if isinstance(losers, int) else None,
    )


def _tables(tally: Tally) -> list[Table]:
    parts = tuple(tally.cell(part) for part in PARTS.values())
    mean, missing = blend((part, 1.0, tally.only(part)) for part in PARTS.values())
    return [
        Table(
            "Parts",
            (*parts, tally.figure("Mean of parts", mean, missing)),
            "Each part counts its pairs or queries alike; a query is right if its best response "
            "beats every loser.",
        )
    ]


RMB = Benchmark(
    name="rmb",
    title=TITLE,
    size=25_845,
    origin="https://github.com/Zhou-Zoey/RMB-Reward-Model-Benchmark",
    patterns=("**/*_set/**/*.json", "**/*.json*"),
    pairs=rmb_pairs,
    locate=_locate,
    tables=_tables,
)
