"""The Agreement page's section on calibration: is the judge as often right as it is sure?"""

from sqlalchemy.orm import Session

from rmr1.calibration import Calibration
from storage import agreement, people_calibration
from storage.filters import JudgementFilter
from storage.people_calibration import PeopleCalibration
from ui.agreement_blocks import (
    NO_RANDOM,
    TARGETED,
    estimate_cell,
    figure,
    figures,
    fold,
    help_block,
    link,
    note,
    per_cent,
    share_cell,
    table,
)
from ui.agreement_scope import Scope, with_judge
from ui.views import View

CALIBRATION_HELP = (
    "A judge is calibrated if it is right as often as it is sure. “Right” is here what more people "
    "say than anything else. The expected calibration error is the mean distance between how sure "
    "and how right, over ten bins; the Brier score the mean squared distance; 0 is best for both. "
    "A Brier score above that of always naming the mean tells nothing.",
)
_KINDS = {"votes": "share of votes", "logprobs": "probability of the letter", "margin": "margin"}


def calibration_view(session: Session, scope: Scope) -> View:
    """Is the judge as often on people's side as it is sure?"""
    scope, judgements, titles = with_judge(session, scope)
    version = scope.wanted.judge_version or ""
    own = [one for one in judgements if one.version == version]
    blocks = [help_block(CALIBRATION_HELP)]
    leads = {}
    for stream in ("random", "targeted"):
        truths = agreement.majority(scope.stream(stream), scope.stage)
        held = people_calibration.calibrations(own, truths)
        inner = [block for one in held for block in _calibration(one, scope.links(stream))]
        leads[stream] = held
        if stream == "random":
            blocks += inner or [note(_why_no_confidence(own, len(truths)), warning=True)]
        elif inner:
            blocks.append(fold("Targeted items", [note(TARGETED), *inner]))
    return {"lead": _calibration_lead(leads["random"], titles.get(version, "")), "blocks": blocks}


def _why_no_confidence(own: list[agreement.Judged], truths: int) -> str:
    if not truths:
        return NO_RANDOM
    if not any(one.confidence is not None for one in own):
        return "This judge's verdicts carry no confidence: a single greedy sample has none."
    return "No labelled pair has both a side that most people name and a verdict with a confidence."


def _calibration_lead(held: list[PeopleCalibration], name: str) -> str:
    if not held or held[0].figures.right.share is None:
        return "There is no confidence to hold against people's answers."
    found = held[0].figures
    right = found.right.share or 0.0
    word = "more" if found.confidence > right else "less"
    return (
        f"{name} is {per_cent(found.confidence)} sure on average and on people's side in "
        f"{per_cent(right)} of {found.n:,} verdicts: {word} sure than right by "
        f"{abs(100 * (found.confidence - right)):.0f} points."
    )


def _calibration(one: PeopleCalibration, links: JudgementFilter) -> list[View]:
    found = one.figures
    base = f"always naming the mean would score {found.base_brier:.3f}"
    rows = [
        figure(
            "On people's side",
            share_cell(found.right, [link(links, "open")], "verdicts"),
            f"{_KINDS[found.source]}: {per_cent(found.confidence)} sure on average",
        ),
        figure(
            "Expected calibration error",
            estimate_cell(one.ece, [link(links, "open")]),
            "0 is best; ten bins",
        ),
        figure(
            "Brier score", estimate_cell(one.brier, [link(links, "open")]), f"0 is best; {base}"
        ),
    ]
    blocks = [figures(rows), _bins(found, links)]
    if found.without:
        blocks.append(note(f"{found.without:,} judgements have no verdict or no such confidence."))
    return blocks


def _bins(found: Calibration, links: JudgementFilter) -> View:
    rows: list[list[View | str]] = []
    for one in found.bins:
        if one.confidence is None:
            continue
        top = one.high if one.high >= 1 else round(one.high - 1e-6, 6)
        opened = [link(links, "open", confidence_min=round(one.low, 6), confidence_max=top)]
        cell = share_cell(one.right, opened)
        rows.append(
            [
                f"{100 * one.low:.0f} to {per_cent(one.high)}",
                {"words": per_cent(one.confidence)},
                {**cell, "mark": one.confidence},
            ]
        )
    title = "How sure (double bar) against how right (diamond, with its interval)"
    return table(title, ["confidence", "mean", "on people's side"], rows)
