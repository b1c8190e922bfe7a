"""The Judge page: a pair in, a judgement written before one's eyes, a word of agreement out."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import gradio as gr
from pydantic import ValidationError

from rmr1.errors import InputError, RMR1Error, first_problem
from rmr1.judge import Judge
from rmr1.pair import Message, Pair, Side, read_transcript, transcript
from rmr1.plan import Plan
from rmr1.record import pair_from_record
from ui import hiding, labelling
from ui.access import Role, admit, name_for, require, spend
from ui.beside import with_beside
from ui.context import Studio
from ui.gallery_views import example_view
from ui.judging import judge_pair
from ui.panels import panel, payload, text
from ui.views import View

NO_EXAMPLE = "Load an example …"
STOPS = (0.9, 0.95, 0.99, 1.0)
NOBODY = "nobody"
"""In the form: no second judge."""

ALL_VOTES = 0.0
"""In the form: voting never stops early."""


@cache
def examples() -> dict[str, Pair]:
    """The example pairs that the studio ships, by title."""
    text = (resources.files("ui") / "examples.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    return {
        f"{record['title']} ({record['subset']})": pair_from_record({**record, "source": "example"})
        for record in records
    }


def read_pair(prompt: str, is_conversation: bool, response_a: str, response_b: str) -> Pair:
    """The pair that the form holds.

    Raises:
        InputError: a field is empty, or the conversation cannot be read.
    """
    if not prompt.strip():
        raise InputError("The prompt is empty: write or paste one, or load an example.")
    for side, response in (("A", response_a), ("B", response_b)):
        if not response.strip():
            raise InputError(f"Response {side} is empty: a judge compares two responses.")
    turns = read_transcript(prompt) if is_conversation else (Message(role="user", content=prompt),)
    for pair in examples().values():  # an example that was not touched keeps what is known of it
        if (pair.conversation, pair.response_a, pair.response_b) == (turns, response_a, response_b):
            return pair
    try:
        return Pair(
            conversation=turns, response_a=response_a, response_b=response_b, source="judge page"
        )
    except ValidationError as error:
        raise InputError(f"The pair cannot be used: {error.errors()[0]['msg']}.") from error


def load_example(title: str) -> tuple[str, bool, str, str]:
    """Prompt, whether it is a conversation, and both responses of an example."""
    pair = examples().get(title)
    if pair is None:
        return "", False, "", ""
    return transcript(pair.conversation), pair.is_multi_turn, pair.response_a, pair.response_b


def stop_choices(default: float | None) -> list[tuple[str, float]]:
    """When voting may stop; what the settings name is among the choices."""
    chances = sorted({*STOPS, default or STOPS[0]})
    return [("after all votes", ALL_VOTES), *((f"at {100 * one:g} %", one) for one in chances)]


class JudgeForm(NamedTuple):
    """The fields of the page, in their order."""

    prompt: str
    is_conversation: bool
    response_a: str
    response_b: str
    judge: str
    orders: str
    votes: int
    temperature: float
    max_tokens: int
    seed: int | None
    grammar: bool
    anew: bool
    stop_at: float = ALL_VOTES
    beside: str = NOBODY

    def pair(self) -> Pair:
        """The pair that it holds; raises as `read_pair` does."""
        return read_pair(self.prompt, self.is_conversation, self.response_a, self.response_b)

    def plan(self) -> Plan:
        """How the pair is to be judged.

        Raises:
            InputError: a field is out of its range.
        """
        names = ("orders", "votes", "temperature", "max_tokens", "grammar")
        values = {name: getattr(self, name) for name in names}
        try:
            early = {"stop_at": self.stop_at or None}
            return Plan.model_validate({**values, **early, "seed": self.seed or 0})
        except ValidationError as error:
            where, what = first_problem(error)
            raise InputError(f"The plan's {where}: {what}.") from error


def judge_form(
    studio: Studio, form: JudgeForm, allow: Callable[[int], None] = lambda _: None
) -> Iterator[View]:
    """Judge what the form holds.

    Args:
        allow: told how many rollouts it takes before the first; refuses by raising.

    Raises:
        InputError: a field cannot be used; the sentence names it.
    """
    judge = _judge(studio, form.judge)
    second = None if form.beside == NOBODY else _judge(studio, form.beside)
    pair = form.pair()
    plan, anew = form.plan(), bool(form.anew)
    its = studio.plans.get(form.beside, studio.plan).model_copy(update={"orders": plan.orders})
    allow(plan.size + (its.size if second else 0))
    view: View = {}
    for view in judge_pair(studio.database, judge, pair, plan, anew=anew):
        yield view
    if second is not None:
        yield from with_beside(studio.database, second, pair, its, view, anew=anew)


def _judge(studio: Studio, title: str) -> Judge:
    judge = studio.judges.get(title)
    if judge is None:
        raise InputError(f"There is no judge {title!r}: choose one of the list.")
    return judge


def build_judge_tab(studio: Studio, page: gr.Blocks) -> None:
    """Lay the page out and wire it; what is promoted elsewhere shows when it is opened again."""
    with gr.Tab("Judge", id="judge", elem_id="tab-judge") as tab:
        titles = list(studio.judges)
        default = gr.State(titles[0])
        plan = studio.plan
        with gr.Column(elem_classes="compose", elem_id="judge-form"):
            prompt = gr.Textbox(
                label="Prompt",
                lines=2,
                max_lines=12,
                elem_id="judge-prompt",
                placeholder="What was asked. For a conversation tick the box and begin turns with "
                "User: and Assistant:",
            )
            with gr.Row(equal_height=True):
                response_a, response_b = (
                    gr.Textbox(
                        label=f"Response {side}",
                        lines=4,
                        max_lines=14,
                        min_width=280,
                        elem_id=f"judge-{side.lower()}",
                    )
                    for side in Side
                )
        with gr.Row(elem_classes="actions"):
            go = gr.Button("Judge", variant="primary", scale=0, min_width=130, elem_id="judge-go")
            stop = gr.Button("Stop", scale=0, min_width=90, interactive=False, elem_id="judge-stop")
            example = gr.Dropdown(
                [NO_EXAMPLE, *examples()],
                value=NO_EXAMPLE,
                show_label=False,
                container=False,
                scale=1,
                min_width=230,
                interactive=True,
                elem_id="judge-example",
                label="Load an example",
            )
            conversation = gr.Checkbox(
                label="Conversation", scale=0, min_width=140, container=False, interactive=True
            )
        with gr.Accordion("Judge and plan", open=False, elem_id="judge-options"):
            with gr.Row():
                who = gr.Dropdown(titles, value=titles[0], label="Judge", interactive=True)
                orders = gr.Radio(
                    [("A first", "AB"), ("B first", "BA"), ("both", "both")],
                    value=plan.orders,
                    label="Order",
                    interactive=True,
                )
                votes = gr.Slider(
                    1, 8, plan.votes, step=1, label="Votes per order", interactive=True
                )
                stop_at = gr.Dropdown(
                    stop_choices(plan.stop_at),
                    value=plan.stop_at or ALL_VOTES,
                    label="Stop voting",
                    info="once the side ahead keeps its lead with this probability",
                    interactive=True,
                )
            with gr.Row():
                temperature = gr.Slider(
                    0, 1.5, plan.temperature, step=0.1, label="Temperature", interactive=True
                )
                max_tokens = gr.Slider(
                    64, 8192, plan.max_tokens, step=64, label="Budget in tokens", interactive=True
                )
                seed = gr.Number(plan.seed, precision=0, minimum=0, label="Seed", interactive=True)
            with gr.Row():
                beside = gr.Dropdown(
                    [NOBODY, *titles],
                    value=NOBODY,
                    label="Beside it",
                    info="a second judge on the same pair: a bare score, or a verdict alone",
                    interactive=True,
                    elem_id="judge-beside",
                )
                grammar = gr.Checkbox(plan.grammar, label="Hold to the grammar", interactive=True)
                anew = gr.Checkbox(False, label="Judge anew", interactive=True)
        case = panel(
            "judge",
            ("inspect", "example"),
            elem_id="judge-case",
            value={"examples": list(examples())[:4], "shown": example_view()},
        )

        def plan_of(title: str, request: gr.Request) -> tuple[int, bool]:
            require(studio, request, Role.VISITOR)
            its = studio.plans.get(title, studio.plan)
            return its.max_tokens, its.grammar

        def look_again(
            chosen: str, default: str, second: str, request: gr.Request
        ) -> tuple[dict[str, Any], str, dict[str, Any]]:
            """The judges of now; the choice follows a new default, and else stays."""
            require(studio, request, Role.VISITOR)
            now = list(studio.judges)
            stays = chosen in now and now[0] == default
            others = gr.update(choices=[NOBODY, *now], value=second if second in now else NOBODY)
            return gr.update(choices=now, value=chosen if stays else now[0]), now[0], others

        def run(request: gr.Request, *fields: Any) -> Iterator[View]:
            try:
                who = admit(studio, request, Role.VISITOR)
                form = JudgeForm(*fields)
                hiding.refuse_pairs(studio.database, who, [form.pair()])
                if who.role is Role.VISITOR:
                    form = form._replace(max_tokens=min(form.max_tokens, studio.plan.max_tokens))
                yield from judge_form(
                    studio, form, lambda rollouts: spend(studio, request, who, rollouts)
                )
            except RMR1Error as error:
                raise gr.Error(str(error), print_exception=False) from error

        def chosen_example(
            event: gr.EventData, request: gr.Request
        ) -> tuple[str, str, bool, str, str]:
            require(studio, request, Role.VISITOR)
            title = text(event, "title")
            return title if title in examples() else NO_EXAMPLE, *load_example(title)

        def example_of(title: str, request: gr.Request) -> tuple[str, bool, str, str]:
            require(studio, request, Role.VISITOR)
            return load_example(title)

        def inspect(view: View, event: gr.EventData, request: gr.Request) -> View:
            who = require(studio, request, Role.ANNOTATOR)
            name = name_for(studio, who, payload(event).get("annotator"))
            if closed := hiding.closed(studio.database, who, text(event, "judgement")):
                raise gr.Error(closed["problem"], print_exception=False)
            receipt = labelling.inspect(studio.database, event, name)
            return {**view, "receipt": receipt}

        pair_form = [prompt, conversation, response_a, response_b]
        form = [*pair_form, who, orders, votes, temperature, max_tokens, seed, grammar, anew]
        form += [stop_at, beside]
        running = go.click(
            run,
            form,
            case,
            concurrency_id="model",
            concurrency_limit=2,
            show_progress="hidden",
            api_visibility="private",
        )
        stop.click(None, js="() => RMR.stopJudging()", cancels=[running], show_progress="hidden")
        case.example(
            chosen_example,
            None,
            [example, *pair_form],
            show_progress="hidden",
            api_visibility="private",
        ).then(None, js="() => document.getElementById('judge-go').click()")
        who.input(
            plan_of,
            who,
            [max_tokens, grammar],
            show_progress="hidden",
            api_visibility="private",
        )
        gr.on(
            [page.load, tab.select],
            look_again,
            [who, default, beside],
            [who, default, beside],
            queue=False,  # whoever leaves at once would break off a queued answer
            show_progress="hidden",
            api_visibility="private",
        )
        example.input(
            example_of,
            example,
            pair_form,
            js="(title) => { RMR.foldForm(false); return [title]; }",
            show_progress="hidden",
            api_visibility="private",
        )
        case.inspect(
            inspect,
            case,
            case,
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
            api_visibility="private",
        )
