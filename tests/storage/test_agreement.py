"""Labels read stage by stage, what they come to, and filters that find exactly their items."""

import sys

import pytest
from sqlalchemy import select

from rmr1.plan import Plan
from storage import (
    agreement,
    consensus,
    judgements,
    labels,
    mirror,
    opinions,
    peers,
    people_calibration,
    pull,
)
from storage.filters import JudgementFilter, narrow
from storage.tables import JudgementRow


class Team:
    """Judgements with verdict A unless said otherwise, and people who label them."""

    def __init__(self, database, make_judgement, make_pair, make_entry):
        self.database = database
        self.make_judgement = make_judgement
        self.make_pair = make_pair
        self.make_entry = make_entry
        self.versions = {}

    def judged(self, letter="A", pair=None, **rest):
        pair = pair or self.make_pair()
        found = self.make_judgement(pair=pair, letter=letter, **rest)
        self.versions[rest.get("model", "tiny")] = found.version.hash
        with self.database.write() as session:
            key = judgements.add(session, found)
            return pair, judgements.get(session, key).pair_id, key

    def say(self, item, name, blind, after=None, why="random", reasoning=None, **rest):
        _, pair_id, key = item
        about = {"annotator": name, "pair_id": pair_id, "judgement_key": key, "why": why}
        steps = [("blind", "commit", blind, rest)]
        if after == blind:
            steps.append(("verdict", "keep", None, {}))
        elif after:
            steps.append(("verdict", "change", after, {}))
        if reasoning:
            steps.append(("reasoning", *reasoning, {}))
        for stage, action, value, more in steps:
            labels.record(self.database, self.make_entry(stage, action, value, **about, **more))

    def read(self, **wanted):
        with self.database.read() as session:
            return list(opinions.read(session, JudgementFilter(**wanted)))

    def keys(self, **wanted):
        with self.database.read() as session:
            found = narrow(session, select(JudgementRow.key), JudgementFilter(**wanted), counted=())
            return set(session.scalars(found))

    def report(self, model="tiny", stage="blind", stream="random"):
        with self.database.read() as session:
            judged = agreement.judged(session, JudgementFilter())
        return agreement.report(judged, self.read(), self.versions[model], stage, stream)


@pytest.fixture
def team(database, make_judgement, make_pair, make_entry):
    return Team(database, make_judgement, make_pair, make_entry)


def test_an_opinion_holds_what_was_said_at_each_stage(team):
    item = team.judged()
    team.say(item, "Ada", "B", "A", reasoning=("change", "tie"), strength=2)
    (one,) = team.read()
    assert (one.blind, one.verdict, one.reasoning, one.final) == ("B", "A", "tie", "tie")
    assert one.random
    assert one.shown_id is not None


def test_a_stage_that_was_not_reached_has_no_answer(team):
    team.say(team.judged(), "Ada", "B", why="order:newest")
    (one,) = team.read()
    assert (one.blind, one.verdict, one.reasoning) == ("B", None, None)
    assert not one.random


def test_a_blind_answer_given_again_after_an_undo_is_not_blind(team):
    item = team.judged()
    team.say(item, "Ada", "B")
    labels.undo_last(team.database, "Ada", "undo-0001")
    team.say(item, "Ada", "A", "A")
    (one,) = team.read()
    assert (one.blind, one.final) == (None, "A")
    with team.database.read() as session:
        assert opinions.left_out(session) == {"blind answers given again after an undo": 1}


def test_an_inspection_is_no_opinion(team):
    _, pair_id, key = team.judged()
    entry = team.make_entry("inspection", "commit", "A", pair_id=pair_id, judgement_key=key)
    labels.record(team.database, entry)
    assert team.read() == []
    with team.database.read() as session:
        assert opinions.left_out(session) == {"made with the verdict in view": 1}


def test_agreement_counts_sides_and_leaves_targeted_answers_apart(team):
    agreed = [team.judged() for _ in range(3)]
    differing = team.judged("B")
    silent = team.judged(text="I cannot say.")
    tie = team.judged()
    for item in (*agreed, differing, silent):
        team.say(item, "Ada", "A")
    team.say(tie, "Ada", "tie")
    team.say(differing, "Bob", "B", why="order:newest")
    found = team.report().whole
    assert found.labels == 6
    assert (found.right.count, found.right.n) == (3, 5)
    assert found.matrix == {("A", "A"): 3, ("A", "B"): 1, ("A", "none"): 1, ("tie", "A"): 1}
    targeted = team.report(stream="targeted").whole
    assert (targeted.right.count, targeted.right.n) == (1, 1)


