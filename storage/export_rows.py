"""Rows of the training files: one function for each kind, from a decided pair and its traces."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from rmr1.grounding import Match
from rmr1.judgement import Rollout, State
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import Profile, build_chat
from storage import judgement_rows
from storage.compile import check_target, recompile
from storage.decisions import Decision
from storage.tables import JudgementRow, RolloutRow

Kind = Literal["sft", "rlvr", "dpo", "preference"]
ExportRow = dict[str, Any]

_NAMES = {Side.A: "model_a", Side.B: "model_b"}


class RowOptions(BaseModel):
    """What goes into the rows.

    A tie under the policy `neutral` gives both orders, so that neither response is preferred;
    under `margin` every row says by how much (0 for a tie, else the strength of the label).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = Field(default="cor", description="prompt profile of the judge to train")
    ties: Literal["drop", "neutral", "margin"] = Field(
        default="drop", description="what becomes of ties, in `preference`"
    )
    published_names: bool = Field(
        default=False, description="`context_messages` for `prompt` in `rlvr`, as RM-R1 has it"
    )
    both_orders: bool = Field(
        default=False, description="in `rlvr`: every pair twice, for a reward on their agreement"
    )
    traces_per_pair: int = Field(default=1, ge=1, le=64, description="at most, in `sft` and `dpo`")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A judge's text on a pair.

    Attributes:
        version: hash of the judge version.
        doubted: whether someone said that its reasoning is wrong.
        repaired: whether a person wrote part of it.
        rollout: the reading of the judge's own text, before any repair.
    """

    text: str
    rollout: Rollout
    version: str
    doubted: bool = False
    repaired: bool = False

    @property
    def order(self) -> Order:
        """The order of the responses that it speaks of."""
        return self.rollout.order


def candidates(session: Session, decided: Sequence[Decision]) -> dict[int, list[Candidate]]:
    """The traces on record for each pair: repaired ones first, then the newest judgements'."""
    by_pair = {one.pair_id: one for one in decided}
    rows = session.scalars(
        select(JudgementRow)
        .where(JudgementRow.pair_id.in_(by_pair))
        .order_by(JudgementRow.pair_id, JudgementRow.id.desc())
        .options(
            joinedload(JudgementRow.pair),
            joinedload(JudgementRow.version),
            selectinload(JudgementRow.rollouts).selectinload(RolloutRow.quotes),
        )
    )
    found: dict[int, list[Candidate]] = {}
    for row in rows:
        found.setdefault(row.pair_id, []).extend(_candidates(row, by_pair[row.pair_id]))
    for texts in found.values():
        texts.sort(key=lambda one: not one.repaired)
    return found


