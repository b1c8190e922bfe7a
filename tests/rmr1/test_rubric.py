import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.rubric import Criterion, read_criteria, weights_add_up, weights_note

HALVES = [("Accuracy", 0.4), ("Clarity", 0.6)]
FORMS = {
    "percent in brackets": "1. Accuracy (40%): right\n2. Clarity (60%): clear",
    "no space": "1.Accuracy(40%):right\n2.Clarity(60%):clear",
    "square brackets": "1. Accuracy [40%]\n2. Clarity [60%]",
    "points": "- Accuracy (40 points): right\n- Clarity (60 pts): clear",
    "bare numbers": "1) Accuracy (4)\n2) Clarity (6)",
    "decimal": "* **Accuracy** (0.4): right\n* **Clarity** (0.6): clear",
    "decimal comma": "a) Accuracy (0,4)\nb) Clarity (0,6)",
    "dash and decimal": "**Accuracy** – 0.4\n**Clarity** – 0.6",
    "labelled at the end": "Accuracy: right? (weight: 0.4)\nClarity: clear? (weight: 0.6)",
    "labelled in brackets": "1. Accuracy (Weight: 40%)\n2. Clarity (60% of the weight)",
    "weight first": "40% - Accuracy: right\n60% - Clarity: clear",
    "weight first in bullets": "* 40% Accuracy\n* 60% Clarity",
    "weight as heading": "- **Weight 40%**: Accuracy\n- **Weight 60%**: Clarity",
    "fraction": "1. Accuracy, weight 2/5: right\n2. Clarity, weight 3/5: clear",
    "after the colon": "Accuracy: 40%\nClarity: 60%",
    "after the colon, then text": "1. Accuracy: (40%) right\n2. Clarity: 60% - clear",
    "after a dash": "1. Accuracy – 40%: right\n2. Clarity — 60%: clear",
    "on its own line": "1. Accuracy\n   Weight: 40%\n2. Clarity\n   - Weight: 60%",
    "headings": "### 1. Accuracy (40%)\nright\n\n### 2. Clarity (60%)\nclear",
    "bold with its number": "**1. Accuracy (40%)** right\n**2. Clarity (60%)** clear",
    "named criteria": "Criterion 1: Accuracy (40%) - right\nCriterion 2: Clarity (60%) - clear",
    "items": "<item>Accuracy (40%): right</item>\n<item>Clarity (60%): clear</item>",
    "an introduction": "My criteria:\n- Accuracy (40%): a\n- Clarity (60%): b\n\nThis makes 100%.",
    "subordinate weights": "1. Accuracy (40%)\n   - facts (30%)\n   - sums (10%)\n2. Clarity (60%)",
    "a table": "|Criterion|Weight|Why|\n|---|---|---|\n|Accuracy|40%|a|\n|**Clarity**|60%|b|",
    "a numbered table": "|#|Name|Weight|\n|-|-|-|\n|1|Accuracy|0.4|\n|2|Clarity|0.6|",
    "prose": "I weigh accuracy... no: Accuracy at 40%, and Clarity at 60%.",
    "prose, weight first": "40% for Accuracy and 60% for Clarity",
    "prose in brackets": "What counts: Accuracy (40%), then Clarity (60%).",
    "units mixed": "1. Accuracy (40%)\n2. Clarity (0.6)",
    "points beside percent": "1. Accuracy (40%)\n2. Clarity (60 points)",
}


@pytest.mark.parametrize("form", FORMS)
def test_weights_are_read_in_every_form(form: str) -> None:
    criteria = read_criteria(FORMS[form])
    assert [(c.name, c.share) for c in criteria] == [
        (name, pytest.approx(share)) for name, share in HALVES
    ]


