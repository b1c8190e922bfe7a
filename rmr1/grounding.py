"""Quotations looked up in the responses that they claim to quote."""

from dataclasses import dataclass
from enum import StrEnum

from rmr1.pair import Side


class Match(StrEnum):
    """How a quotation stands in the response."""

    EXACT = "exact"
    NEAR = "near"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class GroundedQuote:
    """A quotation and the passage that it was found in.

    Attributes:
        side: the response it names, as the pair's own side (not the letter the judge saw).
        start: where the passage starts in that response, in code points; None when absent.
        end: where it ends (exclusive); None when absent.
        score: likeness in 0..1; 1 is exact.
        differences: for a near match, runs of words as ("same" | "quote" | "response", text):
            what only the quotation says and what only the response says.
    """

    side: Side
    text: str
    match: Match
    start: int | None = None
    end: int | None = None
    score: float = 1.0
    differences: tuple[tuple[str, str], ...] = ()