def test_only_the_newest_judgement_of_a_version_counts(team):
    pair, _, _ = item = team.judged("B")
    team.judged("A", pair=pair, plan=Plan(seed=1))
    team.say(item, "Ada", "A")
    assert team.report().whole.matrix == {("A", "A"): 1}


def test_stages_show_what_the_reveal_did(team):
    for blind in ("A", "B", "B"):
        team.say(team.judged(), "Ada", blind, "A", reasoning=("sound", None))
    stages = team.report().stages
    shares = {name: found.right.share for name, found in stages.items()}
    assert shares == {"blind": pytest.approx(1 / 3), "verdict": 1, "reasoning": 1, "final": 1}


def test_slices_and_versions_stand_beside_the_whole(team):
    for number in range(4):
        pair = team.make_pair(source="even" if number % 2 == 0 else "odd")
        item = team.judged("A" if number else "B", pair=pair)
        team.judged("B", pair=pair, model="other")
        team.say(item, "Ada", "A")
    found = team.report()
    sources = {s.value: s.agreement.right.count for s in found.slices if s.field == "source"}
    assert sources == {"even": 1, "odd": 2}
    (other,) = found.versions
    assert (other.paired.old.count, other.paired.new.count, other.paired.n) == (0, 3, 4)
    assert other.paired.p_value == 0.25
    assert other.difference.value == 0.75
    assert "too few" in other.difference.why


def test_the_pull_counts_what_moved_towards_and_away(team):
    moves = [("B", "A"), ("B", "A"), ("tie", "A"), ("B", "B"), ("A", "A"), ("A", "B"), ("B", "tie")]
    for blind, after in moves:
        team.say(team.judged(), "Ada", blind, after)
    team.say(team.judged(), "Bob", "A")
    team.say(team.judged(text="No idea."), "Bob", "A", "A")
    said = team.read()
    with team.database.read() as session:
        found = pull.report(said, pull.shown_verdicts(session, said))
    whole = found.whole
    assert (whole.towards.count, whole.towards.n) == (3, 5)
    assert (whole.away.count, whole.away.n) == (1, 2)
    assert whole.otherwise == 1
    assert whole.net.value == pytest.approx(2 / 7)
    assert whole.paired.p_value == pytest.approx(0.625)  # 2 * (C(4, 3) + C(4, 4)) / 2 ** 4
    assert (found.not_reached, found.no_verdict) == (1, 1)
    assert list(found.people) == ["Ada"]


def test_nobody_who_moved_has_a_pull_without_figures(team):
    found = pull.report([], {})
    assert found.whole.net.value is None
    assert found.whole.towards.share is None
    assert found.whole.paired.p_value is None


def test_peers_agree_by_pair_and_two_by_two(team):
    for number in range(12):
        item = team.judged()
        team.say(item, "Ada", "A" if number % 2 else "B", strength=2)
        team.say(item, "Bob", "A" if number % 2 or number > 8 else "B", strength=1)
    found = peers.report(team.read(), "blind")
    assert (found.unanimous.count, found.unanimous.n) == (11, 12)
    (couple,) = found.couples
    assert (couple.one, couple.other) == ("Ada", "Bob")
    assert couple.kappa.value == pytest.approx(5 / 6)
    # Observed disagreement 2 of 24, expected 2 * 11 * 13 / 23.
    assert found.alpha.value == pytest.approx(1 - 2 / (2 * 11 * 13 / 23))
    assert found.ordinal_alpha.low is not None


def test_one_person_alone_agrees_with_nobody(team):
    team.say(team.judged(), "Ada", "A")
    found = peers.report(team.read(), "blind")
    assert found.alpha.value is None
    assert "two people" in found.alpha.why


def crowd(team, n=12):
    """Three people; Cy answers against the other two on every third pair."""
    for number in range(n):
        item = team.judged("A" if number % 5 else "B")
        value = "A" if number % 2 else "B"
        for name in ("Ada", "Bob", "Cy"):
            against = name == "Cy" and number % 3 == 0
            team.say(item, name, "AB"[value == "A"] if against else value)


