"""What was done to accounts, and by whom: written with the change itself, and never changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.account_tables import AccountEventRow
from storage.roles import ROLES, Role

CONSOLE = "the command line"
"""By whom, where whoever did it needed no account: no name of an account holds a space."""


class AccountAction(StrEnum):
    """What can be done to an account; its own person does the accepting, admins do the rest."""

    OPENED = "opened"
    INVITED = "invited"
    RENEWED = "renewed"
    ACCEPTED = "accepted"
    ROLE = "role"
    PASSWORD = "password"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One change of one account.

    Attributes:
        by: the name of an account, or `CONSOLE`.
        role: what the account was given; None where the role did not change.
    """

    at: datetime
    by: str
    account: str
    action: AccountAction
    role: Role | None


def note(
    session: Session, by: str, account: str, action: AccountAction, role: Role | None = None
) -> None:
    """Write down a change in the transaction that makes it."""
    title = None if role is None else role.title
    session.add(AccountEventRow(by=by, account=account, action=action.value, role=title))


def latest(session: Session, limit: int) -> list[AccountEvent]:
    """The last changes, newest first."""
    rows = session.scalars(select(AccountEventRow).order_by(AccountEventRow.id.desc()).limit(limit))
    return [
        AccountEvent(
            row.at, row.by, row.account, AccountAction(row.action), ROLES.get(row.role or "")
        )
        for row in rows
    ]
