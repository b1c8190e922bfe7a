"""Scripts that measure, each printing ratios against a named baseline."""
