"""Who is signed in: a random token in the browser's cookie, its hash on record."""

import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.account_tables import SignInRow
from storage.accounts import hash_of
from storage.columns import utc_now
from storage.roles import ROLES, Person


def sign_in(session: Session, account_id: int, days: float) -> str:
    """Sign an account in for a number of days; those that ran out are forgotten.

    Returns:
        The token for the browser; it is not stored.
    """
    now = utc_now()
    session.execute(delete(SignInRow).where(SignInRow.expires_at < now))
    token = secrets.token_urlsafe(32)
    expires_at = now + timedelta(days=days)
    session.add(SignInRow(token=hash_of(token), account_id=account_id, expires_at=expires_at))
    return token


def person_of(session: Session, token: str) -> Person | None:
    """Who is signed in by a token, with the role that they have now; None for nobody."""
    row = session.scalar(
        select(SignInRow).where(SignInRow.token == hash_of(token), SignInRow.expires_at > utc_now())
    )
    return Person(row.account.name, ROLES[row.account.role]) if row else None


def sign_out(session: Session, token: str) -> None:
    """Let a token count no longer; harmless for one that does not."""
    session.execute(delete(SignInRow).where(SignInRow.token == hash_of(token)))
