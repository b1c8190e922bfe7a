"""Pairs whose worse response is worse by construction, to learn comparing from.

A small model that sees only close pairs finds nothing to compare. Beside a good response stand
here: the response to another prompt, its own beginning broken off, or one sentence over and over.
"""

import random
from collections.abc import Sequence
from typing import Literal

from rmr1.pair import Pair, Side

Fault = Literal["other", "cut", "loop"]
"""What is wrong with a response: it answers another prompt, breaks off, or repeats itself."""

_FEWEST_WORDS = 12
_REPETITIONS = 4


def easy_pair(pair: Pair, others: Sequence[str], seed: int) -> tuple[Pair, Fault] | None:
    """A pair of the better response and a spoilt one; None if the better one is too short.

    Args:
        pair: with its better side known, which stays on that side.
        others: responses to other prompts.
        seed: the same arguments give the same pair.
    """
    if pair.chosen is None:
        return None
    lot = random.Random(f"easy:{seed}:{pair.content_hash}")
    good = pair.response_a if pair.chosen is Side.A else pair.response_b
    fault: Fault = lot.choice(("other", "other", "cut", "loop"))
    words = good.split()
    if fault != "other" and len(words) < _FEWEST_WORDS:
        return None
    match fault:
        case "other":
            bad = lot.choice(others)
        case "cut":
            bad = " ".join(words[: max(3, int(len(words) * lot.uniform(0.15, 0.5)))])
        case "loop":
            bad = " ".join(
                [" ".join(words[: _FEWEST_WORDS // 2 + lot.randrange(6)])] * _REPETITIONS
            )
    if bad == good:
        return None
    side = "response_b" if pair.chosen is Side.A else "response_a"
    return pair.model_copy(update={side: bad, "id": f"{pair.id or ''}:{fault}"}), fault
