"""The ways in which a request says whose it is."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Protocol

from starlette.requests import HTTPConnection

from rmr1.auth_settings import AuthSettings
from rmr1.errors import ConfigurationError, InputError
from storage import signing_in
from storage.accounts import normalised
from storage.database import Database
from storage.roles import ROLES, VISITOR, Person, Role

COOKIE = "rmr1_session"
"""The cookie of whoever signed in with a password."""

LOCAL_NAME = "local"
"""The name of whoever uses a studio without accounts, until they give another one."""

ORGANISATION = "org:"
"""Before the name of an organisation, in the settings' roles."""


class Gate(Protocol):
    """Tells whose a request is.

    Attributes:
        mode: as the settings name it.
        admits_visitors: whether those who have not said who they are may look and judge.
        takes_names: whether people may call themselves what they like, as there are no accounts.
    """

    @property
    def mode(self) -> str:
        """See the attributes."""
        ...

    @property
    def admits_visitors(self) -> bool:
        """See the attributes."""
        ...

    @property
    def takes_names(self) -> bool:
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
    admits_visitors: bool = True
    takes_names: bool = True
    mode: str = "local"

    def person(self, connection: HTTPConnection | None) -> Person:
        """The same for every request."""
        return VISITOR if self.role is Role.VISITOR else Person(LOCAL_NAME, self.role)


@dataclass(frozen=True, slots=True)
class AccountsGate:
    """Accounts of the studio's own: a cookie holds a token, the database whose it is.

    Attributes:
        days: for how many a browser stays signed in.
    """

    database: Database
    days: float = 14.0
    admits_visitors: bool = False
    takes_names: bool = False
    mode: str = "accounts"

    def person(self, connection: HTTPConnection | None) -> Person:
        """Whoever signed in with this browser, in the role that they have now."""
        token = connection.cookies.get(COOKIE) if connection else None
        if not token:
            return VISITOR
        with self.database.read() as session:
            return signing_in.person_of(session, token) or VISITOR


@dataclass(frozen=True, slots=True)
class RoleBook:
    """Roles by name, as the settings give them.

    Attributes:
        named: by normalised name, or by `org:` and that of an organisation.
        others: the role of everybody else who has said who they are.
    """

    named: Mapping[str, Role]
    others: Role

    @classmethod
    def of_settings(cls, settings: AuthSettings) -> "RoleBook":
        """The book of the settings.

        Raises:
            ConfigurationError: a key cannot be a name.
        """
        try:
            named = {_key(name): ROLES[title] for name, title in settings.roles.items()}
        except InputError as error:
            raise ConfigurationError(f"RMR1_AUTH__ROLES: {error}") from error
        return cls(named, ROLES[settings.role_of_others])

    def person(self, name: str, organisations: Iterable[str] = ()) -> Person:
        """Somebody with the highest role that they or one of their organisations have."""
        try:
            known = normalised(name)
            keys = [known, *(ORGANISATION + normalised(one) for one in organisations)]
        except InputError:
            return VISITOR
        given = [self.named[key] for key in keys if key in self.named]
        return Person(known, max(given, default=self.others))


@dataclass(frozen=True, slots=True)
class HeaderGate:
    """A proxy in front says who it is, in a header that is believed from its addresses alone."""

    header: str
    proxies: tuple[IPv4Network | IPv6Network, ...]
    roles: RoleBook
    admits_visitors: bool = False
    takes_names: bool = False
    mode: str = "header"

    def person(self, connection: HTTPConnection | None) -> Person:
        """Whom the proxy names; a visitor where the header came twice or from elsewhere."""
        if connection is None or not self._is_from_proxy(connection):
            return VISITOR
        names = connection.headers.getlist(self.header)
        return self.roles.person(names[0]) if len(names) == 1 else VISITOR

    def _is_from_proxy(self, connection: HTTPConnection) -> bool:
        try:
            address = ip_address(connection.client.host if connection.client else "")
        except ValueError:
            return False
        return any(address in network for network in self.proxies)


@dataclass(frozen=True, slots=True)
class OAuthGate:
    """Hugging Face says who it is; Gradio keeps that in a signed cookie."""

    roles: RoleBook
    admits_visitors: bool = True
    takes_names: bool = False
    mode: str = "oauth"

    def person(self, connection: HTTPConnection | None) -> Person:
        """Whoever signed in on the Hub; a visitor once that has run out."""
        session = connection.scope.get("session") if connection else None
        info = session.get("oauth_info") if isinstance(session, dict) else None
        if not isinstance(info, dict) or float(info.get("expires_at") or 0) < time.time():
            return VISITOR
        user: dict[str, Any] = info.get("userinfo") or {}
        organisations = [
            str(one.get("preferred_username") or one.get("name") or "")
            for one in user.get("orgs") or ()
            if isinstance(one, dict)
        ]
        return self.roles.person(
            str(user.get("preferred_username") or ""), filter(None, organisations)
        )


def _key(name: str) -> str:
    is_organisation = name.startswith(ORGANISATION)
    plain = normalised(name.removeprefix(ORGANISATION))
    return ORGANISATION + plain if is_organisation else plain


def gate_of(
    settings: AuthSettings, database: Database, *, is_local: bool, oauth_secret: str = ""
) -> Gate:
    """The gate that the settings ask for.

    Args:
        is_local: whether only this machine reaches the page. Where others do, and there are no
            accounts, all are visitors.
        oauth_secret: with which sessions are signed, in the mode oauth.

    Raises:
        ConfigurationError: the mode lacks something.
    """
    visitors = settings.admits_visitors
    match settings.mode:
        case "accounts":
            return AccountsGate(database, settings.days, visitors)
        case "header":
            networks = tuple(ip_network(one) for one in sorted(settings.proxies))
            return HeaderGate(settings.header, networks, RoleBook.of_settings(settings), visitors)
        case "oauth":
            if not oauth_secret:  # Gradio would sign with a key that everybody knows
                raise ConfigurationError(
                    "RMR1_AUTH__MODE=oauth needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET: a Space "
                    "has them with `hf_oauth: true` in its README."
                )
            return OAuthGate(RoleBook.of_settings(settings), visitors)
        case _:
            return LocalGate(Role.ADMIN if is_local else Role.VISITOR, visitors)
