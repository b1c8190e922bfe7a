"""What pages do with labels: a hostile event becomes an entry, the entry a receipt."""

import gradio as gr

from rmr1.errors import RMR1Error
from storage import judgements, labels
from storage.database import Database
from storage.entries import LabelEntry
from ui.panels import payload
from ui.views import View


def inspect(database: Database, event: gr.EventData, name: str) -> View:
    """Store a label that was made with the verdict in view.

    Args:
        name: who made it.

    Returns:
        The receipt: number, time and value.
    """
    data = payload(event)
    try:
        with database.read() as session:
            pair_id = judgements.get(session, str(data.get("judgement"))).pair_id
        given = {name: data[name] for name in ("key", "value") if name in data}
        entry = LabelEntry.model_validate(
            {
                **given,
                "annotator": name,
                "pair_id": pair_id,
                "judgement_key": data.get("judgement"),
                "stage": "inspection",
                "action": "commit",
            }
        )
        receipt = labels.record(database, entry)
    except RMR1Error as error:
        raise gr.Error(str(error), print_exception=False) from error
    return {"id": receipt.id, "at": f"{receipt.at:%H:%M:%S}", "value": data.get("value")}
