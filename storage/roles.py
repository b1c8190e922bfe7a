"""Who somebody is, and what they may do."""

from dataclasses import dataclass
from enum import IntEnum

from rmr1.errors import RMR1Error


class NotAllowed(RMR1Error):
    """Somebody asked for what their role does not allow; the sentence says what to do."""


class Role(IntEnum):
    """What somebody may do; each role may do what those before it may."""

    VISITOR = 0
    """Look at public pages, and judge now and then."""
    ANNOTATOR = 1
    """Label."""
    LEAD = 2
    """Import, export, make queues, benchmark and train."""
    ADMIN = 3
    """Say who may do what."""

    @property
    def title(self) -> str:
        """The role in a word, as settings, commands and pages name it."""
        return self.name.lower()


ROLES = {role.title: role for role in Role}
"""The roles by their words."""

VISITOR_NAME = "visitor"
"""The name of everybody who has not said who they are."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the page.

    Attributes:
        name: what their labels are stored under; that of a visitor stands for all of them.
    """

    name: str
    role: Role

    @property
    def is_known(self) -> bool:
        """Whether they have said who they are."""
        return self.name != VISITOR_NAME


VISITOR = Person(VISITOR_NAME, Role.VISITOR)
"""Somebody who has not said who they are."""
