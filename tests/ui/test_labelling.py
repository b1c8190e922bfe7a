import gradio as gr

from rmr1.plan import Plan
from storage import activity, judgements, labels
from tests.replies import PAIR
from ui import labelling


def test_an_inspection_label_says_nothing_but_who_found_which_side_better(studio):
    with studio.database.write() as session:
        key = judgements.add(session, studio.judges["scripted"].judge(PAIR, Plan()))
    hostile = {"why": "random", "role": "admin", "queue_id": 2**70, "stage": "blind"}
    data = {"judgement": key, "value": "B", "key": "a key of mine", "annotator": "Eve"}
    receipt = labelling.inspect(studio.database, gr.EventData(None, {**data, **hostile}), "Ada")
    with studio.database.read() as session:
        (label,) = labels.current(session)
        (person,) = activity.people(session)
    assert person.role == "annotator"
    assert receipt["id"] == label.event_id
    assert (label.annotator, label.value, label.stage) == ("Ada", "B", "inspection")
    assert (label.why, label.inspection, label.queue_id) == ("", True, None)
