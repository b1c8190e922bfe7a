"""What a user can set about who may use the studio, and as what."""

import os
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

RoleTitle = Literal["visitor", "annotator", "lead", "admin"]

_SPACE_PROXIES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_LOCAL_PROXIES = ("127.0.0.1", "::1")


def _network(text: str) -> str:
    ip_network(text)
    return text


Network = Annotated[str, AfterValidator(_network)]


def _owner() -> dict[str, RoleTitle]:
    owner = os.environ.get("SPACE_AUTHOR_NAME")
    return {owner: "admin"} if owner else {}


class AuthSettings(BaseModel):
    """Who may use the studio, and as what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["local", "accounts", "header", "oauth"] = Field(
        default_factory=lambda: "oauth" if os.environ.get("OAUTH_CLIENT_SECRET") else "local",
        description="local: whoever reaches the page is the admin, on this machine alone; "
        "accounts: names and passwords; header: a proxy says who it is; oauth: Hugging Face",
    )
    visitors: bool | None = Field(
        default=None,
        description="whether those who have not signed in may look and judge; by default in the "
        "modes local and oauth",
    )
    visitor_rollouts: int = Field(
        default=30, ge=0, description="rollouts that a visitor may ask for in an hour"
    )
    roles: dict[str, RoleTitle] = Field(
        default_factory=_owner,
        description="roles by name, in the modes header and oauth; org:NAME is everybody in an "
        "organisation on the Hub. On a Space its owner is the admin by default",
    )
    default_role: RoleTitle | None = Field(
        default=None,
        description="role of everybody else who is known; by default annotator behind a proxy, "
        "visitor on the Hub",
    )
    header: str = Field(
        default="Remote-User", min_length=1, description="header in which the proxy names people"
    )
    proxies: frozenset[Network] = Field(
        default_factory=lambda: frozenset(
            _SPACE_PROXIES if os.environ.get("SPACE_ID") else _LOCAL_PROXIES
        ),
        description="addresses or networks of proxies whose headers are believed",
    )
    days: float = Field(
        default=14.0, gt=0, le=366, description="days until somebody must sign in again"
    )

    @property
    def admits_visitors(self) -> bool:
        """Whether those who have not signed in may look and judge."""
        return self.mode in ("local", "oauth") if self.visitors is None else self.visitors

    @property
    def role_of_others(self) -> RoleTitle:
        """The role of everybody who is known and not named in `roles`."""
        return self.default_role or ("annotator" if self.mode == "header" else "visitor")
