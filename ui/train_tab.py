"""The Train page: data, recipe, run, adapter, in the order in which one follows the other."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from rmr1.errors import InputError, RMR1Error
from rmr1.prompt import profile_names
from storage import adapters, trainings
from ui import adapter_views, train_forms, training_views
from ui.access import Role, admit, name_for
from ui.context import Studio
from ui.panels import panel, payload
from ui.trainer import TrainingCommand
from ui.views import View

NO_TRAINING = "This studio was started without a training room: it shows runs, and starts none."


def choices(studio: Studio) -> View:
    """What the data card offers."""
    return {
        "snapshots": train_forms.snapshots_view(studio.database),
        "datasets": train_forms.datasets_view(studio.data_dir),
        "profiles": list(profile_names()),
    }


def count(studio: Studio, form: dict[str, Any]) -> View:
    """What a data set of the form's snapshot would hold."""
    counted = train_forms.preview(studio.database, studio.data_dir, form)
    return {**choices(studio), "counted": counted, "asked": form.get("asked")}


def freeze(studio: Studio, form: dict[str, Any]) -> View:
    """Freeze the labels of now."""
    made = train_forms.freeze(studio.database, form)
    said = f"“{made.name}” is frozen: {made.counts.pairs:,} pairs."
    return {**choices(studio), "snapshot": made.name, "said": said}


def make(studio: Studio, form: dict[str, Any]) -> View:
    """Make a data set of the form's snapshot."""
    made = train_forms.make(studio.database, studio.data_dir, form)
    return {**choices(studio), "dataset": made["id"], "said": f"“{made['name']}” is made."}


def training_room(studio: Studio) -> TrainingCommand:
    """How training is called.

    Raises:
        InputError: this studio has no training room.
    """
    if studio.training is None:
        raise InputError(NO_TRAINING)
    return studio.training


def recipes(studio: Studio) -> View:
    """What the recipe card offers."""
    # Those of the embedded model first: they run wherever the studio does.
    found = sorted(
        training_room(studio).recipes(), key=lambda one: not one.name.startswith("embedded")
    )
    return {
        "recipes": [train_forms.recipe_view(recipe) for recipe in found],
        "adapters": train_forms.adapters_to_go_on_from(studio.database),
    }


def start(studio: Studio, form: dict[str, Any]) -> View:
    """Start the form's run."""
    return {"run": train_forms.start(training_room(studio), studio.database, form)}


def start_line(studio: Studio, form: dict[str, Any]) -> View:
    """The form's run as a command line."""
    return {"line": train_forms.start_line(training_room(studio), studio.database, form)}


def stop(studio: Studio, asked: dict[str, Any]) -> View:
    """Ask the chosen run to stop."""
    problem = ""
    try:
        with studio.database.write() as session:
            trainings.ask_to_stop(session, _run_id(asked))
    except RMR1Error as error:
        problem = str(error)
    return training_views.page_view(studio.database, studio.data_dir, _since(asked), problem)


def resume(studio: Studio, asked: dict[str, Any]) -> View:
    """Let the chosen run go on from its last checkpoint."""
    problem = ""
    try:
        training_room(studio).resume(_run_id(asked))
    except RMR1Error as error:
        problem = str(error)
    return training_views.page_view(studio.database, studio.data_dir, _since(asked), problem)


def _run_id(asked: dict[str, Any]) -> int:
    run_id = asked.get("run")
    if not isinstance(run_id, int):
        raise InputError("Which run is meant was not said.")
    return run_id


def _since(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "fresh": True, "after": -1, "samples": -1, "log": 0}


def register(studio: Studio, asked: dict[str, Any]) -> str:
    """Put the adapter of a run on record.

    Returns:
        A sentence for the person.

    Raises:
        InputError: the run has left no adapter, or the name cannot be one.
    """
    name = str(asked.get("name") or "").strip()
    with studio.database.write() as session:
        adapter_id = adapters.register_of_run(session, _run_id(asked), name)
        return f"{adapters.get(session, adapter_id).version} is registered."


