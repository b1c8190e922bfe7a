"""The Rank page: two to eight responses to one prompt, compared pair by pair and ranked."""

from collections.abc import Iterator

import gradio as gr

from rmr1.errors import RMR1Error
from ui import hiding, ranking
from ui.access import Role, admit, require, spend
from ui.context import Studio
from ui.panels import panel, payload
from ui.views import View


def build_rank_tab(studio: Studio, page: gr.Blocks) -> None:
    """Lay the page out and wire it; the form is the panel's own."""
    with gr.Tab("Rank", id="rank", elem_id="tab-rank") as tab:
        form = panel("rank", ("rank", "stop"), elem_id="rank-form")
        shown = panel("ranking", elem_id="rank-result")

    def choices(request: gr.Request) -> View:
        require(studio, request, Role.VISITOR)
        return {"judges": list(studio.judges), "most": ranking.MOST}

    def rank(event: gr.EventData, request: gr.Request) -> Iterator[View]:
        plans = {title: studio.plans.get(title, studio.plan) for title in studio.judges}
        try:
            who = admit(studio, request, Role.VISITOR)
            yield from ranking.rank_form(
                studio.database,
                studio.judges,
                plans,
                payload(event),
                lambda rollouts: spend(studio, request, who, rollouts),
                lambda pairs: hiding.refuse_pairs(studio.database, who, pairs),
            )
        except RMR1Error as error:
            raise gr.Error(str(error), print_exception=False) from error

    gr.on(
        [page.load, tab.select],
        choices,
        None,
        form,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    running = form.rank(
        rank,
        None,
        shown,
        concurrency_id="model",
        show_progress="hidden",
        api_visibility="private",
    )
    form.stop(None, cancels=[running], show_progress="hidden", api_visibility="private")
