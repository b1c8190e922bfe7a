"""Who somebody is, and what they may do."""

from dataclasses import dataclass
from enum import IntEnum


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


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the page.

    Attributes:
        name: what their labels are stored under; that of a visitor stands for all of them.
    """

    name: str
    role: Role
