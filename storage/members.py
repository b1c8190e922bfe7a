"""Accounts with what their people did: the list that admins look after."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage import accounts, activity
from storage.account_tables import SignInRow
from storage.accounts import Account
from storage.columns import utc_now
from storage.tables import AnnotatorRow, AssignmentRow


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with an account.

    Attributes:
        labels: their current labels.
        reserved: pairs that are kept for them at this moment.
        signed_in_at: the last time, as far as that browser is signed in still; None where none is.
        browsers: in how many they are signed in.
    """

    account: Account
    labels: int
    reserved: int
    signed_in_at: datetime | None
    browsers: int


def members(session: Session) -> list[Member]:
    """Everybody who has an account, by name."""
    labels = {one.name: one.labels for one in activity.people(session)}
    reserved, signed = _reserved(session), _signed_in(session)
    return [
        Member(
            account,
            labels.get(account.name, 0),
            reserved.get(account.name, 0),
            *signed.get(account.id, (None, 0)),
        )
        for account in accounts.all_accounts(session)
    ]


def without_account(session: Session) -> dict[str, int]:
    """Names that labels stand under and no account has, with the number of their labels."""
    known = {account.name for account in accounts.all_accounts(session)}
    return {
        one.name: one.labels
        for one in activity.people(session)
        if one.labels and one.name not in known
    }


def _reserved(session: Session) -> dict[str, int]:
    rows = session.execute(
        select(AnnotatorRow.name, func.count())
        .join(AssignmentRow, AssignmentRow.annotator_id == AnnotatorRow.id)
        .where(AssignmentRow.held_until > utc_now())
        .group_by(AnnotatorRow.name)
    )
    return {name: number for name, number in rows}


def _signed_in(session: Session) -> dict[int, tuple[datetime, int]]:
    rows = session.execute(
        select(SignInRow.account_id, func.max(SignInRow.created_at), func.count())
        .where(SignInRow.expires_at > utc_now())
        .group_by(SignInRow.account_id)
    )
    return {account_id: (at, number) for account_id, at, number in rows}
