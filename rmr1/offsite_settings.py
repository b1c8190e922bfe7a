"""What a user can set about keeping the journal of labels somewhere else, too."""

from pydantic import BaseModel, ConfigDict, Field


class OffsiteSettings(BaseModel):
    """Where the journal is copied to; the token is the Hub's own, from HF_TOKEN."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repo: str = Field(
        default="",
        pattern=r"^$|^(buckets/)?[\w.\-]+/[\w.\-]+$",
        description="dataset repository OWNER/NAME, or buckets/OWNER/NAME; empty for none",
    )
    folder: str = Field(
        default="labels", pattern=r"^[\w.\-]+$", description="folder of the parts in it"
    )
    seconds: float = Field(
        default=60.0, gt=0, description="how long a line waits for others before it is pushed"
    )
    lines: int = Field(default=200, ge=1, description="waiting lines that are pushed at once")
