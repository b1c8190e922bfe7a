"""How fast judgements come, as ratios against named baselines in the same run.

python -m benchmarks.throughput [client] [decoding] [sharing] [vllm] [--rounds 5] [--pairs 8]

The embedded server is set as the app sets it, unless --threads or --parallel say otherwise.

client     the batch runner, against the same requests sent by httpx.AsyncClient to the same
           llama.cpp server; both stream, both stop at the closing answer tag. Target 0.95.
decoding   tokens a second after the first: the embedded judge, against `generate` of transformers
           with its weights, adapter merged on both sides, as in RM-R1's demo notebook: RM-R1's
           own prompt, greedy, a prompt at a time, in bfloat16 (or float32, --dtype). The app's
           shorter prompt: --profile brief. Target 4.
sharing    seconds of four votes, and of both orders, against one rollout of the same pair, one of
           the Judge page's examples or of --data. Targets 2.2 and 1.7.
vllm       a vLLM server with 32 judgements at once, against one at a time.

Rounds of the two sides alternate, each begins as often, so that what else the machine does falls on
both; figures are medians of the rounds' ratios, with the least and the greatest.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import httpx
import orjson
import psutil

from benchmarks.generating import start_generating
from rmr1.backends.adapters import PACKAGED_FOLDER
from rmr1.backends.base import Backend, ChatRequest, Sampling
from rmr1.backends.chat_stream import request_body
from rmr1.backends.embedded import EmbeddedBackend
from rmr1.backends.embedded_child import ServerOptions, launch_embedded
from rmr1.backends.openai import OpenAIBackend
from rmr1.backends.scripted import ScriptedBackend
from rmr1.backends.vllm import VllmBackend
from rmr1.backends.weights import default_cache, file_hash, find_weights, prepare_weights
from rmr1.batch import judge_many
from rmr1.judge import Judge
from rmr1.judges import default_judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import build_chat, load_profile
from rmr1.record import pair_from_record
from rmr1.rollout import State
from rmr1.settings import EmbeddedSettings, OpenAISettings, VllmSettings

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "ui/examples.jsonl"
TRAIN_PYTHON = ROOT / ".venv-train/bin/python"
VLLM_PYTHON = ROOT / ".venv-vllm/bin/python"
_TEXTS = ("README.md", "docs/*.md")
_STOP = "</answer>"

Side = Callable[[], float]
"""One side's round; how much it did in a second, or how many seconds it took."""


def main() -> None:
    """Run the parts that are asked for, all of them by default."""
    parts = {"client": client, "decoding": decoding, "sharing": sharing, "vllm": vllm}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="by default all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=8, help="judged in a round")
    parser.add_argument("--tokens", type=int, default=128, help="budget of a rollout")
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--profile", default="cor", help="of the prompts of `decoding`")
    parser.add_argument("--threads", type=int, help="by default one a physical core")
    parser.add_argument(
        "--parallel", type=int, help="requests at once; by default the app's, client 4, vllm 32"
    )
    parser.add_argument("--data", type=Path, default=EXAMPLES, help="pairs for `sharing`")
    asked = parser.parse_args()
    for name in asked.parts or parts:
        parts[name](asked)
    sys.stdout.flush()
    os._exit(0)  # native threads may hang at an orderly end


def client(asked: argparse.Namespace) -> None:
    """The batch runner against a bare client."""
    plan = Plan(max_tokens=asked.tokens)
    pairs = list(_pairs(asked.pairs, 0))
    bodies = _bodies(pairs, plan)
    parallel = asked.parallel or 4
    with _server(parallel, asked.threads or psutil.cpu_count(logical=False) or 1) as (url, key):
        settings = OpenAISettings(
            base_url=url, api_key=key, model="judge", dialect="llama.cpp", parallel=parallel
        )
        with closing(OpenAIBackend(settings)) as backend:
            judge = Judge(backend, load_profile("cor"))

            def ours() -> float:
                return _seconds(lambda: _judge_all(judge, pairs, plan, parallel))

            def bare() -> float:
                return _seconds(lambda: asyncio.run(_ask_all(url, key, bodies, parallel)))

            ours()  # what all prompts share is read before the first round
            _report("bare client's seconds / the batch runner's", bare, ours, asked.rounds, 0.95)


