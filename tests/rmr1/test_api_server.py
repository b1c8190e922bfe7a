import json
import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from rmr1.api_server import is_local, serve_api
from rmr1.errors import ConfigurationError
from rmr1.judging_service import JudgingService
from rmr1.plan import Plan
from rmr1.settings import ApiSettings
from tests.replies import CHAT, PAIR
from tests.scripted_judges import preferring


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("judge.example.org", False),
        ("", False),
    ],
)
def test_only_a_loopback_address_is_local(host, local):
    assert is_local(host) is local


def service(**limits):
    return JudgingService({"max": preferring(max)}, Plan(), ApiSettings(**limits))


def test_without_a_token_nobody_else_is_served():
    with pytest.raises(ConfigurationError, match="RMR1_API__TOKEN"):
        serve_api(service(), "0.0.0.0", 0)


def test_a_port_in_use_is_said_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}: .*set RMR1_PORT"):
            serve_api(service(), "127.0.0.1", port)


def test_the_command_serves_the_endpoints_without_pages_until_it_is_told_to_stop(tmp_path):
    backend = {"kind": "scripted", "replies": [CHAT]}
    environment = {
        **os.environ,
        "RMR1_BACKEND": json.dumps(backend),
        "RMR1_DATA_DIR": str(tmp_path),
        "RMR1_API__TOKEN": "secret",
    }
    command = [sys.executable, "-m", "app", "serve", "--api", "--host", "0.0.0.0", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        said = running.stderr.readline()
        port = re.search(r":(\d+)/v1", said)[1]
        address = f"http://127.0.0.1:{port}/v1"
        asked = {"prompt": PAIR.prompt, "response_a": "Canberra.", "response_b": "Sydney."}
        assert httpx.get(f"{address}/health", timeout=60).json()["status"] == "ok"
        assert httpx.post(f"{address}/judge", json=asked, timeout=60).status_code == 401
        shown = {"authorization": "Bearer secret"}
        found = httpx.post(f"{address}/judge", json=asked, headers=shown, timeout=60).json()
        assert found["verdict"] == "A"
        assert httpx.get(address.removesuffix("/v1"), timeout=60).status_code == 404
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
        assert "Traceback" not in running.stderr.read()
