"""What anyone sees of two responses at a glance, and how far it tells which one people preferred.

People's single preferences are noisy. A pair whose label agrees with what a linear model of a few
plain observations expects is a clear one; a small judge learns more from few clear pairs than from
many that even people would label either way.
"""

import math
import re
from collections.abc import Sequence

from rmr1.pair import Pair
from training.phrases import refuses

_WORD = re.compile(r"[a-z]{4,}")


def observe(response: str, prompt: str) -> list[float]:
    """Length, refusal, question back, lines, words shared with the prompt, variety, a proper end.

    The length is a logarithm of words; the others are shares, or 0 and 1.
    """
    words = response.split()
    said, asked = (set(_WORD.findall(text.lower())) for text in (response, prompt))
    end = response.rstrip()[-1:]
    return [
        math.log1p(len(words)),
        float(refuses(response)),
        float(end == "?"),
        float(response.count("\n") > 2),
        len(said & asked) / (1 + len(asked)),
        len(set(words)) / (1 + len(words)),
        float(end in {".", "!", "?"}),
    ]


def clear_pairs(pairs: Sequence[Pair], least: float) -> set[str]:
    """Content hashes of the pairs whose label the observations support.

    A logistic regression (statsmodels) on the differences of `observe` is fitted to each subset
    by itself, since a refusal is right in one and wrong in another; a subset too small to be
    fitted has no clear pair.

    Args:
        pairs: the better side of each is known.
        least: probability that the fit must give to the label, above 0.5.
    """
    import numpy as np
    from statsmodels.discrete.discrete_model import Logit

    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.subset, []).append(pair)
    clear: set[str] = set()
    for group in groups.values():
        differences = np.array([_difference(pair) for pair in group])
        scale = differences.std(axis=0)
        used = scale > 0
        if len(group) < 50 * used.sum() or not used.any():
            continue  # too few to tell
        scaled = differences[:, used] / scale[used]
        # Better minus worse, and its mirror image: the fit has no side to prefer.
        both = np.concatenate([scaled, -scaled])
        labels = np.concatenate([np.ones(len(group)), np.zeros(len(group))])
        fit = Logit(labels, both).fit_regularized(alpha=1.0, disp=False)
        agreed = fit.predict(scaled) >= least
        clear |= {pair.content_hash for pair, yes in zip(group, agreed, strict=True) if yes}
    return clear


def _difference(pair: Pair) -> list[float]:
    assert pair.chosen
    better, worse = (
        observe(pair.response(side), pair.prompt) for side in (pair.chosen, pair.chosen.other)
    )
    return [one - other for one, other in zip(better, worse, strict=True)]