def decoding(asked: argparse.Namespace) -> None:
    """The embedded server against `generate`, in tokens a second after the first."""
    if not TRAIN_PYTHON.exists():
        print("decoding: left out, .venv-train is not there (make .venv-train/.done)")
        return
    settings = EmbeddedSettings(threads=asked.threads, parallel=asked.parallel)
    with (
        closing(EmbeddedBackend(settings)) as backend,
        start_generating(TRAIN_PYTHON, asked.dtype, PACKAGED_FOLDER) as generate,
    ):
        judge = default_judge(backend)
        pairs = _pairs(asked.rounds + 1, 1)
        profile = load_profile(asked.profile)
        chats = [build_chat(pair, profile).messages for pair in pairs]
        left = {"ours": iter(chats), "theirs": iter(chats)}

        def ours() -> float:
            sampling = Sampling(asked.tokens)
            request = ChatRequest(next(left["ours"]), sampling, adapter=judge.adapter)
            return _written(backend, request)

        def theirs() -> float:
            return generate(next(left["theirs"]), asked.tokens)

        ours(), theirs()
        _report(f"embedded tokens/s / generate's in {asked.dtype}", ours, theirs, asked.rounds, 4.0)


def sharing(asked: argparse.Namespace) -> None:
    """More rollouts of a pair against one of it, each time with another first word."""
    lines = asked.data.read_text(encoding="utf-8").splitlines()
    found = [pair_from_record(orjson.loads(line)) for line in lines]
    settings = EmbeddedSettings(parallel=asked.parallel, threads=asked.threads)
    with closing(EmbeddedBackend(settings)) as backend:
        judge = default_judge(backend)
        for title, plan, most in (
            ("four votes' seconds / one's", {"votes": 4}, 2.2),
            ("both orders' seconds / one's", {"orders": "both"}, 1.7),
        ):
            several, alone = _marked(found, title), _marked(found, f"alone, {title}")

            def judged(pairs: Iterator[Pair], **chosen: object) -> float:
                pair = next(pairs)
                drawn = {"temperature": 0.7, "max_tokens": asked.tokens, **chosen}
                wanted = Plan.model_validate(drawn)
                return _seconds(lambda: _whole(judge.judge(pair, wanted).state))

            judged(several, **plan), judged(alone)
            _report(
                title,
                lambda: judged(several, **plan),  # noqa: B023
                lambda: judged(alone),  # noqa: B023
                asked.rounds,
                -most,
            )