def promote(studio: Studio, asked: dict[str, Any]) -> str:
    """Let an adapter judge from now on.

    Returns:
        A sentence for the person.

    Raises:
        InputError: the adapter is not named, nobody is, or its files are gone.
        RecordNotFound: there is no such adapter.
    """
    adapter_id = asked.get("adapter")
    if not isinstance(adapter_id, int):
        raise InputError("Which adapter is to be promoted was not said.")
    with studio.database.write() as session:
        made = adapters.promote(session, adapter_id, str(asked.get("by") or ""))
    list(studio.judges)  # the look converts it: now, so that nobody asks the former judge meanwhile
    return f"{made.adapter.version if made.adapter else 'The base model'} judges from now on."


def roll_back(studio: Studio, asked: dict[str, Any]) -> str:
    """Let the adapter judge that did before.

    Returns:
        A sentence for the person.

    Raises:
        InputError: nothing was promoted before, or nobody is named.
    """
    with studio.database.write() as session:
        made = adapters.rollback(session, str(asked.get("by") or ""))
    judging = made.adapter.version if made.adapter else "the judge of the settings"
    return f"Rolled back: {judging} judges."


def runs(studio: Studio, asked: dict[str, Any]) -> View:
    """The runs and, of the chosen one, what the page has not seen yet."""
    return training_views.page_view(studio.database, studio.data_dir, asked)


def adapters_after(
    studio: Studio, asked: dict[str, Any], act: Callable[[Studio, dict[str, Any]], str]
) -> View:
    """The adapters as they are once `act` is done or refused, and what it says."""
    said = problem = ""
    try:
        said = act(studio, asked)
    except RMR1Error as error:
        problem = str(error)
    return adapter_views.adapters_view(studio.database, studio.data_dir, said, problem)


def _answers(studio: Studio) -> dict[str, dict[str, Callable[[dict[str, Any]], View]]]:
    """What each panel asks for, by painter and event."""
    return {
        "trainData": {
            "open": lambda _: choices(studio),
            "count": lambda form: count(studio, form),
            "freeze": lambda form: freeze(studio, form),
            "make": lambda form: make(studio, form),
        },
        "trainRecipe": {
            "open": lambda _: recipes(studio),
            "line": lambda form: start_line(studio, form),
            "start": lambda form: start(studio, form),
        },
        "trainRun": {
            "open": lambda asked: runs(studio, asked),
            "poll": lambda asked: runs(studio, asked),
            "stop": lambda asked: stop(studio, asked),
            "resume": lambda asked: resume(studio, asked),
        },
        "trainAdapters": {
            "open": lambda asked: adapters_after(studio, asked, lambda *_: ""),
            "register": lambda asked: adapters_after(studio, asked, register),
            "promote": lambda asked: adapters_after(studio, asked, promote),
            "rollback": lambda asked: adapters_after(studio, asked, roll_back),
        },
    }


def build_train_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the scripts ask for what the address says."""
    answers = _answers(studio)
    with (
        gr.Tab("Train", id="train", elem_id="tab-train"),
        gr.Column(elem_id="train-page"),
    ):
        with gr.Row(elem_classes="train-setup"):
            panels = {
                name: panel(name, tuple(answers[name]), elem_id=id)
                for name, id in (("trainData", "train-data"), ("trainRecipe", "train-recipe"))
            }
        for name, id in (("trainRun", "train-run"), ("trainAdapters", "train-adapters")):
            panels[name] = panel(name, tuple(answers[name]), elem_id=id)
    for name, made in panels.items():
        for event, answer in answers[name].items():
            getattr(made, event)(
                _heard(studio, answer),
                None,
                made,
                queue=event != "poll",
                show_progress="hidden",
                trigger_mode="multiple",
                concurrency_limit=None,
                api_visibility="private",
            )


def _heard(
    studio: Studio, answer: Callable[[dict[str, Any]], View]
) -> Callable[[gr.EventData, gr.Request], View]:
    """The answer to an event, or why there is none."""

    def hear(event: gr.EventData, request: gr.Request) -> View:
        asked = payload(event)
        try:
            who = admit(studio, request, Role.LEAD)
            return answer({**asked, "by": name_for(studio, who, asked.get("by"))})
        except RMR1Error as error:
            return {"error": str(error)}

    return hear
