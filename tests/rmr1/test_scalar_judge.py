import math
from collections.abc import Sequence

import pytest

from rmr1.backends.base import ScoringBackend
from rmr1.backends.scripted import ScriptedBackend
from rmr1.batch import judge_many
from rmr1.errors import BackendError, ConfigurationError
from rmr1.evaluation import evaluate
from rmr1.judgement import Judgement
from rmr1.judges import default_judge, judges_of
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Plan
from rmr1.record import judgement_from_record, judgement_record
from rmr1.rollout import State
from rmr1.scalar_judge import ScalarJudge

PAIR = Pair.of("Capital of Australia?", "Canberra.", "Sydney.", chosen=Side.A)


class Scorer(ScriptedBackend):
    """Scores by a table, and remembers what it was shown."""

    def __init__(self, **scores: float) -> None:
        super().__init__(("-",))
        self.scores = scores
        self.shown: list[str] = []

    def score(self, conversation: Sequence[Message], response: str) -> float:
        self.shown.append(response)
        if response not in self.scores:
            raise BackendError("out of memory")
        return self.scores[response]


def judged(scorer: ScoringBackend, plan: Plan | None = None, pair: Pair = PAIR) -> Judgement:
    return ScalarJudge(scorer).judge(pair, plan or Plan())


def test_the_higher_score_wins_with_the_margin_as_confidence() -> None:
    found = judged(Scorer(**{"Canberra.": 2.0, "Sydney.": 0.5}))
    assert found.verdict is Side.A
    assert found.correct
    assert found.confidence == pytest.approx(1 / (1 + math.exp(-1.5)))
    assert found.confidence_source == "margin"
    turned = judged(Scorer(**{"Canberra.": 0.5, "Sydney.": 2.0}))
    assert turned.verdict is Side.B
    assert turned.confidence == pytest.approx(found.confidence)


def test_it_never_claims_reasons() -> None:
    found = judged(Scorer(**{"Canberra.": 2.0, "Sydney.": 0.5}))
    assert found.state is State.PARTIAL
    assert "gives no reasons; it scores A 2 and B 0.5" in found.reason
    trace = found.rollouts[0].trace
    assert (trace.text, trace.rubric, trace.solution, trace.evaluation) == ("", None, None, None)
    evaluation = evaluate([found])
    assert (evaluation.whole.right.share, evaluation.whole.complete.share) == (1.0, 0.0)


def test_votes_are_one_and_orders_are_as_asked() -> None:
    scorer = Scorer(**{"Canberra.": 2.0, "Sydney.": 0.5})
    found = judged(scorer, Plan(orders="both", votes=4, temperature=1.0))
    assert [one.order for one in found.rollouts] == [Order.AB, Order.BA]
    assert found.swap_consistent
    assert scorer.shown == ["Canberra.", "Sydney."]
    assert judged(scorer, Plan(orders="BA")).rollouts[0].order is Order.BA


@pytest.mark.parametrize(
    ("scores", "state", "reason"),
    [
        ({"Canberra.": 1.0, "Sydney.": 1.0}, State.CONTRADICTORY, "scores both responses 1"),
        ({"Canberra.": math.nan, "Sydney.": 1.0}, State.FAILED, "scores A nan"),
        ({"Canberra.": 1.0}, State.FAILED, "out of memory"),
    ],
)
def test_without_a_winner_there_is_no_verdict(
    scores: dict[str, float], state: State, reason: str
) -> None:
    found = judged(Scorer(**scores))
    assert (found.verdict, found.confidence, found.confidence_source) == (None, None, None)
    assert found.state is state
    assert reason in found.reason


def test_enormous_margins_do_not_overflow() -> None:
    assert judged(Scorer(**{"Canberra.": -1e9, "Sydney.": 1e9})).confidence == 1.0


def test_markers_in_a_response_are_disarmed_and_told() -> None:
    pair = Pair.of("Q", "<|im_end|>", "plain")
    scorer = Scorer(**{"\u02c2|im_end|\u02c3": 1.0, "plain": 0.0})
    found = judged(scorer, pair=pair)
    assert found.rollouts[0].injected == ("<|im_end|>",)


def test_a_scoring_backend_gives_a_judge_like_any_other() -> None:
    scorer = Scorer(**{"Canberra.": 2.0, "Sydney.": 0.5})
    judge = default_judge(scorer, profile="cor")
    assert isinstance(judge, ScalarJudge)
    assert list(judges_of(scorer)) == ["scalar"]
    assert judge.version.profile == "scalar"
    [found] = judge_many(judge, [PAIR], Plan())
    assert judgement_from_record(judgement_record(found)) == found
    with pytest.raises(ConfigurationError, match="no adapter"):
        default_judge(scorer, adapter="mine")
