"""A server for the endpoints alone, without pages; and who may reach them."""

import ipaddress
import socket
import sys

import uvicorn
from starlette.applications import Starlette

from rmr1.errors import ConfigurationError
from rmr1.judging_service import JudgingService
from rmr1.serving import PATH, api_routes

_GRACE_S = 5
"""Seconds that requests get to end when the server is stopped."""


def is_local(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve_api(service: JudgingService, host: str, port: int) -> None:
    """Answer requests until the process is told to stop.

    Args:
        port: 0 takes a free one; standard error says which.

    Raises:
        ConfigurationError: others reach the host and there is no token, or nothing can listen.
    """
    if not is_local(host) and not service.limits.token.get_secret_value():
        raise ConfigurationError(
            f"others reach the endpoints on {host}: set RMR1_API__TOKEN, which they must show."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"nothing can listen on {host}:{port}: {error.strerror}; set RMR1_PORT."
        ) from error
    with listening:
        shown = f"[{host}]" if ":" in host else host
        sys.stderr.write(f"RM-R1 judge: http://{shown}:{listening.getsockname()[1]}{PATH}\n")
        config = uvicorn.Config(
            Starlette(routes=api_routes(service)),
            log_level="warning",
            timeout_graceful_shutdown=_GRACE_S,
        )
        uvicorn.Server(config).run(sockets=[listening])
