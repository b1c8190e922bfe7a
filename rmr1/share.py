"""A share of a count, with its 95 % interval."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many; no figures where `n` is 0.

    Attributes:
        share: `count` / `n`.
        low, high: the 95 % interval of Wilson.
    """

    count: int
    n: int
    share: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, count: int, n: int) -> "Share":
        """`count` of `n`.

        Source: E. B. Wilson, JASA 22 (1927); computed by statsmodels.
        """
        if not n:
            return cls(0, 0, None, None, None)
        # Imported late: statsmodels takes seconds, and most commands show no share.
        from statsmodels.stats.proportion import proportion_confint

        low, high = proportion_confint(count, n, method="wilson")
        exact = count / n  # rounding may leave an end of the interval on the wrong side of it
        return cls(count, n, exact, min(float(low), exact), max(float(high), exact))

    def __str__(self) -> str:
        """The share in per cent, its interval and `n`."""
        if self.share is None or self.low is None or self.high is None:
            return "none"
        low, high = f"{self.low:.1%}", f"{self.high:.1%}"
        return f"{self.share:.1%} ({low.rstrip('%')} to {high}, n = {self.n:,})"

    @property
    def rounded(self) -> str:
        """As the pages write it: whole per cents, with a blank before the sign."""
        if self.share is None or self.low is None or self.high is None:
            return ""
        line = f"{self.share:.0%} ({self.low:.0%} to {self.high:.0%}), n = {self.n:,}"
        return line.replace("%", " %")
