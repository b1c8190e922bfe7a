"""The Agreement page's sections on people, calibration, consensus and one's own mirror."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmr1.calibration import Calibration
from rmr1.rollout import State
from storage import agreement, consensus, mirror, peers, people_calibration, pull
from storage.consensus import Consensus, ConsensusItem
from storage.filters import JudgementFilter
from storage.peers import PeersReport
from storage.people_calibration import PeopleCalibration
from storage.tables import JudgementRow
from ui.agreement_blocks import (
    NO_RANDOM,
    STAGE_WORDS,
    TARGETED,
    VALUE_WORDS,
    estimate_cell,
    figure,
    figures,
    fold,
    help_block,
    link,
    note,
    p_words,
    per_cent,
    share_cell,
    table,
)
from ui.agreement_scope import Scope, with_judge
from ui.views import View

NO_SEVERAL = "No pair of the random stream has answers of two or more people yet."

UNCLEAR = 50
"""Pairs without a clear consensus that are listed; the rest is counted."""

PEOPLE_HELP = (
    "Only pairs that two or more people answered can say something. Percent agreement looks good "
    "where one answer dominates, so figures that allow for chance stand beside it.",
    "Krippendorff's alpha: 1 is perfect, 0 is chance; it takes any number of people and missing "
    "answers. Gwet's AC1 is the steadier one where one answer dominates. The ordinal alpha and AC2 "
    "take answer and strength as one scale from “B much better” over a tie to “A much better”, so "
    "that a near miss costs less than the opposite.",
    "All ranges are bootstraps over prompts, save those of plain shares, which are Wilson's.",
)
CALIBRATION_HELP = (
    "A judge is calibrated if it is right as often as it is sure. “Right” is here what more people "
    "say than anything else. The expected calibration error is the mean distance between how sure "
    "and how right, over ten bins; the Brier score the mean squared distance; 0 is best for both. "
    "A Brier score above that of always naming the mean tells nothing.",
)
CONSENSUS_HELP = (
    "The majority counts heads. Dawid-Skene weighs them: it estimates how reliable each person is "
    "from how they agree with the others, and from that what is right on each pair. The raw "
    "labels are never changed by either.",
)
_KINDS = {"votes": "share of votes", "logprobs": "probability of the letter", "margin": "margin"}


def people_view(session: Session, scope: Scope) -> View:
    """Do people agree with each other?"""
    del session  # the answers are all there is to it
    random = peers.report(scope.stream("random"), scope.stage)
    targeted = peers.report(scope.stream("targeted"), scope.stage)
    links = scope.of_pairs.model_copy(update={"stage": scope.stage, "stream": "random"})
    blocks = [help_block(PEOPLE_HELP)]
    if random.pairs:
        blocks += [_peer_figures(random, links), *_couples(random, links)]
    else:
        blocks.append(note(NO_RANDOM, warning=True))
    if targeted.unanimous.n:
        links = links.model_copy(update={"stream": "targeted"})
        inner = [note(TARGETED), _peer_figures(targeted, links)]
        blocks.append(fold(f"Targeted items: {targeted.unanimous.n:,} pairs", inner))
    lead = (
        f"{random.people:,} people answered {random.pairs:,} pairs of the random stream; "
        f"{random.unanimous.n:,} of the pairs were answered by two or more "
        f"({STAGE_WORDS[scope.stage]})."
    )
    return {"lead": lead, "blocks": blocks}


def _peer_figures(found: PeersReport, links: JudgementFilter) -> View:
    same = [link(links, "agree", people="agree"), link(links, "differ", people="differ")]
    unanimous = share_cell(found.unanimous, same if found.unanimous.n else [], "pairs")
    several = [link(links, "open", people="any")] if found.unanimous.n else []
    span = (-1.0, 1.0)
    rows = [
        figure("All say the same", unanimous, "pairs on which nobody differs"),
        figure(
            "Two people agree",
            estimate_cell(found.percent, several, scale=(0, 1)),
            "mean over pairs",
        ),
        figure(
            "Krippendorff's alpha",
            estimate_cell(found.alpha, several, scale=span),
            "of the answers",
        ),
        figure("Gwet's AC1", estimate_cell(found.ac1, several, scale=span), "of the answers"),
        figure(
            "Alpha, ordinal",
            estimate_cell(found.ordinal_alpha, several, scale=span),
            "of answer and strength on one scale",
        ),
        figure(
            "Gwet's AC2",
            estimate_cell(found.ac2, several, scale=span),
            "of the same, ordinal weights",
        ),
    ]
    return figures(rows)


def _couples(found: PeersReport, links: JudgementFilter) -> list[View]:
    rows: list[list[View | str]] = []
    for one in found.couples:
        here = links.model_copy(update={"annotator": one.one, "other": one.other})
        opened = [link(here, "differ", people="differ")] if one.same.count < one.same.n else []
        rows.append(
            [f"{one.one} and {one.other}", share_cell(one.same, opened), estimate_cell(one.kappa)]
        )
    if not rows:
        return []
    title = f"Two by two: the {len(rows)} couples with most pairs in common"
    columns = ["people", "same answer", "Cohen's kappa"]
    return [fold(title, [table("Two by two", columns, rows)])]


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
    title = "Sure (line across) against right (dot with its interval)"
    return table(title, ["confidence", "mean", "on people's side"], rows)


def consensus_view(session: Session, scope: Scope) -> View:
    """What do the labels of a pair come to?"""
    random = consensus.consensus(scope.stream("random"), scope.stage)
    targeted = consensus.consensus(scope.stream("targeted"), scope.stage)
    blocks = [help_block(CONSENSUS_HELP)]
    links = scope.of_pairs.model_copy(update={"stage": scope.stage, "stream": "random"})
    if random.items:
        blocks += _consensus(session, random, links)
    else:
        blocks.append(note(NO_SEVERAL, warning=True))
    if targeted.items:
        links = links.model_copy(update={"stream": "targeted"})
        inner = [note(TARGETED), *_consensus(session, targeted, links)]
        blocks.append(fold(f"Targeted items: {len(targeted.items):,} pairs", inner))
    unclear = sum(not one.is_clear for one in random.items)
    lead = (
        f"{len(random.items):,} pairs of the random stream have two or more answers; "
        f"{unclear:,} of them have no clear consensus."
    )
    return {"lead": lead, "blocks": blocks}


def _consensus(session: Session, found: Consensus, links: JudgementFilter) -> list[View]:
    several = [link(links, "open", people="any")]
    same = share_cell(found.same, several, "pairs")
    if found.problem:
        same = {"words": "–", "why": found.problem, "links": []}
    rows = [
        figure(
            "A majority exists", share_cell(found.decided, several, "pairs"), "no two answers lead"
        ),
        figure("Dawid-Skene says the same", same, "of the pairs with a majority"),
    ]
    people: list[list[View | str]] = [
        [
            one.name,
            f"{one.labels:,}",
            share_cell(one.with_others, [link(links, "open", annotator=one.name)]),
            estimate_cell(one.accuracy),
        ]
        for one in found.skills
    ]
    columns = ["person", "answers", "same as most others", "accuracy by Dawid-Skene"]
    unclear = [one for one in found.items if not one.is_clear]
    return [
        figures(rows),
        table("Each person", columns, people),
        *([_unclear(session, unclear)] if unclear else []),
    ]


def _unclear(session: Session, items: list[ConsensusItem]) -> View:
    shown = items[:UNCLEAR]
    keys = _newest_keys(session, [one.pair_id for one in shown])
    rows: list[list[View | str]] = []
    for one in shown:
        if key := keys.get(one.pair_id):
            opened = {
                "text": f"pair {one.pair_id}",
                "query": f"judgement={key}",
                "tab": "judgement",
            }
        else:
            opened = {
                "text": f"pair {one.pair_id}",
                "query": f"pair={one.pair_id}",
                "tab": "annotate",
            }
        modelled = "–"
        if one.modelled and one.probability is not None:
            modelled = f"{VALUE_WORDS[one.modelled]}, {per_cent(one.probability)}"
        said = "; ".join(f"{name}: {VALUE_WORDS[value]}" for name, value in one.labels)
        majority = VALUE_WORDS[one.majority] if one.majority else "none"
        rows.append([{"words": "", "links": [opened]}, said, majority, modelled])
    columns = ["pair", "who said what", "majority", "Dawid-Skene, by the model"]
    title = f"Without a clear consensus: {len(items):,} pairs"
    if len(items) > UNCLEAR:
        title += f", the first {UNCLEAR} listed"
    return fold(title, [table(title, columns, rows)])


def _newest_keys(session: Session, pair_ids: list[int]) -> dict[int, str]:
    newest = (
        select(func.max(JudgementRow.id))
        .where(JudgementRow.pair_id.in_(pair_ids), JudgementRow.state != State.FAILED)
        .group_by(JudgementRow.pair_id)
    )
    rows = select(JudgementRow.pair_id, JudgementRow.key).where(JudgementRow.id.in_(newest))
    return {pair_id: key for pair_id, key in session.execute(rows)}


def mirror_view(session: Session, scope: Scope, name: str) -> View:
    """One person's own figures; what others said shows only in sums."""
    own = mirror.mirror(scope.said, name, pull.shown_verdicts(session, scope.said), scope.stage)
    if not own.labels:
        return {"lead": f"{name} has answered nothing here yet.", "blocks": []}
    links = JudgementFilter(annotator=name)
    blocks = []
    for stream, title in (("random", "Random stream"), ("targeted", "Targeted items")):
        moved = own.pull[stream]
        rows = [
            figure(
                "Same as most others",
                share_cell(own.peers[stream], unit="answers"),
                "where the others have a majority",
            ),
            figure(
                "Pull towards the judge",
                estimate_cell(moved.net, points=True),
                p_words(moved.paired.p_value),
            ),
        ]
        blocks += [{"kind": "heading", "text": title}, figures(rows)]
    pace = own.pace
    if pace.median is not None:
        spread = f"half took {pace.low:.0f} to {pace.high:.0f} s" if pace.low and pace.high else ""
        recent = f"; the last {mirror.RECENT}: {pace.recent:.0f} s" if pace.recent else ""
        cell = {
            "words": f"{pace.median:.0f} s",
            "n": f"n = {pace.n:,} answers",
            "links": [],
            "why": f"A median of times: {spread or 'too few for a spread'}{recent}.",
        }
        blocks.append(figures([figure("Time for a blind answer", cell, "median")]))
    lead = f"{name}: {own.labels:,} answers. Only you and the leads see this."
    return {"lead": lead, "blocks": blocks, "links": [link(links, "open them")]}
