from datetime import timedelta

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import BackendError, InputError, RecordNotFound
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import assigning, judgements, labels, pairs, people, queue_progress, queues
from storage.filters import JudgementFilter


@pytest.fixture
def ids(database, make_pair, make_judgement):
    """Twenty pairs: the first four without a judgement, the rest of two sources."""
    with database.write() as session:
        unjudged = [pairs.add(session, make_pair()) for _ in range(4)]
        judged = []
        for number in range(16):
            pair = make_pair(source="even" if number % 2 == 0 else "odd")
            key = judgements.add(session, make_judgement(pair, probability_a=0.5 + number / 40))
            judged.append(judgements.get(session, key).pair_id)
    return unjudged + judged


@pytest.fixture
def everything(database, ids):
    with database.write() as session:
        return queues.everything(session)


def served(database, queue, annotator="Ada", n=100, exclude=()):
    with database.read() as session:
        items = assigning.next_items(session, queue, annotator, n, exclude)
    return [item.pair_id for item in items]


def test_the_queue_of_everything_is_made_once(database, everything):
    with database.write() as session:
        assert queues.everything(session) == everything
        assert [queue.name for queue in queues.all_queues(session)] == ["Everything"]


def test_everything_serves_every_pair_once_in_an_order_that_is_not_that_of_arrival(
    database, ids, everything
):
    order = served(database, everything)
    assert sorted(order) == ids
    assert order != ids
    assert order == served(database, everything, "Bob")


def test_a_judgement_whose_backend_failed_is_not_served(
    database, everything, make_pair, make_judgement
):
    pair = make_pair()
    asked = Judge(ScriptedBackend([BackendError("it died")]), load_profile("cor"))
    failed = asked.judge(pair, Plan())
    with database.write() as session:
        judgements.add(session, failed)
        pair_id = pairs.add(session, pair)
        found = assigning.next_items(session, everything, "Ada", 100)
        assert {item.judgement_key for item in found if item.pair_id == pair_id} == {None}
        assert judgements.newest(session, pair_id) is None
        whole = judgements.add(session, make_judgement(pair))
        judgements.add(session, failed)
        found = assigning.next_items(session, everything, "Ada", 100)
        assert {item.judgement_key for item in found if item.pair_id == pair_id} == {whole}
        assert judgements.newest(session, pair_id) == whole


def test_the_name_of_the_queue_of_everything_is_kept_for_it(database):
    with database.write() as session, pytest.raises(InputError, match="queue of all pairs"):
        queues.create(session, "Everything", JudgementFilter(verdict="A"))


def test_another_seed_is_another_order(database, ids, everything):
    with database.write() as session:
        other = queues.create(session, "Again", seed=1)
    assert sorted(served(database, other)) == ids
    assert served(database, other) != served(database, everything)


def test_seeds_give_every_pair_a_fair_chance_to_come_first(database, ids):
    with database.write() as session:
        made = [queues.create(session, f"q{seed}", seed=seed) for seed in range(100)]
    firsts = [served(database, queue, n=1)[0] for queue in made]
    assert len(set(firsts)) > 10


def test_an_item_says_where_it_stands_and_why_it_is_served(database, everything):
    with database.write() as session:
        hard = queues.create(
            session, "Hard", JudgementFilter(source="even"), order="least confident"
        )
        again = queues.get(session, hard.id)
        first, second = assigning.next_items(session, everything, "Ada", 2)
        items = assigning.next_items(session, hard, "Ada", 99)
        confidences = [
            judgements.get(session, item.judgement_key).judgement.confidence for item in items
        ]
    assert again == hard
    assert (first.position, second.position, first.why) == (1, 2, "random")
    assert items[0].why == "filter:source=even order:least confident"
    assert len(items) == 8
    assert confidences == sorted(confidences)


def test_the_newest_judgement_of_a_pair_is_served(database, everything, make_judgement):
    with database.write() as session:
        judgement = make_judgement()
        judgements.add(session, judgement)
        newest = judgements.add(session, judgement)
        keys = [item.judgement_key for item in assigning.next_items(session, everything, "Ada", 99)]
    assert newest in keys
    assert keys.count(None) == 4
    assert len(keys) == 21


def test_what_one_has_labelled_is_not_served_again(database, everything, make_entry):
    first, second, *rest = served(database, everything)
    labels.record(database, make_entry("blind", "commit", "A", pair_id=first))
    assert served(database, everything) == [second, *rest]
    assert served(database, everything, "Bob") == [first, second, *rest]
    labels.undo_last(database, "Ada", "undo-one")
    assert served(database, everything) == [first, second, *rest]


def test_what_one_has_skipped_comes_last(database, everything, make_entry):
    first, *rest = served(database, everything)
    labels.record(database, make_entry("blind", "skip", pair_id=first))
    labels.record(database, make_entry("blind", "flag", pair_id=first))
    with database.read() as session:
        items = assigning.next_items(session, everything, "Ada", 99)
    assert [item.pair_id for item in items] == [*rest, first]
    assert (items[-1].skipped, items[-1].flagged, items[-1].position) == (True, True, 20)
    assert not items[0].skipped


def test_what_is_on_screen_can_be_left_out(database, everything):
    first, second, *_ = served(database, everything)
    assert served(database, everything, n=1, exclude=[first]) == [second]


def test_a_pair_that_somebody_holds_is_not_served_to_others(database, everything):
    first, second, *_ = served(database, everything)
    with database.write() as session:
        ada, bob = (people.annotator_id(session, name) for name in ("Ada", "Bob"))
        assert assigning.hold(session, everything, first, ada)
        assert not assigning.hold(session, everything, first, bob)
        assert assigning.hold(session, everything, first, ada)
    assert served(database, everything, n=1) == [first]
    assert served(database, everything, "Bob", n=1) == [second]
    with database.write() as session:
        assigning.hold(session, everything, first, ada, timedelta(seconds=-1))
        assert assigning.hold(session, everything, first, bob)


def test_progress_counts_pairs(database, everything, make_entry):
    def progress():
        with database.read() as session:
            return queue_progress.progress(session, everything, "Ada")

    assert progress() == queue_progress.Progress(done=0, total=20, skipped=0, flagged=0)
    first, second, third, *_ = served(database, everything)
    labels.record(database, make_entry("blind", "commit", "A", pair_id=first))
    labels.record(database, make_entry("blind", "skip", pair_id=second))
    labels.record(database, make_entry("blind", "flag", pair_id=third))
    labels.record(database, make_entry("blind", "commit", "A", pair_id=third, annotator="Bob"))
    assert progress() == queue_progress.Progress(done=1, total=20, skipped=1, flagged=1)
    labels.record(database, make_entry("blind", "unflag", pair_id=third))
    labels.record(database, make_entry("blind", "commit", "B", pair_id=second))
    assert progress() == queue_progress.Progress(done=2, total=20, skipped=0, flagged=0)


def test_a_queue_needs_a_name_of_its_own(database, everything):
    with database.write() as session:
        with pytest.raises(InputError, match="needs a name"):
            queues.create(session, "  ")
        with pytest.raises(InputError, match="already"):
            queues.create(session, "Everything")
        with pytest.raises(RecordNotFound, match="no queue 77"):
            queues.get(session, 77)
