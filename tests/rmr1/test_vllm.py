import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from rmr1.backends.adapters import Adapter
from rmr1.backends.base import ChatRequest, Sampling
from rmr1.backends.vllm import VllmBackend
from rmr1.backends.vllm_server import serve_command
from rmr1.errors import BackendError, BackendUnavailable, ConfigurationError, InputError
from rmr1.pair import Message
from rmr1.settings import VllmSettings
from tests.peft_folders import peft_folder

ROOT = Path(__file__).parents[2]
FAKE = (sys.executable, str(ROOT / "tests" / "fake_vllm.py"), "serve")
REQUEST = ChatRequest((Message(role="user", content="Which?"),), Sampling(stop=("</answer>",)))

Start = Callable[..., VllmBackend]


def settings(notes: Path, *arguments: str, **rest: Any) -> VllmSettings:
    return VllmSettings(
        model="org/judge-7b",
        command=FAKE,
        arguments=("--fake-notes", str(notes), *arguments),
        **rest,
    )


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes.json"


@pytest.fixture
def start(notes: Path) -> Iterator[Start]:
    made: list[VllmBackend] = []

    def begin(*arguments: str, **rest: Any) -> VllmBackend:
        made.append(VllmBackend(settings(notes, *arguments, **rest)))
        return made[-1]

    yield begin
    for backend in made:
        backend.close()


def text_of(backend: VllmBackend, request: ChatRequest = REQUEST) -> str:
    return "".join(delta.text for delta in backend.stream(request))


def noted(notes: Path, within_s: float = 20.0) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            found: dict[str, Any] = json.loads(notes.read_text())
        except (OSError, ValueError):
            time.sleep(0.05)
        else:
            return found
    raise AssertionError("the server was never started")


