"""The Benchmarks page: runs beside the paper's tables, and the form that starts one."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rmr1.benchmark.document import html_page, markdown
from rmr1.benchmark.report import TITLE, report
from rmr1.errors import InputError, RecordNotFound, RMR1Error
from storage import benchmark_runs, benchmarks
from ui import benchmark_forms
from ui.access import Role, admit, name_for, require_on_route
from ui.benchmarks_views import page_view, rule_of
from ui.context import Studio
from ui.panels import panel, payload
from ui.scaling_section import build_scaling_section
from ui.views import View

Answer = Callable[[dict[str, Any]], View]

_KINDS = {"md": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8"}


def stop(studio: Studio, asked: dict[str, Any]) -> View:
    """Ask the chosen run to stop."""
    return _after(studio, asked, lambda run_id: _ask_to_stop(studio, run_id))


def resume(studio: Studio, asked: dict[str, Any]) -> View:
    """Let the chosen run go on."""
    return _after(studio, asked, lambda run_id: benchmark_forms.resume(studio, run_id))


def _ask_to_stop(studio: Studio, run_id: int) -> None:
    with studio.database.write() as session:
        benchmark_runs.ask_to_stop(session, run_id)


def _after(studio: Studio, asked: dict[str, Any], act: Callable[[int], None]) -> View:
    problem = ""
    try:
        run_id = asked.get("run")
        if not isinstance(run_id, int):
            raise InputError("Which run is meant was not said.")
        act(run_id)
    except RMR1Error as error:
        problem = str(error)
    view = page_view(studio.database, asked)
    return view | {"problem": problem or view["problem"]}


def build_benchmarks_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the scripts ask for what the address says."""
    answers: dict[str, dict[str, tuple[Role, Answer]]] = {
        "benchmarks": {
            "open": (Role.VISITOR, lambda asked: page_view(studio.database, asked)),
            "poll": (Role.VISITOR, lambda asked: page_view(studio.database, asked)),
            "stop": (Role.LEAD, lambda asked: stop(studio, asked)),
            "resume": (Role.LEAD, lambda asked: resume(studio, asked)),
        },
        "benchmarkForm": {
            "open": (Role.LEAD, lambda _: benchmark_forms.choices(studio)),
            "line": (
                Role.LEAD,
                lambda form: {"line": benchmark_forms.command_line(studio, form)},
            ),
            "start": (Role.LEAD, lambda form: {"run": benchmark_forms.start(studio, form)}),
        },
    }
    with (
        gr.Tab("Benchmarks", id="benchmarks", elem_id="tab-benchmarks"),
        gr.Column(elem_id="benchmarks-page"),
    ):
        panels = {
            "benchmarks": panel("benchmarks", tuple(answers["benchmarks"]), elem_id="benchmarks"),
            "benchmarkForm": panel(
                "benchmarkForm", tuple(answers["benchmarkForm"]), elem_id="benchmark-form"
            ),
        }
        build_scaling_section(studio)
    for name, made in panels.items():
        for event, (role, answer) in answers[name].items():
            getattr(made, event)(
                _heard(studio, role, answer),
                None,
                made,
                queue=event != "poll",
                show_progress="hidden",
                trigger_mode="multiple",
                concurrency_limit=None,
                api_visibility="private",
            )


def _heard(
    studio: Studio, role: Role, answer: Answer
) -> Callable[[gr.EventData, gr.Request], View]:
    """The answer to an event, or why there is none."""

    def hear(event: gr.EventData, request: gr.Request) -> View:
        asked = payload(event)
        try:
            who = admit(studio, request, role)
            return answer({**asked, "by": name_for(studio, who, asked.get("by"))})
        except RMR1Error as error:
            return {"error": str(error)}

    return hear


def routes(studio: Studio) -> list[Route]:
    """`/benchmarks/report.{md,html}?run=1&run=2&rule=published`: the report of some runs."""

    def download(request: Request) -> Response:
        require_on_route(studio, request, Role.VISITOR)
        kind = request.path_params["kind"]
        asked = [text for text in request.query_params.getlist("run") if text.isdecimal()][:50]
        if kind not in _KINDS or not asked:
            return JSONResponse({"error": "There is no such report."}, status_code=404)
        rule = rule_of(request.query_params.get("rule"))
        try:
            with studio.database.read() as session:
                for run_id in asked:
                    benchmark_runs.get(session, int(run_id))
                scores = [benchmarks.scored(session, int(run_id), rule) for run_id in asked]
        except (InputError, RecordNotFound, OverflowError) as error:
            return JSONResponse({"error": str(error)}, status_code=404)
        blocks = report(scores)
        text = html_page(TITLE, blocks) if kind == "html" else markdown(blocks)
        headers = {"content-disposition": f'attachment; filename="benchmarks.{kind}"'}
        return Response(text, media_type=_KINDS[kind], headers=headers)

    return [Route("/benchmarks/report.{kind}", download)]
