"""A trace put together from its sections, and the check that a trace can be trained on."""

import re
from collections.abc import Mapping, Sequence

from rmr1.grounding import Match
from rmr1.judgement import State
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import Layout
from rmr1.record import evaluation_text
from rmr1.rollout import read_rollout
from rmr1.rubric import Criterion
from rmr1.trace import Segment, TaskType, Trace

_EVAL = re.compile(r"<eval>(.*)</eval>", re.DOTALL)


def compile_trace(
    type: TaskType,
    evaluation: str | Sequence[Segment],
    verdict: Side | None,
    *,
    rubric: str | Sequence[Criterion] | None = None,
    justify: str | None = None,
    solution: str | None = None,
) -> str:
    """Put a trace together in the protocol's order: type, rubric or solution, eval, answer.

    Args:
        evaluation: the text between the `<eval>` tags, quotations and summaries in their own tags;
            or its pieces.
        verdict: the letter as the judge saw it; None leaves the answer out.
        rubric: for Chat, the criteria, or their text without the justification.
        justify: for Chat, why these criteria.
        solution: for Reasoning, the judge's own solution.

    Returns:
        The trace; whether it is a valid one, `check_target` says.
    """
    parts = [f"<type>{type}</type>"]
    if type is TaskType.CHAT:
        criteria = rubric if isinstance(rubric, str) else _rubric_text(rubric or ())
        why = f"\n<justify>\n{justify.strip()}\n</justify>" if justify else ""
        parts.append(f"<rubric>\n{criteria.strip()}{why}\n</rubric>")
    else:
        parts.append(f"<solution>\n{(solution or '').strip()}\n</solution>")
    said = evaluation if isinstance(evaluation, str) else _evaluation_text(evaluation)
    parts.append(f"<eval>\n{said.strip()}\n</eval>")
    if verdict:
        parts.append(f"<answer>[[{verdict}]]</answer>")
    return "\n\n".join(parts)


def _evaluation_text(segments: Sequence[Segment]) -> str:
    # The pieces came without the space around them.
    return " ".join(evaluation_text((segment,)) for segment in segments)


def _rubric_text(criteria: Sequence[Criterion]) -> str:
    lines = []
    for number, criterion in enumerate(criteria, start=1):
        weight = criterion.weight_text or (
            f"{criterion.share:.0%}" if criterion.share is not None else ""
        )
        name = f"{criterion.name} ({weight.strip('()')})" if weight else criterion.name
        lines.append(
            f"{number}. {name}: {criterion.text}" if criterion.text else f"{number}. {name}"
        )
    return "\n".join(lines)


def recompile(trace: Trace, sections: Mapping[str, str]) -> str:
    """Put a trace together again with some of its sections repaired.

    Args:
        sections: new texts under the names of the tags: type, rubric, justify, solution, eval,
            answer. The answer is a letter as the judge saw it, in brackets or not.
    """
    said = sections.get("type", trace.type or "").strip().capitalize()
    known = TaskType(said) if said in list(TaskType) else None
    answer = sections.get("answer", trace.verdict or "").strip(" []\n")
    written = _EVAL.search(trace.text)
    evaluation = written[1] if written else trace.evaluation or ""
    return compile_trace(
        known or (TaskType.REASONING if trace.solution else TaskType.CHAT),
        sections.get("eval", evaluation),
        Side(answer) if answer in list(Side) else None,
        rubric=sections.get("rubric", trace.rubric),
        justify=sections.get("justify", trace.justify),
        solution=sections.get("solution", trace.solution),
    )


def check_target(
    pair: Pair,
    order: Order,
    text: str,
    winner: Side | None = None,
    *,
    layout: Layout = "cor",
) -> list[str]:
    """Read a trace again and list what stands against training on it.

    Args:
        order: the order in which the trace speaks of the responses.
        winner: the side of the pair that the trace must name; by default the pair's chosen one.
        layout: the sections that the trace should have; `reasoning` has none but the answer.

    Returns:
        What is wrong, in words; empty only for a trace that is ready: complete, its tags clean and
        of one layout, every quotation found in its response, the verdict the wanted one.
    """
    winner = winner or pair.chosen
    rollout = read_rollout(pair, order, text, finish_reason="stop", layout=layout)
    wrong = _layout_faults(rollout.trace) if layout == "cor" else []
    if rollout.state is not State.COMPLETE:
        wrong.append(
            f"it is {rollout.state}: {rollout.reason}" if rollout.reason else rollout.state
        )
    invented = [quote.text for quote in rollout.quotes if quote.match is Match.ABSENT]
    wrong.extend(f"not in the response: “{quote[:80]}”" for quote in invented)
    if rollout.verdict is None:
        wrong.append("it has no verdict")
    elif winner is None:
        wrong.append("nobody has said which response is better")
    elif rollout.verdict is not winner:
        wrong.append(f"its verdict is {rollout.verdict}, the label {winner}")
    return wrong


def _layout_faults(trace: Trace) -> list[str]:
    chat, reasoning = trace.type is TaskType.CHAT, trace.type is TaskType.REASONING
    faults = {
        "it does not say whether the task is Chat or Reasoning": trace.type is None,
        "its rubric has no criterion": chat and not trace.criteria,
        "its rubric is not justified": chat and not trace.justify,
        "a Chat trace has no solution": chat and trace.solution is not None,
        "it has no solution": reasoning and not trace.solution,
        "a Reasoning trace has no rubric": reasoning and trace.rubric is not None,
        "it has no evaluation": not trace.evaluation,
        "there is text outside its sections": bool(trace.prose.strip()),
    }
    return [*trace.slips, *(words for words, applies in faults.items() if applies)]
