"""The reasoning reward model: pair, prompt, backends, trace, judge."""
