"""`generate` of transformers with the embedded judge's weights: the way of RM-R1's demo notebook.

Run by the training environment's Python it answers lines of JSON, `{"messages", "tokens"}`, with
the tokens a second after the first. It decodes greedily, one chat at a time, and never stops before
its budget.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rmr1.pair import Message

ROOT = Path(__file__).parents[1]

Generate = Callable[[Sequence[Message], int], float]
"""From a chat and a number of tokens to the tokens a second after the first."""


@contextmanager
def start_generating(python: Path, dtype: str, adapter: Path) -> Iterator[Generate]:
    """A process that generates, until the end of the block.

    Args:
        python: of an environment with torch, transformers and peft.
        dtype: `bfloat16` as in the notebook, or `float32`.
        adapter: PEFT folder, merged into the weights.
    """
    with subprocess.Popen(
        [str(python), "-m", "benchmarks.generating", dtype, str(adapter)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        lines, replies = process.stdin, process.stdout

        def generate(messages: Sequence[Message], tokens: int) -> float:
            asked = {"messages": [turn.model_dump() for turn in messages], "tokens": tokens}
            lines.write(json.dumps(asked) + "\n")
            lines.flush()
            return float(json.loads(replies.readline())["rate"])

        yield generate
        lines.close()


class Times:
    """A streamer that notes when each token was written."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def put(self, _value: object) -> None:
        """Take the prompt, and then each token."""
        self.seconds.append(time.perf_counter())

    def end(self) -> None:
        """There is nothing left to do."""


def main() -> None:
    """Answer the lines of standard input."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from training.base import embedded_base

    dtype, adapter = sys.argv[1:]
    folder = embedded_base(dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    model = PeftModel.from_pretrained(base, adapter).merge_and_unload().eval()

    for line in sys.stdin:
        asked = json.loads(line)
        prompt = tokenizer.apply_chat_template(
            asked["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        times, count = Times(), asked["tokens"]
        with torch.inference_mode():
            model.generate(
                **prompt,
                max_new_tokens=count,
                min_new_tokens=count,
                do_sample=False,
                streamer=times,
            )
        _, first, *_, last = times.seconds  # before them the prompt is handed over
        rate = (len(times.seconds) - 2) / (last - first)
        sys.stdout.write(json.dumps({"rate": rate}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
