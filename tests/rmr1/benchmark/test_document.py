import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.benchmark.document import Block, Grid, Heading, Paragraph, Points, html_page, markdown

HOSTILE = st.text(alphabet="<>&\"'|`*_[]()#!~\\\n ab:/w.1-", max_size=30)


def blocks(text: str) -> list[Block]:
    return [
        Heading(2, text),
        Paragraph(text),
        Points([text]),
        Grid(("a", text), [(text, "1"), ("b", text)], frozenset({1})),
    ]


def test_blocks_become_markdown() -> None:
    shown = markdown(
        [
            Heading(1, "Title"),
            Paragraph("91.4 (90.1 to 92.5)"),
            Points(["one", "two"]),
            Grid(("Judge", "Share"), [("ours", "1"), ("theirs", "")], frozenset({0})),
        ]
    )
    assert shown == (
        "# Title\n\n91.4 (90.1 to 92.5)\n\n- one\n- two\n\n"
        "| Judge | Share |\n| --- | ---: |\n| **ours** | **1** |\n| theirs |  |\n"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>", "&lt;b&gt;"),
        ("a|b", r"a\|b"),
        ("[x](y)", r"\[x\](y)"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("# no heading", r"\# no heading"),
        ("two\nlines", "two lines"),
        ("see https://x.y", "see https&#58;//x.y"),
        ("RM_R1", r"RM\_R1"),
    ],
)
def test_a_text_stays_a_text_in_markdown(text: str, shown: str) -> None:
    assert markdown([Paragraph(text)]) == shown + "\n"


@settings(max_examples=60, derandomize=True, deadline=None)
@given(HOSTILE)
def test_no_text_becomes_a_tag_or_a_cell(text: str) -> None:
    made = markdown(blocks(text))
    assert "<" not in made
    rows = [line for line in made.splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3 for row in rows)
    assert len(made.splitlines()) == 1 + 1 + 1 + 1 + 1 + 1 + 4


@settings(max_examples=60, derandomize=True, deadline=None)
@given(HOSTILE)
def test_a_page_holds_the_text_and_only_our_tags(text: str) -> None:
    plain = html_page("t", blocks("x"))
    made = html_page("t", blocks(text))
    assert re.findall(r"<[^>]*>", made) == re.findall(r"<[^>]*>", plain)
    assert html.unescape(made).count(text) >= 5 or not text
