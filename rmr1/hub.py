"""Data sets on the Hugging Face Hub, fetched as Parquet files."""

import re
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of its HTTP client

from rmr1.errors import InputError

_NAME = re.compile(r"hub:([\w.\-]+/[\w.\-]+)(?::([\w.\-]+))?")
_PARQUET = "refs/convert/parquet"
"""The branch on which the Hub keeps every public data set as Parquet."""


def fetch(name: str) -> list[Path]:
    """Download a data set into the Hub's own cache.

    Args:
        name: `hub:OWNER/NAME`, or `hub:OWNER/NAME:SPLIT`; without a split, `train` where there is
            one, else all splits.

    Returns:
        The Parquet files, in order.

    Raises:
        InputError: the name is wrong, the Hub does not answer, or it has no such split.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise InputError(
            f"{name!r} is no data set's name: write hub:OWNER/NAME or hub:OWNER/NAME:SPLIT."
        )
    repository, split = match.groups()
    try:
        listed = HfApi().list_repo_files(repository, repo_type="dataset", revision=_PARQUET)
        files = split_files(listed, split)
        if not files:
            raise InputError(f"{repository!r} has no split {split!r} on the Hub.")
        return [
            Path(hf_hub_download(repository, file, repo_type="dataset", revision=_PARQUET))
            for file in files
        ]
    except (HTTPError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{repository!r} cannot be had from the Hub: {reason}.") from error


def split_files(listed: list[str], split: str | None) -> list[str]:
    """Choose one split's Parquet files, of the first configuration, out of a listing.

    Files there are named `configuration/split/0000.parquet`.
    """
    parts = [file.split("/") for file in sorted(listed) if file.endswith(".parquet")]
    parts = [part for part in parts if len(part) == 3]
    configurations = [part[0] for part in parts]
    first = "default" if "default" in configurations else min(configurations, default="")
    own = [part for part in parts if part[0] == first]
    wanted = split or ("train" if any(part[1] == "train" for part in own) else None)
    return ["/".join(part) for part in own if wanted in (None, part[1])]
