"""Accounts as the dictionaries that the People page paints, and what admins do with them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rmr1.errors import InputError
from storage import account_events, accounts, members
from storage.account_events import AccountAction, AccountEvent
from storage.accounts import INVITATION_DAYS
from storage.database import Database
from storage.members import Member
from storage.roles import ROLES, Person, Role
from ui.views import View

NO_ACCOUNTS = (
    "This studio keeps no accounts of its own: RMR1_AUTH__MODE=accounts lets people sign in with a "
    "password, and shows them here."
)
MAY = {
    Role.ANNOTATOR: "labels",
    Role.LEAD: "also makes queues, decides, imports, benchmarks and trains",
    Role.ADMIN: "also looks after people",
}
"""What each role adds to the one before it."""

_DONE = {
    AccountAction.OPENED: "account opened as {role}",
    AccountAction.INVITED: "invited as {role}",
    AccountAction.RENEWED: "given a link to another password",
    AccountAction.ACCEPTED: "chose a password",
    AccountAction.ROLE: "role changed to {role}",
    AccountAction.PASSWORD: "another password set",
    AccountAction.REMOVED: "account closed",
}

_LISTED = 100
_REMEMBERED = 50


def page_view(database: Database, who: Person) -> View:
    """Everybody who has an account, whose labels stand without one, and what was done last."""
    with database.read() as session:
        rows = [_row(one, who) for one in members.members(session)]
        gone = sorted(members.without_account(session).items())
        done = account_events.latest(session, _REMEMBERED)
    return {
        "rows": rows,
        "roles": [[role.title, words] for role, words in MAY.items()],
        "days": INVITATION_DAYS,
        "gone": [[name, labels] for name, labels in gone[:_LISTED]],
        "done": [_done(event) for event in done],
    }


def invite(session: Session, form: Mapping[str, Any], by: str) -> View:
    """Let somebody choose a password of their own.

    Returns:
        The link's path, which is shown once.

    Raises:
        InputError: the name or the role cannot be used, or the account is open already.
    """
    name = _name(form)
    path = accounts.welcome_path(name, accounts.invite(session, name, _role(form), by=by))
    return {"said": f"{accounts.normalised(name)} is invited.", "path": path}


def change_role(session: Session, form: Mapping[str, Any], by: str) -> View:
    """Change what somebody may do.

    Raises:
        InputError: there is no such role, or nobody else is an admin.
        RecordNotFound: there is no such account.
    """
    changed = accounts.set_role(session, _name(form), _role(form), by=by)
    article = "an" if changed.role.title[0] in "aeiou" else "a"
    return {"said": f"{changed.name} is {article} {changed.role.title} from their next click on."}


def renew(session: Session, form: Mapping[str, Any], by: str) -> View:
    """Let somebody choose another password.

    Returns:
        The link's path, which is shown once.

    Raises:
        RecordNotFound: there is no such account.
    """
    name = _name(form)
    path = accounts.welcome_path(name, accounts.renew(session, name, by=by))
    said = (
        f"{accounts.normalised(name)} can choose another password; until then the old one counts."
    )
    return {"said": said, "path": path}


def remove(session: Session, form: Mapping[str, Any], by: str) -> View:
    """Close an account; labels stay.

    Raises:
        RecordNotFound: there is no such account.
        InputError: nobody else is an admin.
    """
    name = _name(form)
    accounts.remove(session, name, by=by)
    return {"said": f"The account {accounts.normalised(name)} is closed; its labels stay."}


def _row(one: Member, who: Person) -> View:
    account = one.account
    return {
        "name": account.name,
        "role": account.role.title,
        "me": account.name == who.name,
        "open": account.is_open,
        "link_until": account.link_until and account.link_until.isoformat(timespec="minutes"),
        "signed_in_at": one.signed_in_at and one.signed_in_at.isoformat(timespec="minutes"),
        "browsers": one.browsers,
        "labels": one.labels,
        "reserved": one.reserved,
    }


def _done(event: AccountEvent) -> View:
    said = _DONE[event.action].format(role=event.role and event.role.title)
    at = event.at.isoformat(timespec="minutes")
    return {"at": at, "account": event.account, "by": event.by, "done": said}


def _name(form: Mapping[str, Any]) -> str:
    name = form.get("name")
    return name[:200] if isinstance(name, str) else ""


def _role(form: Mapping[str, Any]) -> Role:
    role = ROLES.get(str(form.get("role")))
    if role is None or role not in MAY:
        raise InputError("There is no such role for an account: choose one of the list.")
    return role
