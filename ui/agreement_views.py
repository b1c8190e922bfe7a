"""The Agreement page's sections on the judge and on the pull of the machine, as dictionaries."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from rmr1.share import Share
from storage import agreement, pull
from storage.agreement import NO_VERDICT, Agreement, AgreementSlice, VersionDifference
from storage.filters import JudgementFilter
from storage.opinions import StageOfLabel
from storage.peers import VALUES
from storage.pull import Pull, PullReport
from ui.agreement_blocks import (
    FIELD_WORDS,
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
    targeted_title,
)
from ui.agreement_scope import Scope, with_judge
from ui.views import View

JUDGE_HELP = (
    "Agreement: how often the judge names the response that a person names, of the answers that "
    "name one. A judgement without a verdict counts as not naming it; ties and the like stand in "
    "the table below and count for neither side. The range behind a share is Wilson's 95 % "
    "interval; it takes answers for independent, so it is a little too narrow where several "
    "people answered the same pair.",
    "Cohen's kappa: agreement beyond what chance would give, 1 at best and 0 for chance. It is "
    "reckoned where both name a side. Its range is a bootstrap over prompts.",
    "The headline rests on the random stream: pairs that chance alone chose for the person.",
)
PULL_HELP = (
    "Everybody answers blind before the judge's verdict is shown, and may change afterwards. The "
    "pull is the rise of the agreement with the verdict from before to after: above zero people "
    "moved towards the judge.",
    "McNemar's exact test asks whether changes towards and away could be even. A pull that is no "
    "chance does not say that the judge is wrong: it says that answers given after the verdict "
    "cannot measure it.",
)


def judge_view(session: Session, scope: Scope) -> View:
    """Does the judge side with people?"""
    scope, judgements, titles = with_judge(session, scope)
    version = scope.wanted.judge_version
    if version is None:
        return {"lead": "No judgement of a labelled pair is on record yet.", "blocks": []}
    whole = agreement.report(judgements, scope.said, version, scope.stage, "random")
    chosen = agreement.answered(
        [one for one in judgements if one.version == version],
        scope.stream("targeted"),
        scope.stage,
    )
    blocks = [help_block(JUDGE_HELP)]
    links = scope.links("random")
    if whole.whole.labels:
        blocks += [
            _agreement_figures(whole.whole, links),
            _matrix(whole.whole, links),
            _stages(whole.stages, links),
            *_slices(whole.slices, links, titles),
            *_versions(whole.versions, titles, version),
        ]
    else:
        blocks.append(note(NO_RANDOM, warning=True))
    if chosen:
        targeted, links = agreement.agreement(chosen), scope.links("targeted")
        inner = [note(TARGETED), _agreement_figures(targeted, links), _matrix(targeted, links)]
        blocks.append(fold(targeted_title(targeted.labels, "answer"), inner))
    name = titles.get(version, version[:12])
    return {"lead": _judge_lead(whole.whole, name, scope.stage), "blocks": blocks}


def _judge_lead(found: Agreement, name: str, stage: StageOfLabel) -> str:
    if found.right.share is None:
        return f"{name}: no answer of the random stream names a side ({STAGE_WORDS[stage]})."
    return (
        f"{name} names the same response as the person in {per_cent(found.right.share)} of "
        f"{found.right.n:,} answers ({STAGE_WORDS[stage]})."
    )


def _agreement_figures(found: Agreement, links: JudgementFilter) -> View:
    silent = sum(n for (_, verdict), n in found.matrix.items() if verdict == NO_VERDICT)
    opened = [
        link(links, "agree", agrees="yes"),
        link(links, "do not", agrees="no"),
    ]
    rows = [
        figure("Agreement", share_cell(found.right, opened, "answers"), "coin flipping is 50 %"),
        figure(
            "Cohen's kappa",
            estimate_cell(found.kappa, [link(links, "open")], scale=(-1, 1)),
            "beyond chance; 0 is chance, 1 is perfect",
        ),
    ]
    if silent:
        cell = share_cell(
            Share.of(silent, found.labels), [link(links, "open", verdict="none")], "answers"
        )
        rows.append(figure("No verdict", cell, "of all answers, ties and the like too"))
    return figures(rows)


def _matrix(found: Agreement, links: JudgementFilter) -> View:
    verdicts = ("A", "B", NO_VERDICT)
    rows: list[list[View | str]] = []
    for value in VALUES:
        counts = [found.matrix.get((value, verdict), 0) for verdict in verdicts]
        if not sum(counts):
            continue
        cells: list[View | str] = [VALUE_WORDS[value]]
        for verdict, count in zip(verdicts, counts, strict=True):
            same = value == verdict
            opened = [link(links, f"{count:,}", label=value, verdict=verdict)] if count else []
            cells.append({"words": "" if opened else "0", "links": opened, "strong": same})
        rows.append([*cells, f"{sum(counts):,}"])
    columns = ["people say", *(VALUE_WORDS[v] for v in verdicts), "all"]
    return table("What people say (rows) and what the judge says (columns)", columns, rows)


def _stages(stages: Mapping[StageOfLabel, Agreement], links: JudgementFilter) -> View:
    rows: list[list[View | str]] = []
    for stage, found in stages.items():
        here = links.model_copy(update={"stage": stage})
        opened = [link(here, "differ", agrees="no")] if found.right.n else []
        shares = share_cell(found.right, opened)
        rows.append([STAGE_WORDS[stage], shares, estimate_cell(found.kappa)])
    title = "By stage: agreement rises with what people have seen where the machine pulls them"
    return table(title, ["the answer", "agreement", "kappa"], rows)


def _slices(
    slices: Sequence[AgreementSlice], links: JudgementFilter, titles: Mapping[str, str]
) -> list[View]:
    tables = []
    for field, title in FIELD_WORDS.items():
        parts = [part for part in slices if part.field == field]
        if len(parts) < 2:
            continue
        rows: list[list[View | str]] = []
        for part in parts:
            name = titles.get(part.value, part.value) if field == "judge_version" else part.value
            here = links.model_copy(update={field: part.value})
            opened = [link(here, "differ", agrees="no")] if part.agreement.right.n else []
            cells = [share_cell(part.agreement.right, opened), estimate_cell(part.agreement.kappa)]
            rows.append([name or "(none)", *cells])
        tables.append(table(title, [field.replace("_", " "), "agreement", "kappa"], rows))
    return [fold("By source, subset, type, state and judge", tables)] if tables else []


def _versions(
    versions: Sequence[VersionDifference], titles: Mapping[str, str], version: str
) -> list[View]:
    rows: list[list[View | str]] = []
    for one in versions:
        opened = [
            {
                "text": "compare",
                "query": f"old={one.version}&new={version}&truth=labels&all=1",
                "tab": "compare",
            }
        ]
        rows.append(
            [
                titles.get(one.version, one.version[:12]),
                share_cell(one.paired.old),
                share_cell(one.paired.new),
                estimate_cell(one.difference, opened, points=True),
                p_words(one.paired.p_value),
            ]
        )
    if not rows:
        return []
    columns = ["other judge", "its agreement", "this judge's", "difference", "McNemar, exact"]
    title = "Against other judges, on the pairs both judged and most people name a side of"
    return [table(title, columns, rows)]


def pull_view(session: Session, scope: Scope) -> View:
    """Does the machine pull people?"""
    verdicts = pull.shown_verdicts(session, scope.said)
    after: StageOfLabel = scope.stage if scope.stage in ("reasoning", "final") else "verdict"
    queues = pull.queue_names(session)
    random = pull.report(scope.stream("random"), verdicts, after)
    targeted = pull.report(scope.stream("targeted"), verdicts, after)
    links = scope.of_pairs.model_copy(update={"stage": after, "stream": "random"})
    blocks = [help_block(PULL_HELP)]
    if random.whole.n:
        blocks += _pull_blocks(random, links, queues)
    else:
        blocks.append(note(NO_RANDOM, warning=True))
    if targeted.whole.n:
        links = links.model_copy(update={"stream": "targeted"})
        inner = [note(TARGETED), *_pull_blocks(targeted, links, queues)]
        blocks.append(fold(targeted_title(targeted.whole.n, "answer"), inner))
    return {"lead": _pull_lead(random.whole, after), "blocks": blocks}


def _pull_lead(found: Pull, after: StageOfLabel) -> str:
    if not found.n:
        return "Nobody of the random stream has answered blind and then seen a verdict yet."
    moved = found.paired.only_new + found.paired.only_old
    return (
        f"Of {found.n:,} blind answers {moved:,} moved: {found.paired.only_new:,} towards the "
        f"judge and {found.paired.only_old:,} away from it ({STAGE_WORDS[after]}; "
        f"McNemar's exact test, {p_words(found.paired.p_value)})."
    )


def _pull_blocks(
    found: PullReport, links: JudgementFilter, queues: Mapping[int, str]
) -> list[View]:
    people = [
        _pull_row(name, one, links.model_copy(update={"annotator": name}))
        for name, one in found.people.items()
    ]
    by_queue = [
        _pull_row(queues.get(id_ or 0, "no queue"), one, links.model_copy(update={"queue_id": id_}))
        for id_, one in found.queues.items()
    ]
    columns = ["", "pull", "towards, of those that differed", "away, of those that agreed", "test"]
    whole = found.whole
    rows = [
        figure(
            "The pull",
            estimate_cell(whole.net, [link(links, "open", pull="any")], points=True),
            "rise of the agreement",
        ),
        figure("Changed towards the judge", _moved(whole, links)[0], "of answers that differed"),
        figure("Changed away from it", _moved(whole, links)[1], "of answers that agreed"),
    ]
    said = [
        f"{whole.otherwise:,} changed otherwise." if whole.otherwise else "",
        f"{found.no_verdict:,} were shown no verdict." if found.no_verdict else "",
        f"{found.not_reached:,} never reached this stage." if found.not_reached else "",
    ]
    blocks = [figures(rows)]
    if any(said):
        blocks.append(note("Not in these figures: " + " ".join(filter(None, said))))
    return [
        *blocks,
        table("By person", ["person", *columns[1:]], people),
        table("By queue", ["queue", *columns[1:]], by_queue),
    ]


def _moved(found: Pull, links: JudgementFilter) -> tuple[View, View]:
    towards = [link(links, "open", pull="towards")] if found.towards.count else []
    away = [link(links, "open", pull="away")] if found.away.count else []
    return share_cell(found.towards, towards), share_cell(found.away, away)


def _pull_row(name: str, found: Pull, links: JudgementFilter) -> list[View | str]:
    net = estimate_cell(found.net, [link(links, "open", pull="any")], points=True)
    return [name, net, *_moved(found, links), p_words(found.paired.p_value)]