def vllm(asked: argparse.Namespace) -> None:
    """A vLLM server asked 32 things at once against one at a time."""
    if not (VLLM_PYTHON.exists() and TRAIN_PYTHON.exists()):
        print("vllm: left out, .venv-vllm or .venv-train is not there (make .venv-vllm/.done)")
        return
    code = "from training.base import embedded_base; print(embedded_base())"
    said = subprocess.run(
        [TRAIN_PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    settings = VllmSettings(
        model=said.stdout.splitlines()[-1],
        command=(str(VLLM_PYTHON), "-m", "vllm.entrypoints.openai.api_server"),
        arguments=("--enforce-eager",),
        dtype="float32",
        context_tokens=2048,
        parallel=32,
        start_timeout_s=540,
    )
    plan = Plan(max_tokens=asked.tokens)
    with closing(VllmBackend(settings)) as backend:
        judge = Judge(backend, load_profile("cor"))
        numbers = iter(range(4, 1_000_000))

        def judged(workers: int) -> float:
            pairs = list(_pairs(asked.pairs, next(numbers)))
            return _seconds(lambda: _judge_all(judge, pairs, plan, workers))

        judged(32)
        title = f"{asked.pairs} pairs one at a time / up to 32 at once, seconds"
        _report(title, lambda: judged(1), lambda: judged(32), asked.rounds, 1.0)


def _report(title: str, above: Side, below: Side, rounds: int, target: float) -> None:
    """Print the ratio of two sides: a target below zero is a ceiling."""
    uppers, lowers = [], []
    for number in range(rounds):
        if number % 2:
            lowers.append(below())
            uppers.append(above())
        else:
            uppers.append(above())
            lowers.append(below())
    ratios = [upper / lower for upper, lower in zip(uppers, lowers, strict=True)]
    typical = statistics.median(ratios)
    met = typical <= -target if target < 0 else typical >= target
    wanted = f"at {'most' if target < 0 else 'least'} {abs(target):g}: {'met' if met else 'MISSED'}"
    print(
        f"{title:52} {typical:6.2f}  (from {min(ratios):.2f} to {max(ratios):.2f}, "
        f"{rounds} rounds; {statistics.median(uppers):.2f} / {statistics.median(lowers):.2f})  "
        f"{wanted}",
        flush=True,
    )


def _pairs(count: int, salt: int) -> Iterator[Pair]:
    """Pairs of this repository's own texts, of much the same length, none of them twice.

    Args:
        salt: pairs of another one begin differently, so that no server has them in its cache.
    """
    files = [file for glob in _TEXTS for file in sorted(ROOT.glob(glob))]
    whole = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for number in range(count):
        begin = (len(whole) * number // count + 97 * salt) % (len(whole) - 1500)
        first, second = whole[begin : begin + 600], whole[begin + 700 : begin + 1300]
        yield Pair.of(f"{salt}.{number}: go on with: {first[:150]}", first[150:], second)


def _marked(pairs: Sequence[Pair], mark: str) -> Iterator[Pair]:
    """The pairs in turn, each time with other first words, so that no server has read it before."""
    for number in count():
        pair = pairs[number % len(pairs)]
        first, *later = pair.conversation
        words = f"{number} {mark}: {first.content}"
        conversation = (first.model_copy(update={"content": words}), *later)
        yield pair.model_copy(update={"conversation": conversation})


def _bodies(pairs: Sequence[Pair], plan: Plan) -> list[bytes]:
    """What the batch runner sends for these pairs."""
    noting = ScriptedBackend(["<answer>[[A]]</answer>"])
    judge = Judge(noting, load_profile("cor"))
    for pair in pairs:
        judge.judge(pair, plan)
    return [orjson.dumps(request_body(one, "judge", "llama.cpp")) for one in noting.asked]


async def _ask_all(url: str, key: str, bodies: Sequence[bytes], at_once: int) -> None:
    room = asyncio.Semaphore(at_once)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=300, trust_env=False
    ) as asking:

        async def ask(body: bytes) -> None:
            async with room, asking.stream("POST", "chat/completions", content=body) as reply:
                assert reply.status_code == httpx.codes.OK, reply.status_code
                text = ""
                async for line in reply.aiter_lines():
                    if line.startswith("data: {"):
                        delta = orjson.loads(line[6:])["choices"]
                        text += (delta[0]["delta"].get("content") or "") if delta else ""
                    if _STOP in text[-40:] or line == "data: [DONE]":
                        return

        await asyncio.gather(*map(ask, bodies))


@contextmanager
def _server(parallel: int, threads: int) -> Iterator[tuple[str, str]]:
    """A llama.cpp server with the embedded weights: its address and key."""
    source = find_weights()
    options = ServerOptions(
        model=str(prepare_weights(source, file_hash(source), default_cache())),
        context=4096,
        parallel=parallel,
        threads=threads,
        writing_threads=threads,
        adapters=(),
        key=secrets.token_urlsafe(),
    )
    running = launch_embedded(options)
    try:
        yield str(running.client.base_url), options.key
    finally:
        running.end()


def _judge_all(judge: Judge, pairs: Sequence[Pair], plan: Plan, workers: int) -> None:
    for judgement in judge_many(judge, pairs, plan, workers=workers):
        _whole(judgement.state)


def _whole(state: State) -> None:
    if state is State.FAILED:
        raise SystemExit("a judgement failed: the figures would mean nothing")


def _written(backend: Backend, request: ChatRequest) -> float:
    """Tokens a second after the first token."""
    first = last = 0.0
    tokens = 0
    for delta in backend.stream(request):
        if delta.text:
            last = time.perf_counter()
            first = first or last
        tokens = delta.completion_tokens or tokens
    return (tokens - 1) / (last - first)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