def _candidates(row: JudgementRow, decision: Decision) -> Iterator[Candidate]:
    judgement = judgement_rows.from_row(row)
    version = row.version.hash
    own = [label for label in decision.labels if label.judgement_id == row.id]
    doubted = any(label.reasoning in ("wrong", "repair") for label in own)
    for label in own:
        if label.sections:
            first = judgement.rollouts[0]
            yield Candidate(recompile(first.trace, label.sections), first, version, repaired=True)
    for rollout in judgement.rollouts:
        yield Candidate(rollout.trace.text, rollout, version, doubted=doubted)


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes the rows of one kind of export.

    Attributes:
        dropped: reasons why pairs gave no row, counted while rows are made.
        versions: hashes of the judge versions whose traces are used.
    """

    kind: Kind
    options: RowOptions
    profile: Profile
    dropped: Counter[str]
    versions: Counter[str]

    def rows(
        self, decision: Decision, pair: Pair, order: Order, texts: Sequence[Candidate]
    ) -> list[ExportRow]:
        """The rows of one pair; none where it is dropped, and the reason is counted.

        Args:
            order: the order of the responses, for kinds that are free to choose it.
        """
        if decision.value is None:
            return self._drop("the labels are divided")
        if decision.winner is None and not self._takes(decision.value):
            return self._drop(f"labelled {decision.value.replace('_', ' ')}")
        match self.kind:
            case "preference":
                return self._preference(decision, pair)
            case "rlvr":
                return self._rlvr(decision, pair, order)
            case "sft":
                return self._sft(decision, pair, texts)
            case "dpo":
                return self._dpo(decision, pair, texts)

    def _takes(self, value: str) -> bool:
        return self.kind == "preference" and self.options.ties != "drop" and value == "tie"

    def _drop(self, reason: str) -> list[ExportRow]:
        self.dropped[reason] += 1
        return []

    def _about(self, pair: Pair) -> ExportRow:
        return {
            "pair_hash": pair.hash,
            "source": pair.source,
            "subset": pair.subset,
            "pair_id": pair.id or "",
        }

    def _preference(self, decision: Decision, pair: Pair) -> list[ExportRow]:
        better = decision.winner or Side.A
        sides = [better]
        if decision.winner is None and self.options.ties == "neutral":
            sides = [Side.A, Side.B]
        margin = {}
        if self.options.ties == "margin":
            margin = {"margin": float(decision.strength or 1) if decision.winner else 0.0}
        prompt = [turn.model_dump() for turn in pair.conversation]
        return [
            {
                "prompt": prompt,
                "chosen": [_assistant(pair.response(side))],
                "rejected": [_assistant(pair.response(side.other))],
                **margin,
                **self._about(pair),
            }
            for side in sides
        ]

    def _rlvr(self, decision: Decision, pair: Pair, order: Order) -> list[ExportRow]:
        orders = [order, *(one for one in Order if one is not order and self.options.both_orders)]
        return [self._rlvr_row(decision, pair, one) for one in orders]

    def _rlvr_row(self, decision: Decision, pair: Pair, order: Order) -> ExportRow:
        assert decision.winner
        chat = build_chat(pair, self.profile, order)
        name = "context_messages" if self.options.published_names else "prompt"
        first, second = pair.shown(order)
        return {
            name: [turn.model_dump() for turn in chat.messages],
            "winner": _NAMES[order.to_pair(decision.winner)],
            "order": order.value,
            # As the letters of the prompt have them: a reward looks quotations up here.
            "response_a": first,
            "response_b": second,
            **self._about(pair),
        }

    def _sft(self, decision: Decision, pair: Pair, texts: Sequence[Candidate]) -> list[ExportRow]:
        winner = decision.winner
        assert winner
        faults: Counter[str] = Counter()
        rows: list[ExportRow] = []
        for one in texts:
            fault = self._fault(pair, one, winner)
            if fault:
                faults[fault] += 1
                continue
            rows.append(self._trained(pair, winner, one, {"completion": [_assistant(one.text)]}))
            rows[-1]["repaired"] = one.repaired
            if len(rows) == self.options.traces_per_pair:
                break
        if rows:
            return rows
        return self._drop(faults.most_common(1)[0][0] if faults else "no judgement")

    def _fault(self, pair: Pair, one: Candidate, winner: Side) -> str | None:
        """Why a text cannot be a target, in few words; None if it can."""
        if not one.repaired:
            if one.doubted:
                return "the reasoning was called wrong"
            if one.rollout.state is not State.COMPLETE:
                return f"the trace is {one.rollout.state}"
            if one.rollout.verdict is not winner:
                return "the verdict is not the label"
            if any(quote.match is Match.ABSENT for quote in one.rollout.quotes):
                return "the trace quotes what no response says"
        if build_chat(pair, self.profile, one.order).injected:
            return "the pair forges markers of the prompt"
        if check_target(pair, one.order, one.text, winner, layout=self.profile.layout):
            return "the repair is not a valid trace" if one.repaired else "the trace has slips"
        return None

    def _dpo(self, decision: Decision, pair: Pair, texts: Sequence[Candidate]) -> list[ExportRow]:
        winner = decision.winner
        assert winner
        if not texts:
            return self._drop("no judgement")
        right = [one for one in texts if self._fault(pair, one, winner) is None]
        if not right:
            return self._drop("no right trace to choose")
        wrong = [
            one
            for one in texts
            if not one.repaired
            and one.rollout.state is State.COMPLETE
            and one.rollout.verdict is winner.other
        ]
        rows: list[ExportRow] = []
        for better in right:
            worse = next((one for one in wrong if one.order is better.order), None)
            if worse and len(rows) < self.options.traces_per_pair:
                wrong.remove(worse)
                self.versions[worse.version] += 1
                answers = {
                    "chosen": [_assistant(better.text)],
                    "rejected": [_assistant(worse.text)],
                }
                rows.append(self._trained(pair, winner, better, answers))
        return rows or self._drop("no wrong trace in the same order to reject")

    def _trained(self, pair: Pair, winner: Side, one: Candidate, answers: ExportRow) -> ExportRow:
        self.versions[one.version] += 1
        chat = build_chat(pair, self.profile, one.order)
        prompt = [turn.model_dump() for turn in chat.messages]
        return {
            "prompt": prompt,
            **answers,
            "winner": _NAMES[one.order.to_pair(winner)],
            "order": one.order.value,
            **self._about(pair),
            "judge_version": one.version,
        }


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}
