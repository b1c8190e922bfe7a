"""The page: tabs in order, their state in the address, and how it is served."""

from collections.abc import Sequence

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from rmr1.errors import ConfigurationError
from ui import doors, http
from ui.agreement_tab import build_agreement_tab
from ui.annotate_tab import build_annotate_tab
from ui.benchmarks_tab import build_benchmarks_tab
from ui.benchmarks_tab import routes as benchmark_routes
from ui.compare_tab import build_compare_tab
from ui.context import Studio
from ui.data_tab import build_data_tab
from ui.explore_tab import build_explore_tab
from ui.gallery_tab import build_gallery_tab
from ui.judge_tab import build_judge_tab
from ui.judgement_tab import build_judgement_tab
from ui.panels import ASSETS, head, panel
from ui.people_tab import build_people_tab
from ui.queues_tab import build_queues_tab
from ui.rank_tab import build_rank_tab
from ui.theme import theme
from ui.train_tab import build_train_tab

__all__ = ["Studio", "build_page", "launch"]

TABS = (
    "judge",
    "gallery",
    "rank",
    "annotate",
    "queues",
    "explore",
    "judgement",
    "compare",
    "agreement",
    "train",
    "benchmarks",
    "data",
    "people",
)
LINKED = {"gallery": "gallery", "judgement": "judgement", "run": "train", "bench": "benchmarks"}
"""Names in an address, and the page that each is about."""


def build_page(studio: Studio) -> gr.Blocks:
    """Build the page; nothing runs until it is launched."""
    page = gr.Blocks(
        title="RM-R1 studio", fill_width=True, analytics_enabled=False, delete_cache=(3600, 86400)
    )
    with page:
        panel("masthead", elem_id="masthead")
        if studio.gate.mode == "oauth":
            gr.LoginButton(size="sm", elem_id="oauth")
        tabs = gr.Tabs(elem_id="tabs")
        with tabs:
            build_judge_tab(studio, page)
            build_gallery_tab(studio)
            build_rank_tab(studio, page)
            build_annotate_tab(studio)
            build_queues_tab(studio)
            build_explore_tab(studio)
            build_judgement_tab(studio)
            build_compare_tab(studio)
            build_agreement_tab(studio)
            build_train_tab(studio)
            build_benchmarks_tab(studio)
            build_data_tab(studio)
            build_people_tab(studio)
        page.load(
            open_tab, None, tabs, queue=False, show_progress="hidden", api_visibility="private"
        )
    page.queue(max_size=64, default_concurrency_limit=8, api_open=False)
    return page


def open_tab(request: gr.Request) -> gr.Tabs:
    """The tab that the address asks for; a link to a judgement or a run opens its page."""
    query = dict(request.query_params)
    named = [tab for name, tab in LINKED.items() if query.get(name)]
    asked = query.get("tab") or next(iter(named), "judge")
    return gr.Tabs(selected=asked if asked in TABS else "judge")


def launch(
    page: gr.Blocks,
    studio: Studio,
    *,
    host: str,
    port: int,
    allowed_hosts: frozenset[str] = frozenset(),
    routes: Sequence[BaseRoute] = (),
    block: bool = True,
) -> str:
    """Serve the page.

    Args:
        port: 0 takes a free one.
        allowed_hosts: further hosts whose pages may call this server.
        routes: further ones beside the page.
        block: wait until the server is stopped.

    Returns:
        The page's address.

    Raises:
        ConfigurationError: nothing can listen on that host and port.
    """
    try:
        _, url, _ = page.launch(
            server_name=host,
            server_port=port or None,
            prevent_thread_lock=not block,
            theme=theme(),
            css_paths=sorted(ASSETS.glob("*.css")),
            head=head(),
            favicon_path=ASSETS / "favicon.svg",
            footer_links=[],
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            show_error=False,
            quiet=True,
            max_file_size="200mb",
            allowed_paths=[],
            blocked_paths=[str(studio.data_dir.resolve())],
            state_session_capacity=500,
            _frontend=False,  # else a machine too busy to answer in 3 s is told to share itself
            app_kwargs={
                "middleware": [
                    Middleware(http.Guard, allowed_hosts=allowed_hosts),
                    Middleware(doors.Doors, studio=studio, allowed_hosts=allowed_hosts),
                ],
                "routes": [*http.routes(studio), *benchmark_routes(studio), *routes],
            },
        )
    except OSError as error:
        raise ConfigurationError(
            f"the page cannot be served on {host}:{port}: the port is in use, or not yours to use; "
            "set RMR1_PORT."
        ) from error
    return str(url)
