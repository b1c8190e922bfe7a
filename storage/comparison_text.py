"""A comparison of two judge versions as a table for a terminal."""

from collections.abc import Iterator, Sequence

from rmr1.share import Share
from storage.comparing import Comparison, Flip, JudgeFigures, PlanUse
from storage.paired import Paired

_NONE = "-"
_LONGEST_NAME = 60
_KNOWN_BY = {"labels": "better side by labels", "known": "better side by the source"}


def describe(comparison: Comparison, flips: int) -> str:
    """The comparison in lines.

    Args:
        flips: how many pairs to name at most, each way.
    """
    return "\n".join(_lines(comparison, flips))


def _lines(comparison: Comparison, flips: int) -> Iterator[str]:
    old, new, paired = comparison.old, comparison.new, comparison.paired
    for name, one in (("old", old), ("new", new)):
        yield f"{name}  {one.version[:8]}  {_shown(one.title)}  ({one.judged:,} pairs judged)"
    truths = {_KNOWN_BY[name]: number for name, number in comparison.truths.items()}
    yield f"{paired.n:,} pairs compared{_counted(truths)}"
    if comparison.left_out:
        yield f"left out{_counted(comparison.left_out)}"
    yield from comparison.remarks
    yield ""
    yield from _columns(list(_figures(old, new, paired)))
    if paired.difference is not None and paired.p_value is not None:
        yield ""
        yield (
            f"difference {100 * paired.difference:+.1f} points; only the new judge is right on "
            f"{paired.only_new:,}, only the old one on {paired.only_old:,}; "
            f"p = {paired.p_value:.2g} (McNemar, exact)"
        )
    yield from _sliced(comparison)
    for title, found in (("improved", comparison.improved), ("worsened", comparison.worsened)):
        yield from _flips(title, found[:flips], len(found))


def _figures(old: JudgeFigures, new: JudgeFigures, paired: Paired) -> Iterator[Sequence[str]]:
    yield "", "old", "new"
    yield "right", _share(paired.old), _share(paired.new)
    yield "no verdict (wrong)", f"{old.no_verdict:,}", f"{new.no_verdict:,}"
    yield "complete", _share(old.complete), _share(new.complete)
    yield "quotations absent", _share(old.absent_quotes), _share(new.absent_quotes)
    yield "same in both orders", _share(old.swap_consistent), _share(new.swap_consistent)
    yield "names the first shown", _share(old.named_first), _share(new.named_first)
    yield "tokens, median", _number(old.tokens), _number(new.tokens)
    yield "seconds, median", _number(old.seconds), _number(new.seconds)
    for number in range(max(len(old.plans), len(new.plans))):
        yield "plan", _plan(old.plans[number:]), _plan(new.plans[number:])


def _sliced(comparison: Comparison) -> Iterator[str]:
    kind = ""
    rows: list[Sequence[str]] = []
    for part in comparison.slices:
        if part.kind != kind:
            kind = part.kind
            rows.append(("", "", "", "", "", ""))
            rows.append((f"by {kind}", "old", "new", "only old", "only new", "p"))
        one = part.paired
        p_value = _NONE if one.p_value is None else f"{one.p_value:.2g}"
        counts = f"{one.only_old:,}", f"{one.only_new:,}"
        rows.append((_shown(part.name), _share(one.old), _share(one.new), *counts, p_value))
    yield from _columns(rows)


def _flips(title: str, shown: Sequence[Flip], total: int) -> Iterator[str]:
    if not total:
        return
    yield ""
    yield f"{title}: {total:,} pairs" + (f", {len(shown)} shown" if len(shown) < total else "")
    for one in shown:
        verdicts = f"{one.old_verdict or _NONE} to {one.new_verdict or _NONE}"
        yield f"  pair {one.pair_id}  {verdicts}  old {one.old_key}  new {one.new_key}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  ".join(cells).rstrip()


def _counted(counts: dict[str, int]) -> str:
    parts = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    return f": {parts}" if parts else ""


def _shown(text: str) -> str:
    """A name from outside without what a terminal would obey, cut to fit."""
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return plain if len(plain) <= _LONGEST_NAME else plain[: _LONGEST_NAME - 1] + "…"


def _share(one: Share) -> str:
    if one.share is None or one.low is None or one.high is None:
        return _NONE
    interval = f"{100 * one.low:.1f} to {100 * one.high:.1f}"
    return f"{100 * one.share:.1f} % ({interval}) of {one.n:,}"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def _plan(uses: Sequence[PlanUse]) -> str:
    if not uses:
        return _NONE
    plan, number = uses[0].plan, uses[0].judgements
    grammar = ", grammar" if plan.grammar else ""
    votes = f", {plan.votes} votes" if plan.votes > 1 else ""
    votes += f" or decided at {plan.stop_at:g}" if plan.stop_at is not None else ""
    return (
        f"{plan.orders}{votes}, temperature {plan.temperature:g}, {plan.max_tokens:,} tokens"
        f"{grammar}: {number:,}"
    )
