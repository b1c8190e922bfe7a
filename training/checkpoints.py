"""What a run leaves on disk: its result, and checkpoints, of which some are whole."""

import re
import shutil
from pathlib import Path

ADAPTER = "adapter"
"""Folder in a run's folder that holds what it made: an adapter, or all weights."""

FOLDER = "checkpoints"
_MARK = "whole"
_NAME = re.compile(r"checkpoint-(\d+)")


def mark_whole(checkpoint: Path) -> None:
    """Note that everything of a checkpoint is written."""
    (checkpoint / _MARK).touch()


def last_whole(run_folder: Path) -> Path | None:
    """The newest checkpoint that is whole; what a kill left half written is removed."""
    found = []
    for path in (run_folder / FOLDER).glob("checkpoint-*"):
        if not (path / _MARK).exists():
            shutil.rmtree(path)
        elif match := _NAME.fullmatch(path.name):
            found.append((int(match[1]), path))
    return max(found, default=(0, None))[1]
