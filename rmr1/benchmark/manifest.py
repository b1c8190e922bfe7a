"""What a run was asked to judge, kept beside the file of its judgements."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SUFFIX = ".run.json"


class Manifest(BaseModel):
    """What a run was asked to judge, for whoever reads its scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    data: str
    sample: int | None = Field(description="prompts asked for; None for all")
    seed: int
    prompts: int = Field(description="to be judged")
    pairs: int
    all_prompts: int = Field(description="in the data")
    all_pairs: int
    unusable: int = Field(description="rows of the data that cannot be used")

    @classmethod
    def beside(cls, out: Path) -> "Manifest | None":
        """The manifest of a file of judgements; None where it has none that can be read."""
        try:
            return cls.model_validate_json(manifest_path(out).read_bytes())
        except (OSError, ValidationError):
            return None

    def save(self, out: Path) -> None:
        """Keep it beside a file of judgements; one that is there is replaced whole."""
        path = manifest_path(out)
        new = path.with_name(f"{path.name}.new")
        new.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        os.replace(new, path)


def manifest_path(out: Path) -> Path:
    """Where the manifest of a file of judgements is kept."""
    return out.with_name(f"{out.name}{SUFFIX}")
