"""Feed random and mutated texts to the trace parser: `python -m benchmarks.fuzz_trace [count]`.

No text may raise, and any chunking must end in the trace of the whole text. The seeds below are
always used, the released RM-R1 judgements too where they lie beside the repository.
"""

import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rmr1.tags import EVIDENCE, SECTIONS
from rmr1.trace import Trace, TraceParser, parse_trace
from rmr1.verdict import VERDICT_RULES

RELEASED = Path(__file__).parents[2] / "shared/data/rm_r1_released_traces.jsonl.gz"
LONGEST = 1_200  # characters; enough for every section, and fast

SEEDS = (
    "<type>Chat</type>\n<rubric>\n1. Accuracy (60%): right?\n2. **Tone** – 0.4\n<justify>so"
    "</justify>\n</rubric>\n<eval>\n<quote_A>a</quote_A> <summary_B>b</summary_B> ok\n</eval>\n"
    "<answer>[[A]]</answer>",
    "<type>Reasoning</type><solution>4</solution><eval>`<eval>` A</eval>\n<answer>[[B]]</answer>",
    "First A, then [[B]].\n</think>\n\nA is better.\n<answer>[[A]]</answer></answer>",
    "< type > chat </ type ><rubrics>| a | 40% |</rubric><eval><quote_A></eval><answer>[[A]]",
)
SPLINTERS = (
    *(f"<{slash}{name}>" for name in ("think", *SECTIONS, *EVIDENCE) for slash in ("", "/")),
    *("[[A]]", "[[B]]", "[[", "]]", "[", "<", "</", ">", "`", "< Eval >", "<rubrics>", "(40%)"),
    *("1. ", "- ", "**", "weight: 2/5", "\n", " ", "\0", "\ud800", "…", "土", "A", "B", "Chat"),
)


def texts(count: int, seeds: Sequence[str], chance: random.Random) -> list[str]:
    """Half of them splinters in a row, half of them seeds with pieces cut, copied and put in."""
    made = []
    for number in range(count):
        if number % 2:
            made.append("".join(chance.choices(SPLINTERS, k=chance.randrange(40))))
        else:
            made.append(mutated(chance.choice(seeds), chance))
    return made


def mutated(text: str, chance: random.Random) -> str:
    """A stretch of the text with a few random edits."""
    start = chance.randrange(max(1, len(text) - LONGEST // 2))
    text = text[start : start + chance.randrange(LONGEST)] if chance.random() < 0.5 else text
    text = text[:LONGEST]
    for _ in range(chance.randrange(1, 6)):
        at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        end = min(end, at + chance.randrange(200))
        edit = chance.randrange(3)
        text = text[:at] + ("", text[at:end] * 2, chance.choice(SPLINTERS))[edit] + text[end:]
    return text


def in_chunks(text: str, chance: random.Random) -> Trace:
    """The trace of the text fed in chunks of random lengths, with a snapshot now and then."""
    parser = TraceParser()
    size = chance.choice((1, 3, 7, 40, 500))
    position = 0
    while position < len(text):
        step = chance.randint(1, size)
        parser.feed(text[position : position + step])
        position += step
        if chance.random() < 0.05:
            parser.snapshot()
    return parser.finish()


def released() -> list[str]:
    """The released judgements' texts; none where the file is absent."""
    if not RELEASED.exists():
        return []
    with gzip.open(RELEASED, "rt", encoding="utf-8") as lines:
        written = [r.get("answers", r.get("output")) for r in map(json.loads, lines)]
    return [text for item in written for text in ([item] if isinstance(item, str) else item)]


def main(count: int) -> int:
    """Run `count` texts; 1 if any ended differently in chunks."""
    chance = random.Random(2505)
    seeds = [*SEEDS, *released()]
    seen: Counter[str] = Counter()
    wrong = characters = 0
    start = time.perf_counter()
    for _ in range(0, count, 1_000):
        for text in texts(min(1_000, count), seeds, chance):
            whole = parse_trace(text)
            characters += len(text)
            if in_chunks(text, chance) != whole:
                wrong += 1
                print("differs in chunks:", repr(text[:200]))
            seen["with a verdict"] += whole.verdict is not None
            seen["with both letters"] += len(set(whole.letters)) == 2
            seen["with a rubric"] += bool(whole.criteria)
            seen["with an evaluation"] += bool(whole.evaluation)
            seen["with slips"] += bool(whole.slips)
            seen["read otherwise by the evaluation rule"] += (
                VERDICT_RULES["evaluation"](text) is not whole.verdict
            )
    seconds = time.perf_counter() - start
    print(f"{count} texts, {characters} characters, {len(seeds)} seeds, {seconds:.0f} s")
    print(
        f"{wrong} differ in chunks, none raised; " + ", ".join(f"{n} {s}" for s, n in seen.items())
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
