"""Accounts: who may sign in, as what, and by which password or invitation.

Each change is noted with the name of whoever made it, in the same transaction.
"""

import hashlib
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urlencode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound, RMR1Error
from storage.account_events import CONSOLE, AccountAction, note
from storage.account_tables import AccountRow, SignInRow
from storage.columns import utc_now
from storage.roles import ROLES, VISITOR_NAME, Role

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1000
INVITATION_DAYS = 7

_NAME = re.compile(r"[\w.@+-]{1,80}")
_HASHER = PasswordHasher()
_AT_ONCE = threading.BoundedSemaphore(2)
"""Hashes computed at a time: each takes 64 MiB, and whoever asks need not be signed in."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        is_open: whether they have a password; else they were invited and have not answered.
        link_until: until when a link lets them choose a password; None where none does.
    """

    id: int
    name: str
    role: Role
    is_open: bool
    created_at: datetime
    link_until: datetime | None = None


def normalised(name: str) -> str:
    """The one way to write a name, whatever the case or the kind of its letters.

    Raises:
        InputError: it cannot be a name.
    """
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    if not _NAME.fullmatch(plain) or plain == VISITOR_NAME:
        raise InputError(
            f"{name[:80]!r} cannot be the name of an account: take up to 80 letters, digits and "
            f". _ @ + -, and not {VISITOR_NAME}."
        )
    return plain


def all_accounts(session: Session) -> list[Account]:
    """All accounts by name."""
    return [_account(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.name))]


def add(session: Session, name: str, role: Role, password: str, *, by: str = CONSOLE) -> Account:
    """Open an account.

    Raises:
        InputError: there is one of this name, or the name or the password cannot be used.
    """
    row = _new(session, name, role)
    row.password = _hashed(password)
    session.flush()
    note(session, by, row.name, AccountAction.OPENED, role)
    return _account(row)


def invite(session: Session, name: str, role: Role, *, by: str = CONSOLE) -> str:
    """Let somebody choose a password of their own; a former invitation no longer counts.

    Returns:
        The token to hand them. It is not stored, and counts for a week and once.

    Raises:
        InputError: there is an account of this name with a password, or it cannot be a name.
    """
    row = _find(session, name)
    if row is None:
        row = _new(session, name, role)
    elif row.password:
        raise InputError(f"There is an account {row.name!r}: set its password or its role.")
    row.role = role.title
    note(session, by, row.name, AccountAction.INVITED, role)
    return _linked(session, row)


def renew(session: Session, name: str, *, by: str = CONSOLE) -> str:
    """Let somebody who has an account choose another password; the old one counts until then.

    Returns:
        The token to hand them, as `invite` does.

    Raises:
        RecordNotFound: there is no such account.
    """
    row = _get(session, name)
    note(session, by, row.name, AccountAction.RENEWED)
    return _linked(session, row)


def welcome_path(name: str, token: str) -> str:
    """Where a token is taken up, as a path of the studio; what stands behind # is never sent."""
    return f"/welcome?{urlencode({'name': normalised(name)})}#{token}"


def accept(session: Session, token: str, password: str) -> Account:
    """Take up an invitation, or a link to another password, which signs out everywhere.

    Raises:
        InputError: the token is unknown, used or too old, or the password cannot be used.
    """
    row = session.scalar(select(AccountRow).where(AccountRow.invitation == hash_of(token)))
    if row is None or row.invited_until is None or row.invited_until < utc_now():
        raise InputError("This invitation is unknown, used or too old: ask an admin for another.")
    note(session, row.name, row.name, AccountAction.ACCEPTED)
    return _with_password(session, row, password)


def set_role(session: Session, name: str, role: Role, *, by: str = CONSOLE) -> Account:
    """Change what somebody may do, from their next request on.

    Raises:
        RecordNotFound: there is no such account.
        InputError: nobody else is an admin.
    """
    row = _get(session, name)
    if role < Role.ADMIN:
        _keep_an_admin(session, row)
    row.role = role.title
    note(session, by, row.name, AccountAction.ROLE, role)
    return _account(row)


