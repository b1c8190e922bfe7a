"""The tables of accounts, of what was done to them and of who is signed in, as typed rows."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.columns import utc_now
from storage.tables import Row


class AccountRow(Row):
    """Somebody who may sign in.

    Attributes:
        name: normalised; labels are stored under it.
        password: an Argon2id hash; None until an invitation is taken up.
        invitation: SHA-256 (hex) of the invitation's token; None where there is none.
    """

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str | None] = mapped_column(String(200))
    invitation: Mapped[str | None] = mapped_column(String(64), unique=True)
    invited_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SignInRow(Row):
    """A browser that somebody is signed in with.

    Attributes:
        token: SHA-256 (hex) of what the browser's cookie holds.
    """

    __tablename__ = "sign_in"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]

    account: Mapped[AccountRow] = relationship(lazy="joined", innerjoin=True)


class AccountEventRow(Row):
    """Something that was done to an account; it outlives the account.

    Attributes:
        by: who did it, by name.
        role: what the account was given; None where that did not change.
    """

    __tablename__ = "account_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    by: Mapped[str] = mapped_column(String(80))
    account: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(16))
    role: Mapped[str | None] = mapped_column(String(16))
