from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import runs, trainings
from storage.columns import utc_now
from storage.trainings import Point, Sample
from ui import training_views
from ui.training_views import log_view, page_view, points_view, samples_view, words_for

HOSTILE = '<img src=x onerror="window.__pwned=1">'


@pytest.fixture
def run(database):
    with database.write() as session:
        run_id = trainings.open_run(session, "embedded-rl", {"recipe": {"seed": 1}, "steps": 10})
        trainings.beat(session, run_id, 4)
        for step in range(1, 5):
            trainings.log_metrics(session, run_id, step, {"loss": 1 / step, "reward": 0.1 * step})
        sample = {"prompt": "p", "text": HOSTILE, "scores": {"reward": 1.0, "length": 12}}
        trainings.log_samples(session, run_id, 4, [sample])
    return run_id


def ask(studio, run_id, **rest):
    return page_view(studio.database, studio.data_dir, {"run": run_id, "fresh": True, **rest})


def test_a_running_run_says_how_far_it_is_and_offers_to_stop(studio, run):
    view = ask(studio, run)
    assert view["live"]
    shown = view["run"]
    assert shown["state"] == "running"
    assert shown["share"] == pytest.approx(0.4)
    assert shown["line"][0] == "step 4 of 10"
    assert any(part.endswith("left") for part in shown["line"])
    assert (shown["can_stop"], shown["can_resume"]) == (True, False)
    assert ["recipe.seed", "1"] in shown["facts"]
    assert view["points"]["loss"][0] == [1, 1.0]
    assert view["samples"][0]["items"][0]["text"] == HOSTILE


def test_a_page_that_has_seen_some_is_sent_the_rest(studio, run):
    view = ask(studio, run, fresh=False, after=3, samples=4)
    assert [step for step, _ in view["points"]["loss"]] == [4]
    assert view["samples"] == []


def test_a_run_that_is_asked_to_stop_is_stopping_until_it_has_stopped(studio, run):
    with studio.database.write() as session:
        trainings.ask_to_stop(session, run)
    assert ask(studio, run)["run"]["state"] == "stopping"
    with studio.database.write() as session:
        runs.finish(session, run, {"step": 5}, state="stopped", message="At step 5.")
    view = ask(studio, run)
    assert (view["run"]["state"], view["run"]["can_resume"]) == ("stopped", True)
    assert view["run"]["message"] == "At step 5."
    assert not view["live"]


def test_a_silent_run_is_lost_and_can_go_on(studio, run):
    with studio.database.read() as session:
        training = trainings.get(session, run)
    later = utc_now() + timedelta(minutes=5)
    shown = training_views.run_view(training, 4, studio.data_dir, later)
    assert (shown["state"], shown["can_stop"], shown["can_resume"]) == ("lost", False, True)
    assert any("no sign of life since" in part for part in shown["line"])


def test_the_list_has_every_run_and_a_run_that_is_not_there_is_said(studio, run):
    view = ask(studio, 99)
    assert view["run"] is None
    assert "no training 99" in view["problem"]
    assert [one["id"] for one in view["runs"]] == [run]
    assert ask(studio, "1; drop")["run"] is None
    assert ask(studio, None)["problem"] == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5940, "99 min"),
        (12_000, "3 h 20 min"),
    ],
)
def test_a_duration_is_said_in_units_that_fit(seconds, words):
    assert words_for(timedelta(seconds=seconds)) == words


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 5000))
def test_a_long_curve_is_thinned_and_keeps_both_ends(count):
    points = [Point(step, "loss", float(step)) for step in range(count)]
    found = points_view(points).get("loss", [])
    assert len(found) <= training_views.MOST_POINTS + 1
    assert [point[0] for point in found] == sorted({point[0] for point in found})
    if count:
        assert (found[0][0], found[-1][0]) == (0, count - 1)


def test_a_figure_that_was_no_number_stays_a_gap():
    assert points_view([Point(1, "kl", None)]) == {"kl": [[1, None]]}


def test_rollouts_stand_under_their_steps_with_their_scores():
    chat = [{"role": "user", "content": "Which?"}]
    samples = [
        Sample(20, {"prompt": chat, "completion": "B", "reward": -1, "reward/format": 0.0}),
        Sample(10, {"prompt": "p", "text": "A", "rewards": {"published": 1.0}, "order": "AB"}),
        Sample(10, {"text": None, "verdict": None}),
    ]
    first, second = samples_view(samples)
    assert (first["step"], second["step"]) == (10, 20)
    assert first["items"][0]["scores"] == [["published", "+1", "is-exact"]]
    assert first["items"][1]["scores"] == [["verdict", "–", "is-plain"]]
    assert second["items"][0]["prompt"] == "[user]\nWhich?"
    assert second["items"][0]["scores"][0] == ["reward", "-1", "is-absent"]
    assert samples_view(samples, after_step=10) == [second]


def test_a_log_is_sent_as_it_grows_and_a_progress_bar_once(tmp_path):
    path = tmp_path / "log.txt"
    assert log_view(path, 0) == {"start": 0, "end": 0, "text": ""}
    path.write_bytes("one\n10%\r50%\r90%\ntwo é\n".encode())
    seen = log_view(path, 0)
    assert seen["text"] == "one\n90%\ntwo é\n"
    with path.open("a", encoding="utf-8") as file:
        file.write("three\n")
    assert log_view(path, seen["end"])["text"] == "three\n"
    path.write_bytes(b"x" * (training_views.LOG_BYTES + 50))
    late = log_view(path, 1)
    assert (late["start"], len(late["text"])) == (50, training_views.LOG_BYTES)
    path.write_bytes(b"anew")
    assert log_view(path, 500)["text"] == "anew"
