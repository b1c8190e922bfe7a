import socket

import pytest

from rmr1.errors import ConfigurationError
from ui.studio import build_page, launch


def test_no_event_of_the_page_is_a_public_endpoint(studio):
    page = build_page(studio)
    visible = [fn.api_name for fn in page.fns.values() if fn.api_visibility != "private"]
    assert visible == []


def test_element_ids_are_unique(studio):
    page = build_page(studio)
    ids = [block.elem_id for block in page.blocks.values() if getattr(block, "elem_id", None)]
    assert len(ids) == len(set(ids))


def test_no_text_of_the_database_stands_in_the_page_before_an_event_asks_for_it(studio):
    page = build_page(studio)
    assert len(str(page.config)) < 400_000


def test_a_port_in_use_is_said_in_a_sentence(studio):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="set RMR1_PORT"):
            launch(build_page(studio), studio, host="127.0.0.1", port=port, block=False)
