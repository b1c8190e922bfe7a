import pytest

from rmr1.benchmark.judged import Judged
from rmr1.benchmark.outcome import outcome_of
from rmr1.benchmark.rmb import RMB, rmb_pairs
from rmr1.benchmark.score import score
from rmr1.errors import InputError
from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import read_rollout

VERSION = JudgeVersion(backend="scripted", model="m")
PLAN = Plan()


def query(uid: str, losers: int, goal: str = "Helpfulness") -> list[Pair]:
    return rmb_pairs(
        {
            "conversation_input": [{"role": "user", "content": f"{goal} {uid}?"}],
            "bon_best": {"llm_name": "m", "answer": "best"},
            "loser_list": [{"llm_name": "n", "answer": f"loser {n}"} for n in range(losers)],
            "bon_uid": uid,
            "category_path": f"BoN_set/{goal}/Chat",
        }
    )


def pair(uid: str, goal: str = "Helpfulness") -> Pair:
    (one,) = rmb_pairs(
        {
            "conversation_input": [{"role": "user", "content": f"pair {goal} {uid}?"}],
            "chosen": {"llm_name": "m", "answer": "best"},
            "reject": {"llm_name": "n", "answer": "loser"},
            "pair_uid": uid,
            "category_path": f"Pairwise_set/{goal}/Chat",
        }
    )
    return one


def judged(*said: tuple[Pair, str]) -> Judged:
    found = Judged(RMB, VERSION, PLAN)
    for one, text in said:
        found.add(outcome_of(judge(one, text), RMB.locate(one)))
    return found


def judge(one: Pair, text: str) -> Judgement:
    return conclude(one, VERSION, PLAN, [read_rollout(one, Order.AB, text)])


RIGHT, WRONG, NEITHER, BOTH = "[[A]]", "[[B]]", "no letter", "[[A]] [[B]]"  # chosen is A


@pytest.mark.parametrize(
    ("texts", "value", "failures"),
    [
        ([RIGHT, RIGHT], 1, 0),
        ([RIGHT, WRONG], 0, 0),
        ([WRONG, WRONG], 0, 0),
        ([RIGHT, NEITHER], 0, 1),
        ([RIGHT, BOTH], 0, 1),
    ],
)
def test_a_query_is_right_only_if_its_best_beats_every_loser(texts, value, failures) -> None:
    part = score(judged(*zip(query("1", 2), texts, strict=True))).tables[0]
    figure = part["Helpfulness, best of N"]
    assert (figure.value, figure.n, figure.failures) == (value, 1, failures)


def test_half_credit_is_no_win_over_a_loser() -> None:
    found = judged(*zip(query("1", 2), [RIGHT, NEITHER], strict=True))
    assert score(found, "upstream").tables[0]["Helpfulness, best of N"].value == 0


def test_a_part_counts_its_queries_alike_however_many_losers_they_have() -> None:
    pairs = [*query("1", 5), *query("2", 2), *query("3", 2)]
    texts = [RIGHT] * 5 + [RIGHT, WRONG] + [WRONG, RIGHT]
    figure = score(judged(*zip(pairs, texts, strict=True))).tables[0]["Helpfulness, best of N"]
    assert (figure.value, figure.n) == (pytest.approx(1 / 3), 3)


def test_a_query_with_an_unjudged_loser_is_left_out() -> None:
    pairs = [*query("1", 2), *query("2", 3)]
    found = score(judged(*((one, RIGHT) for one in pairs[:4])))
    assert found.incomplete == 1
    assert found.tables[0]["Helpfulness, best of N"].n == 1


def test_queries_of_one_number_in_two_goals_are_two() -> None:
    pairs = [*query("1", 2), *query("1", 2, "Harmlessness")]
    table = score(judged(*zip(pairs, [RIGHT, RIGHT, WRONG, RIGHT], strict=True))).tables[0]
    assert table["Helpfulness, best of N"].value == 1
    assert table["Harmlessness, best of N"].value == 0


def test_the_score_is_the_plain_mean_of_four_parts() -> None:
    said = [(one, RIGHT) for one in query("1", 2)]
    said += list(zip(query("2", 2, "Harmlessness"), [RIGHT, WRONG], strict=True))
    said += [(pair(str(n)), RIGHT if n < 3 else WRONG) for n in range(4)]
    said += [(pair(str(n), "Harmlessness"), RIGHT if n < 1 else WRONG) for n in range(4)]
    table = score(judged(*said)).tables[0]
    assert [figure.value for figure in table] == [0.75, 0.25, 1.0, 0.0, 0.5]


def test_a_missing_part_is_named() -> None:
    table = score(judged((pair("1"), RIGHT))).tables[0]
    assert table["Mean of parts"].value == 1
    assert len(table["Mean of parts"].missing) == 3


def test_several_turns_are_kept() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    row = {
        "conversation_input": turns,
        "chosen": {"answer": "x"},
        "reject": {"answer": "y"},
        "pair_uid": 3,
    }
    (one,) = rmb_pairs(row, "RMB_dataset/Pairwise_set/Harmlessness/multi.json")
    assert one.is_multi_turn
    assert (one.subset, one.chosen) == ("Pairwise_set/Harmlessness/multi", Side.A)


def test_a_category_of_something_else_is_refused() -> None:
    with pytest.raises(InputError, match="no category of RMB"):
        RMB.locate(Pair.of("p", "a", "b", subset="chat"))
