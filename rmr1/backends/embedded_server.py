"""The child process of the embedded backend: one llama.cpp server on loopback.

It is run as a file. The first line of standard input holds its options as JSON, the only line of
standard output says where it listens. It ends when standard input ends or its parent is gone.
"""

import json
import os
import sys
import threading
import time
from typing import TextIO, TypedDict

import xllamacpp

_ERRORS_ONLY = 1
_CHECK_SECONDS = 2.0

# Plain attention writes a tenth faster than llama.cpp's fused one. It reads prompts as fast if its
# scores stay in the processor's cache: of 128 tokens at once, and not of the usual 512.
_READ_TOGETHER = 128


class Options(TypedDict):
    """What the server serves: `rmr1.backends.embedded_child.ServerOptions` as JSON."""

    model: str
    context: int
    parallel: int
    threads: int
    writing_threads: int
    adapters: list[str]
    key: str


def start(options: Options) -> xllamacpp.Server:
    """Load the model and serve it; returns when it answers.

    Raises:
        RuntimeError: the model or an adapter cannot be loaded.
    """
    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    params.n_ctx = options["context"] * options["parallel"]
    params.n_parallel = options["parallel"]
    params.cpuparams.n_threads = options["writing_threads"]
    params.cpuparams_batch.n_threads = options["threads"]
    params.lora_adapters = [
        xllamacpp.CommonAdapterLoraInfo(path, 1.0) for path in options["adapters"]
    ]
    params.lora_init_without_apply = True
    params.api_keys = [options["key"]]
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.n_ubatch = _READ_TOGETHER
    params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE  # mapped: no huge pages
    params.cache_ram_mib = 0  # a slot keeps its own last prompt; older ones would take gigabytes
    params.endpoint_slots = True
    params.ui = False
    params.verbosity = _ERRORS_ONLY
    return xllamacpp.Server(params)


def main() -> None:
    """Serve until the parent is gone."""
    parent = os.getppid()
    # Native code may print: what the parent reads must not be mixed with it.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as reply:
        os.dup2(2, 1)
        options: Options = json.loads(sys.stdin.readline())
        server = None
        try:
            server = start(options)
            said = {"address": server.listening_address}
        except RuntimeError as error:
            said = {"error": str(error)}
        reply.write(json.dumps(said) + "\n")
    if server:
        threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
        while os.getppid() == parent:
            time.sleep(_CHECK_SECONDS)
    os._exit(0)  # native threads may hang at an orderly end


def _end_with(stream: TextIO) -> None:
    stream.read()
    os._exit(0)


if __name__ == "__main__":
    main()