def test_consensus_is_the_majority_with_dawid_skene_beside_it(team):
    pytest.importorskip("crowdkit")
    crowd(team)
    found = consensus.consensus(team.read(), "blind")
    assert (found.decided.count, found.decided.n) == (12, 12)
    assert found.same.share == 1
    skills = {one.name: one for one in found.skills}
    assert skills["Cy"].with_others.count == 8
    assert skills["Cy"].accuracy.value == pytest.approx(2 / 3, abs=0.02)
    assert skills["Ada"].accuracy.value == pytest.approx(1, abs=0.02)
    assert skills["Ada"].accuracy.low is None
    assert "model" in skills["Ada"].accuracy.why


def test_without_crowd_kit_the_majority_stands_alone(team, monkeypatch):
    monkeypatch.setitem(sys.modules, "crowdkit.aggregation", None)
    crowd(team, 4)
    found = consensus.consensus(team.read(), "blind")
    assert found.decided.count == 4
    assert found.problem == consensus.NOT_INSTALLED
    assert found.same.share is None
    assert found.skills[0].accuracy.value is None


def test_no_majority_is_no_value():
    assert consensus.leading(["A", "B"]) is None
    assert consensus.leading([]) is None
    assert consensus.leading(["A", "B", "A"]) == "A"


def test_confidences_are_held_against_the_majority(team):
    for number in range(20):
        item = team.judged("A", probability_a=0.8)
        team.say(item, "Ada", "A" if number % 5 else "B")
    with team.database.read() as session:
        judged = agreement.judged(session, JudgementFilter())
    truths = agreement.majority(team.read(), "blind")
    (found,) = people_calibration.calibrations(judged, truths)
    assert found.figures.right.count == 16
    assert found.ece.value == pytest.approx(0, abs=1e-9)
    assert found.brier.value == pytest.approx(0.8 * 0.2)
    assert found.brier.low is not None


def test_a_mirror_shows_one_person(team):
    crowd(team)
    item = team.judged()
    team.say(item, "Cy", "B", "A", seconds=12.0)
    with team.database.read() as session:
        said = list(opinions.read(session, JudgementFilter()))
        found = mirror.mirror(said, "Cy", pull.shown_verdicts(session, said), "blind")
    assert found.labels == 13
    assert (found.peers["random"].count, found.peers["random"].n) == (8, 12)
    assert found.pull["random"].towards.count == 1
    assert (found.pace.n, found.pace.median, found.pace.low) == (1, 12.0, None)


def test_filters_find_the_items_of_a_figure(team):
    one, two, three = team.judged("A"), team.judged("B"), team.judged(text="No idea.")
    for item in (one, two, three):
        team.say(item, "Ada", "A", "A")
    team.say(one, "Bob", "B", "A")
    team.say(two, "Bob", "A", why="order:newest")
    keys = [item[2] for item in (one, two, three)]
    assert team.keys(stage="blind", agrees="yes") == {keys[0]}
    assert team.keys(stage="blind", agrees="no") == set(keys)  # Bob differs on the first
    assert team.keys(stage="blind", agrees="no", annotator="Ada") == {keys[1], keys[2]}
    assert team.keys(label="B", stage="blind") == {keys[0]}
    assert team.keys(stream="targeted") == {keys[1]}
    assert team.keys(people="differ", stage="blind") == {keys[0]}
    assert team.keys(people="differ", stage="verdict") == set()
    assert team.keys(people="agree", stage="blind") == {keys[1]}
    assert team.keys(people="any", annotator="Ada", other="Bob") == {keys[0], keys[1]}
    assert team.keys(pull="towards") == {keys[0]}
    assert team.keys(pull="away") == set()
    assert team.keys(pull="any", annotator="Bob") == {keys[0]}
    assert team.keys(annotator="Nobody") == set()


def test_the_newest_filter_leaves_the_judgement_that_counts(team):
    pair, _, old = team.judged("B")
    _, _, new = team.judged("A", pair=pair, plan=Plan(seed=1))
    _, _, other = team.judged("A", pair=pair, model="other")
    assert team.keys(newest="yes") == {new, other}
    assert old not in team.keys(newest="yes")
