"""Dawid and Skene's own data through the consensus."""

from collections import Counter

import pytest

from storage.consensus import consensus
from storage.opinions import Opinion

ANAESTHETISTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343
1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222
1111111 1111111 2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343
2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
"""Table 1 of A. P. Dawid and A. M. Skene, Applied Statistics 28 (1979): 45 patients, whom the first
observer judged three times and four others once."""


def said(observer, patient, value):
    nothing = {"seconds": None, "queue_id": None, "strength": None, "shown_id": None}
    return Opinion(
        annotator=observer,
        pair_id=patient,
        prompt_hash=str(patient),
        random=True,
        blind=value,
        verdict=None,
        reasoning=None,
        final=value,
        event_id=0,
        **nothing,
    )


def test_dawid_skene_is_that_of_their_paper():
    pytest.importorskip("crowdkit")
    opinions = [
        said(observer, patient, value)
        for patient, values in enumerate(ANAESTHETISTS.split())
        for observer, value in zip("1112345", values, strict=True)
    ]
    found = consensus(opinions, "blind")
    classes = Counter(one.modelled for one in found.items)
    # Their marginal probabilities are .40, .42, .11 and .07 of the 45 patients.
    assert classes == {"1": 18, "2": 19, "3": 5, "4": 3}
    assert len(found.skills) == 5
    accuracies = [skill.accuracy.value for skill in found.skills]
    assert all(value is not None and 0.7 < value < 1 for value in accuracies)