def gone(processes: list[int], within_s: float = 15.0) -> bool:
    deadline = time.monotonic() + within_s
    while any(map(psutil.pid_exists, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(psutil.pid_exists, processes))


def test_the_first_request_starts_it_and_closing_ends_all_its_processes(
    start: Start, notes: Path
) -> None:
    backend = start("--fake-worker")
    assert not notes.exists()
    assert text_of(backend) == '{"model": "org/judge-7b"}<answer>[[B]]</answer>'
    assert text_of(backend)
    processes = noted(notes)["processes"]
    assert len(processes) == 2
    assert all(map(psutil.pid_exists, processes))
    backend.close()
    assert gone(processes)
    with pytest.raises(BackendUnavailable, match="closed"):
        text_of(backend)


def test_it_is_started_for_judging(start: Start, notes: Path, tmp_path: Path) -> None:
    folder = peft_folder(tmp_path / "adapter", r=12)
    backend = start("--tensor-parallel-size", "2", adapters={"mine": folder}, context_tokens=4096)
    [identity] = backend.capabilities.adapters
    asked = ChatRequest(REQUEST.messages, adapter="mine")
    assert text_of(backend, asked).startswith(f'{{"model": "{identity}"}}')
    said = noted(notes)["arguments"]
    assert said[:2] == ["serve", "org/judge-7b"]
    for flag, value in {
        "--max-lora-rank": "16",
        "--max-loras": "2",
        "--max-model-len": "4096",
        "--max-logprobs": "20",
        "--served-model-name": "org/judge-7b",
        "--generation-config": "vllm",
        "--host": "127.0.0.1",
        "--tensor-parallel-size": "2",
    }.items():
        assert said[said.index(flag) + 1] == value, flag
    assert {"--enable-prefix-caching", "--enable-lora"} <= set(said)
    served = json.loads(said[said.index("--lora-modules") + 1])
    assert served == {"name": identity, "path": str(folder)}
    assert not any("key" in argument.lower() for argument in said)  # others can read a command
    with pytest.raises(BackendError, match="other"):
        text_of(backend, ChatRequest(REQUEST.messages, adapter="other"))


def test_a_server_that_fails_to_start_shows_why(start: Start, notes: Path) -> None:
    backend = start("--fake-end", "start", "--fake-worker")
    with pytest.raises(ConfigurationError, match="exit code 1 while starting") as caught:
        text_of(backend)
    assert "no such number of GPUs" in str(caught.value)
    assert str(caught.value).endswith("Engine core initialization failed. See above.")
    assert gone(noted(notes)["processes"])


def test_a_server_that_never_answers_is_given_up(start: Start, notes: Path) -> None:
    backend = start("--fake-end", "never", start_timeout_s=2.0)
    with pytest.raises(ConfigurationError, match="within 2 seconds") as caught:
        text_of(backend)
    assert "took forever" in str(caught.value)
    assert gone(noted(notes)["processes"])


def test_closing_does_not_wait_for_the_start(start: Start, notes: Path) -> None:
    backend = start("--fake-end", "never")
    warming = backend.warm()
    processes = noted(notes)["processes"]
    started = time.monotonic()
    backend.close()
    warming.join()
    assert time.monotonic() - started < 8
    assert gone(processes)


def test_a_server_that_dies_in_a_reply_says_so_and_is_started_again(
    start: Start, notes: Path
) -> None:
    backend = start("--fake-end", "reply")
    with pytest.raises(BackendUnavailable, match=r"exit code 3 in the middle") as caught:
        text_of(backend)
    assert "out of luck" in str(caught.value)
    first = noted(notes)["processes"]
    with pytest.raises(BackendUnavailable):
        text_of(backend)
    assert noted(notes)["processes"] != first


def test_no_process_is_left_when_the_parent_is_killed(notes: Path) -> None:
    program = (
        "import sys, time\n"
        "from rmr1.backends.vllm import VllmBackend\n"
        "from rmr1.settings import VllmSettings\n"
        "settings = VllmSettings.model_validate_json(sys.argv[1])\n"
        "VllmBackend(settings).warm().join()\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    asked = settings(notes, "--fake-worker").model_dump_json()
    command = [sys.executable, "-c", program, asked]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "up\n"
        processes = noted(notes)["processes"]
        parent.kill()
    assert gone(processes)


def test_the_log_is_kept_where_it_is_asked_for(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "vllm.log"
    with pytest.raises(ConfigurationError):
        text_of(start("--fake-end", "start", log=log))
    assert "no such number of GPUs" in log.read_text()


def test_a_program_that_is_not_there_is_named() -> None:
    missing = VllmSettings(model="org/judge-7b", command=("no-such-vllm", "serve"))
    with (
        closing(VllmBackend(missing)) as backend,
        pytest.raises(ConfigurationError, match="no-such-vllm"),
    ):
        text_of(backend)


@pytest.mark.parametrize(("rank", "served"), [(1, "1"), (9, "16"), (100, "128"), (512, "512")])
def test_the_next_rank_that_vllm_takes_is_asked_for(tmp_path: Path, rank: int, served: str) -> None:
    folder = peft_folder(tmp_path / "one", r=1, rank_pattern={"down_proj": rank})
    command = serve_command(settings(tmp_path), 1, [Adapter.at("one", folder)])
    assert command[command.index("--max-lora-rank") + 1] == served


def test_an_adapter_that_vllm_cannot_serve_is_refused(tmp_path: Path) -> None:
    folder = peft_folder(tmp_path / "one", r=600)
    with pytest.raises(InputError, match="600"):
        serve_command(settings(tmp_path), 1, [Adapter.at("one", folder)])
    (folder / "adapter_config.json").write_text("[]")
    with pytest.raises(InputError, match="none"):
        serve_command(settings(tmp_path), 1, [Adapter.at("one", folder)])


def test_the_module_is_told_its_model_by_a_flag() -> None:
    asked = VllmSettings(model="org/judge-7b", command=(sys.executable, "-m", "vllm.api"))
    assert serve_command(asked, 1, [])[:5] == [
        sys.executable, "-m", "vllm.api", "--model", "org/judge-7b",
    ]  # fmt: skip