def test_a_weight_is_kept_as_it_is_written() -> None:
    percent, fraction, points = read_criteria("1. A (40 %)\n2. B (weight: 0.3)\n3. C [30 points]")
    assert (percent.weight_text, percent.weight) == ("40 %", 40.0)
    assert (fraction.weight_text, fraction.weight) == ("weight: 0.3", 0.3)
    assert (points.weight_text, points.weight) == ("30 points", 30.0)


def test_what_a_criterion_asks_is_kept_whole() -> None:
    first, second = read_criteria("1. Accuracy (40%): right?\n   - no slips\n\n2. Clarity: b (c)")
    assert first.text == "right?\n   - no slips"
    assert second == Criterion(name="Clarity", text="b (c)")


NO_WEIGHT = {
    "1. Accuracy: Is it right?\n2. Clarity: Is it clear?": ["Accuracy", "Clarity"],
    "1. Accuracy (high): a\n2. Clarity (low): b": ["Accuracy (high)", "Clarity (low)"],
    "1. Accuracy: at least 80% of claims hold": ["Accuracy"],
    "1. Accuracy: 80% of the claims hold": ["Accuracy"],
    "1. Dates (1998) are right: a": ["Dates (1998) are right"],
    "- **Accuracy**\n- **Clarity**": ["Accuracy", "Clarity"],
    "Accuracy: is it right?\nClarity: is it clear?": ["Accuracy", "Clarity"],
    "1. Accuracy (40": ["Accuracy (40"],
    "The better response is right and clear.": [],
    "Note: be kind.": [],
    "": [],
}


@pytest.mark.parametrize("text", NO_WEIGHT)
def test_no_weight_is_made_up(text: str) -> None:
    criteria = read_criteria(text)
    assert [c.name for c in criteria] == NO_WEIGHT[text]
    assert all((c.weight, c.weight_text, c.share) == (None, None, None) for c in criteria)
    assert weights_add_up(criteria) is None
    assert weights_note(criteria) == ""


SUMS = {
    "1. A (40%)\n2. B (60%)": (True, ""),
    "1. A (0.333)\n2. B (0.333)\n3. C (0.334)": (True, ""),
    "1. A (40 points)\n2. B (60 points)": (True, ""),
    "1. A (3 points)\n2. B (2 points)": (None, ""),
    "1. A (40%)\n2. B (70%)": (False, "add up to 110 % instead of 100 %"),
    "1. A (40%)\n2. B": (False, "1 of 2 criteria has no weight; the rest adds up to 40 %"),
    "1. A (40%)\n2. B\n3. C": (False, "2 of 3 criteria have no weight"),
    "1. A (5/5)\n2. B (4/5)": (False, "add up to 180 %"),
}


@pytest.mark.parametrize("text", SUMS)
def test_a_rubric_whose_weights_do_not_add_up_says_so(text: str) -> None:
    whole, note = SUMS[text]
    criteria = read_criteria(text)
    assert weights_add_up(criteria) is whole
    assert note in weights_note(criteria)
    assert bool(note) is bool(weights_note(criteria))


def test_weights_of_zero_have_no_shares() -> None:
    assert [c.share for c in read_criteria("1. A (0%)\n2. B (0%)")] == [None, None]


WEIGHTS = ["(40%)", "[", "0.3", "2/5", "1/0", "30 points", "weight: ", "weight ", "５％"]
MARKS = ["1. ", "2) ", "- ", "**", ":", " – ", "\n", "  ", "|", "|---|", "for ", "and ", "Accuracy"]
PIECES = st.sampled_from([*WEIGHTS, *MARKS])


@given(st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join))
@settings(max_examples=400, derandomize=True, deadline=None)
def test_shares_of_any_text_add_up_to_one_or_are_not_there(text: str) -> None:
    criteria = read_criteria(text)
    shares = [c.share for c in criteria if c.share is not None]
    assert not shares or sum(shares) == pytest.approx(1)
    assert all((c.weight is None) == (c.weight_text is None) for c in criteria)
    assert isinstance(weights_note(criteria), str)
