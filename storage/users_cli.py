"""The command line's part on accounts: who may sign in, as what, by which password."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from rmr1.errors import InputError
from storage import account_events, accounts
from storage.accounts import Account
from storage.console import DatabaseUrl, opened, say
from storage.roles import ROLES, Role

app = typer.Typer(
    no_args_is_help=True,
    help="Accounts of a studio that others reach (RMR1_AUTH__MODE=accounts).",
)


class RoleName(StrEnum):
    """The roles that an account can have."""

    ANNOTATOR = "annotator"
    LEAD = "lead"
    ADMIN = "admin"

    @property
    def role(self) -> Role:
        """The role itself."""
        return ROLES[self.value]


Name = Annotated[str, typer.Argument(help="name of the account")]
RoleOption = Annotated[RoleName, typer.Option("--role", help="what they may do")]


@app.command("list")
def list_accounts(context: typer.Context, database: DatabaseUrl = "") -> None:
    """All accounts, a JSON line each."""
    with opened(context, database) as store, store.read() as session:
        for account in accounts.all_accounts(session):
            say(_told(account))


@app.command("add")
def add(
    context: typer.Context,
    name: Name,
    role: RoleOption = RoleName.ANNOTATOR,
    database: DatabaseUrl = "",
) -> None:
    """Open an account; its password is asked for, or read from standard input."""
    password = _password()
    with opened(context, database) as store, store.write() as session:
        account = accounts.add(session, name, role.role, password)
    say(_told(account))


@app.command("invite")
def invite(
    context: typer.Context,
    name: Name,
    role: RoleOption = RoleName.ANNOTATOR,
    database: DatabaseUrl = "",
) -> None:
    """Let somebody choose their own password, behind a link that counts once and for a week."""
    with opened(context, database) as store, store.write() as session:
        path = accounts.welcome_path(name, accounts.invite(session, name, role.role))
    say({"name": accounts.normalised(name), "role": role.value, "path": path})


@app.command("role")
def set_role(
    context: typer.Context,
    name: Name,
    role: Annotated[RoleName, typer.Argument(help="what they may do from now on")],
    database: DatabaseUrl = "",
) -> None:
    """Change what somebody may do; it counts from their next click."""
    with opened(context, database) as store, store.write() as session:
        account = accounts.set_role(session, name, role.role)
    say(_told(account))


@app.command("password")
def set_password(context: typer.Context, name: Name, database: DatabaseUrl = "") -> None:
    """Set another password, and sign the account out everywhere."""
    password = _password()
    with opened(context, database) as store, store.write() as session:
        account = accounts.set_password(session, name, password)
    say(_told(account))


@app.command("renew")
def renew(context: typer.Context, name: Name, database: DatabaseUrl = "") -> None:
    """Let somebody choose another password, behind a link that counts once and for a week."""
    with opened(context, database) as store, store.write() as session:
        path = accounts.welcome_path(name, accounts.renew(session, name))
    say({"name": accounts.normalised(name), "path": path})


@app.command("remove")
def remove(context: typer.Context, name: Name, database: DatabaseUrl = "") -> None:
    """Close an account; labels stay under its name."""
    with opened(context, database) as store, store.write() as session:
        accounts.remove(session, name)
    say({"removed": accounts.normalised(name)})


@app.command("history")
def history(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="how many changes")] = 100,
    database: DatabaseUrl = "",
) -> None:
    """What was done to accounts and by whom, newest first, a JSON line each."""
    with opened(context, database) as store, store.read() as session:
        for event in account_events.latest(session, last):
            say(
                {
                    "at": event.at.isoformat(),
                    "by": event.by,
                    "account": event.account,
                    "action": event.action.value,
                    "role": event.role and event.role.title,
                }
            )


def _password() -> str:
    """A password from the terminal, twice, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InputError("No password came on standard input: write it as the first line.")
    return line


def _told(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role.title,
        "signs_in": account.is_open,
        "created_at": account.created_at.isoformat(),
    }
