"""Train, validation and test: by the hash of a pair's prompt, so that every export splits alike."""

import hashlib
from typing import Literal, NamedTuple

Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Fractions(NamedTuple):
    """Shares of the splits; they add up to 1."""

    train: float = 0.9
    validation: float = 0.05
    test: float = 0.05


def split_of(prompt_hash: str, fractions: Fractions, seed: int = 0) -> Split:
    """The split that all pairs of a prompt belong to, in every export and data set.

    Args:
        prompt_hash: `Pair.prompt_hash`.
        fractions: adding up to 1.
    """
    lot = draw(f"{seed}:split", prompt_hash)
    if lot < fractions.train:
        return "train"
    return "validation" if lot < fractions.train + fractions.validation else "test"


def is_for_distillation(prompt_hash: str, share: float, seed: int = 0) -> bool:
    """Whether the training pairs of a prompt are kept for distillation; the others are for RL.

    Args:
        share: of the training pairs that distillation gets.
    """
    return draw(f"{seed}:stage", prompt_hash) < share


def draw(purpose: str, key: str) -> float:
    """A number in 0..1 that looks random and is always the same for the same arguments."""
    digest = hashlib.sha256(f"{purpose}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
