"""The Agreement page's sections on people, calibration, consensus and one's own mirror."""

from sqlalchemy.orm import Session

from storage import consensus, peers
from storage.consensus import Consensus, ConsensusItem
from storage.filters import JudgementFilter
from storage.peers import PeersReport
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
    per_cent,
    share_cell,
    table,
    targeted_title,
)
from ui.agreement_scope import Scope
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
CONSENSUS_HELP = (
    "The majority counts heads. Dawid-Skene weighs them: it estimates how reliable each person is "
    "from how they agree with the others, and from that what is right on each pair. The raw "
    "labels are never changed by either.",
)


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
        blocks.append(fold(targeted_title(targeted.unanimous.n, "pair"), inner))
    lead = (
        f"People who answered pairs of the random stream: {random.people:,}; pairs: "
        f"{random.pairs:,}, of which two or more people answered {random.unanimous.n:,} "
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
        blocks.append(fold(targeted_title(len(targeted.items), "pair"), inner))
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
    keys = consensus.newest_keys(session, [one.pair_id for one in shown])
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
