"""The ways in which a request says whose it is."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from storage.roles import VISITOR, Person, Role

LOCAL_NAME = "local"
"""The name of whoever uses a studio without accounts, until they give another one."""


class Gate(Protocol):
    """Tells whose a request is.

    Attributes:
        takes_names: whether people may call themselves what they like, as there are no accounts.
        admits_visitors: whether those who have not said who they are may look and judge.
    """

    @property
    def takes_names(self) -> bool:
        """See the attributes."""
        ...

    @property
    def admits_visitors(self) -> bool:
        """See the attributes."""
        ...

    def person(self, connection: HTTPConnection | None) -> Person:
        """Whose request this is; a visitor's where nothing says more."""
        ...


@dataclass(frozen=True, slots=True)
class LocalGate:
    """No accounts: everybody who reaches the page has the same role.

    Attributes:
        role: the admin's on a page that only this machine reaches.
    """

    role: Role = Role.ADMIN
    takes_names: bool = True
    admits_visitors: bool = True

    def person(self, connection: HTTPConnection | None) -> Person:
        """The same for every request."""
        return VISITOR if self.role is Role.VISITOR else Person(LOCAL_NAME, self.role)
