"""An evaluation as Markdown: what a model card or a terminal shows."""

from collections.abc import Iterable, Iterator

from rmr1.evaluation import Evaluation, Slice

_COLUMNS = ("source", "right", "right of verdicts", "p", "complete", "right type")


def evaluation_text(evaluation: Evaluation) -> str:
    """The figures in Markdown; shares with their 95 % intervals.

    "Right" counts a judgement without a verdict as not right; p is of the exact sign test against
    coin flipping.
    """
    return "\n".join(_lines(evaluation)) + "\n"


def _lines(found: Evaluation) -> Iterator[str]:
    yield from _row(_COLUMNS)
    yield from _row(["---", *["---:"] * (len(_COLUMNS) - 1)])
    yield from _row(["**all**", *_slice(found.whole)])
    for source, part in found.slices.items():
        yield from _row([source.replace("|", "\\|"), *_slice(part)])
    position, length = found.position, found.length
    yield ""
    yield f"- States: {', '.join(f'{state} {count:,}' for state, count in found.states.items())}"
    yield f"- Absent quotations: {found.absent_quotes}"
    yield f"- Names the first: {position.names_first}"
    yield f"- Right when the better stands first: {position.right_when_first}"
    yield f"- Right when the better stands second: {position.right_when_second}"
    yield f"- Names the longer: {length.names_longer}"
    yield f"- Right when the better is longer: {length.right_when_longer}"
    yield f"- Right when the better is shorter: {length.right_when_shorter}"
    if found.swap_consistent.n:
        yield f"- Both orders agree: {found.swap_consistent}"
    if found.seconds is not None and found.tokens is not None:
        yield f"- Median for a judgement: {found.seconds:,.1f} s, {found.tokens:,.0f} tokens"
    if found.skipped:
        yield f"- Left out, the better side not being known: {found.skipped:,}"


def _slice(part: Slice) -> Iterator[str]:
    yield str(part.right)
    yield str(part.right_of_verdicts)
    yield "none" if part.p_value is None else f"{part.p_value:.2g}"
    yield str(part.complete)
    yield str(part.right_type)


def _row(cells: Iterable[str]) -> Iterator[str]:
    yield f"| {' | '.join(cells)} |"
