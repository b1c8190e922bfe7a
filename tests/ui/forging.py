"""Calls as a client that is no browser makes them, in the name of whoever is signed in."""

import json
import uuid
from contextlib import contextmanager

import httpx

from storage.roles import Role

VISITOR, ANNOTATOR, LEAD, ADMIN = Role

PEOPLE = {"ann": ANNOTATOR, "lea": LEAD, "adi": ADMIN}
GOOD = "correct horse battery"


def name_of(page, fn):
    """An event by its element and kind; by its function where the element has no id."""
    block, kind = fn.targets[0]
    elem_id = getattr(page.blocks.get(block), "elem_id", None) if block is not None else None
    return f"{elem_id}.{kind}" if elem_id else fn.name


def handlers(page):
    return {
        index: name_of(page, fn)
        for index, fn in page.fns.items()
        if fn.fn and fn.targets[0][0] is not None
    }


@contextmanager
def client_of(address, name=None):
    with httpx.Client(base_url=address, timeout=60) as client:
        if name:
            answer = client.post("/sign-in", data={"name": name, "password": GOOD})
            assert answer.status_code == 303
        yield client


def forge(page, client, indices, sent=None, session=None):
    """Send events as a client that is no browser; what came back, as text, by index."""
    session = session or uuid.uuid4().hex
    waiting = {}
    for index in indices:
        fn = page.fns[index]
        event = {
            "fn_index": index,
            "data": [getattr(block, "value", None) for block in fn.inputs],
            "session_hash": session,
            "event_data": sent or {},
            "trigger_id": None,
        }
        answer = client.post("/gradio_api/queue/join", json=event)
        assert answer.status_code == 200, answer.text
        waiting[answer.json()["event_id"]] = index
    told = {}
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as stream:
        for line in stream.iter_lines():
            message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if message.get("msg") in ("process_generating", "process_completed"):
                index = waiting[message["event_id"]]
                told[index] = told.get(index, "") + json.dumps(message["output"])
            if message.get("msg") == "process_completed":
                del waiting[message["event_id"]]
                if not waiting:
                    break
    return told
