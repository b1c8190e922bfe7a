import random
from collections.abc import Iterator

import pytest

from rmr1.pair import Side
from training.leaks import LeakReport, Shown, scan

WORDS = [f"{start}{end}" for start in ("ba", "lo", "mira", "ruto", "te") for end in "bdfgklmnpr"]


def rows(count: int = 400, seed: int = 0) -> Iterator[tuple[str, str, str, Side]]:
    """Rows whose winner nothing tells."""
    lot = random.Random(seed)
    for _ in range(count):
        prompt, first, second = (" ".join(lot.choices(WORDS, k=12)) for _ in range(3))
        yield prompt, first, second, lot.choice(list(Side))


def blocking(shown: list[Shown]) -> list[str]:
    return [leak.feature for leak in scan(shown).blocking]


@pytest.mark.parametrize("seed", range(5))
def test_clean_rows_give_none(seed: int) -> None:
    report = scan(Shown(*row) for row in rows(seed=seed))
    assert report.leaks == []
    assert report.rows == 400
    assert report.features > 50
    assert report.first_wins == pytest.approx(0.5, abs=0.1)
    assert report.longer_wins == pytest.approx(0.5, abs=0.1)


def test_the_misspelt_speaker_of_one_side_is_found() -> None:
    shown = []
    for prompt, first, second, winner in rows(60):
        name = "Chabot B" if winner is Side.A else "Chatbot B"
        first = f"User: {prompt}\nChatbot A: {first}"
        shown.append(Shown("", first, f"User: {prompt}\n{name}: {second}", winner))
    report = scan(shown)
    found = {leak.feature: leak for leak in report.blocking}
    slip = found["the speaker Chabot"]
    assert slip.kind == "form"
    assert slip.share == 1.0
    assert slip.points_to == "the other side"
    assert slip.rows == sum(row.winner is Side.A for row in shown)


@pytest.mark.parametrize(
    ("mark", "feature"),
    [
        ("<im_start>user {}", "the marker <im_start>"),
        ("<|im_start|>user {}", "the marker <|im_start|>"),
        ("{}</s>", "the marker </s>"),
        ("[INST] {}", "the marker [INST]"),
        (" {}", "space at its start"),
        ("{}\n", "space at its end"),
        ("{}\u200b", "the character U+200B"),
        ("User: more\nAssistant: {}", "more turns than the other side"),
        ("zxqv {}", "zxqv"),
    ],
)
def test_a_planted_mark_of_the_loser_is_found(mark: str, feature: str) -> None:
    shown = []
    for number, (prompt, first, second, winner) in enumerate(rows(600)):
        sides = [first, second]
        if number % 3:
            loser = 1 if winner is Side.A else 0
            sides[loser] = mark.format(sides[loser])
        shown.append(Shown(prompt, sides[0], sides[1], winner))
    assert feature in blocking(shown)


def test_a_mark_that_both_sides_have_as_often_is_none() -> None:
    shown = []
    lot = random.Random(1)
    for prompt, first, second, winner in rows(600):
        sides = [first, second]
        at = lot.randrange(2)
        sides[at] += "<|im_end|>\n"
        shown.append(Shown(prompt, sides[0], sides[1], winner))
    assert scan(shown).leaks == []


def test_a_habit_of_words_is_told_but_does_not_block() -> None:
    shown = []
    lot = random.Random(2)
    for prompt, first, second, winner in rows(600):
        sides = [first, second]
        better = 0 if winner is Side.A else 1
        sides[better if lot.random() < 0.94 else 1 - better] += " certainly"
        shown.append(Shown(prompt, sides[0], sides[1], winner))
    (leak,) = scan(shown).leaks
    assert (leak.feature, leak.kind, leak.blocking) == ("certainly", "word", False)
    assert leak.points_to == "the side that has it"
    assert 0.9 < leak.share < 0.98


def test_winners_that_alternate_are_found() -> None:
    shown = [
        Shown(prompt, first, second, Side.B if number % 2 else Side.A)
        for number, (prompt, first, second, _) in enumerate(rows())
    ]
    assert {"every other row", "the winner of the row before"} <= set(blocking(shown))


def test_a_letter_that_goes_with_the_prompt_is_found() -> None:
    shown = [
        Shown(
            f"{'sums' if number % 4 else 'poems'} {prompt}",
            first,
            second,
            Side.A if number % 4 == 0 else winner,
        )
        for number, (prompt, first, second, winner) in enumerate(rows())
    ]
    found = [leak for leak in scan(shown).blocking if leak.kind == "row"]
    assert [leak.feature for leak in found] == ["around the responses: poems"]
    assert found[0].points_to == "A"


def test_a_leak_of_one_source_is_found_among_many() -> None:
    shown = []
    for number, (prompt, first, second, winner) in enumerate(rows(3_000)):
        sides = [first, second]
        rare = number % 20 == 0
        if rare or number % 2:
            loser = 1 if winner is Side.A else 0
            sides[loser if rare else (number // 2) % 2] += "\n#### 4"
        shown.append(Shown(prompt, sides[0], sides[1], winner, "sums" if rare else "talk"))
    (leak, *_) = scan(shown).leaks
    assert (leak.source, leak.rows) == ("sums", 150)
    assert leak.feature in {"####", "4"}


def test_nothing_gives_an_empty_report() -> None:
    assert scan([]) == LeakReport()