def set_password(session: Session, name: str, password: str, *, by: str = CONSOLE) -> Account:
    """Give an account another password, and sign it out everywhere.

    Raises:
        RecordNotFound: there is no such account.
        InputError: the password cannot be used.
    """
    row = _get(session, name)
    note(session, by, row.name, AccountAction.PASSWORD)
    return _with_password(session, row, password)


def remove(session: Session, name: str, *, by: str = CONSOLE) -> None:
    """Close an account and sign it out everywhere; labels stay under its name.

    Raises:
        RecordNotFound: there is no such account.
        InputError: nobody else is an admin.
    """
    row = _get(session, name)
    _keep_an_admin(session, row)
    note(session, by, row.name, AccountAction.REMOVED)
    session.delete(row)


def has_admin(session: Session) -> bool:
    """Whether an admin can sign in."""
    return session.scalar(_admins()) != 0


def check(session: Session, name: str, password: str) -> Account | None:
    """The account that a name and a password open; None for none.

    It takes equally long whether the name is unknown or the password wrong.
    """
    try:
        row = _find(session, name)
    except InputError:
        row = None
    known = row.password if row else None
    is_right = _fits(known or _nobodys(), password)
    return _account(row) if row and known and is_right else None


def hash_of(token: str) -> str:
    """What is stored of a random token: nobody can make the token of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _nobodys() -> str:
    """A hash to check where a name is unknown, which then takes as long as a known one."""
    return _HASHER.hash(secrets.token_hex())


def _fits(known: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        with _one_of_few():
            return _HASHER.verify(known, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(
            f"A password has at least {SHORTEST_PASSWORD} characters and at most "
            f"{LONGEST_PASSWORD}."
        )
    with _one_of_few():
        return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=10):
        raise RMR1Error("Too many people sign in at this moment: try again in a minute.")
    try:
        yield
    finally:
        _AT_ONCE.release()


def _new(session: Session, name: str, role: Role) -> AccountRow:
    row = _find(session, name)
    if row is not None:
        raise InputError(f"There is an account {row.name!r} already.")
    row = AccountRow(name=normalised(name), role=role.title)
    session.add(row)
    return row


def _linked(session: Session, row: AccountRow) -> str:
    """A token by which an account's password can be chosen; a former one no longer counts."""
    token = secrets.token_urlsafe(24)
    row.invitation = hash_of(token)
    row.invited_until = utc_now() + timedelta(days=INVITATION_DAYS)
    session.flush()
    return token


def _with_password(session: Session, row: AccountRow, password: str) -> Account:
    row.password = _hashed(password)
    row.invitation = row.invited_until = None
    session.execute(delete(SignInRow).where(SignInRow.account_id == row.id))
    return _account(row)


def _find(session: Session, name: str) -> AccountRow | None:
    return session.scalar(select(AccountRow).where(AccountRow.name == normalised(name)))


def _get(session: Session, name: str) -> AccountRow:
    row = _find(session, name)
    if row is None:
        raise RecordNotFound(f"There is no account {name[:80]!r}: see `rmr1 users list`.")
    return row


def _admins() -> Select[int]:
    return select(func.count(AccountRow.id)).where(
        AccountRow.role == Role.ADMIN.title, AccountRow.password.is_not(None)
    )


def _keep_an_admin(session: Session, row: AccountRow) -> None:
    if row.role == Role.ADMIN.title and row.password and session.scalar(_admins()) == 1:
        raise InputError(f"{row.name} is the only admin: make somebody else one first.")


def _account(row: AccountRow) -> Account:
    until = row.invited_until if row.invitation else None
    return Account(row.id, row.name, ROLES[row.role], bool(row.password), row.created_at, until)
