"""Prompts of benchmarks kept out of training data: exact ones, and near ones.

A prompt is refused if it is a benchmark's but for case, space and punctuation; if it has 13 words
in a row with one; or, being short, if it is nearly the same to the letter and holds the same
numbers. Memory goes with the benchmarks' size, not with that of the training data.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from rapidfuzz import fuzz

from rmr1.cells import CellError, conversation
from rmr1.errors import InputError
from rmr1.pair import Message, Pair
from rmr1.readers import Row, RowError, read_rows
from storage.shapes import UnmappedColumns, propose_mapping
from training.sources import open_training_sources

Rule = Literal["exact", "13 words", "near"]

_RUN = 13
"""Words in a row that no benchmark's prompt may share.

Source: the rule by which GPT-3's evaluation was cleaned (arXiv 2005.14165, appendix C).
"""
_SHORT = 20
_NEAR = 90
_OPENING = 4
_COMMON = 50
_EXAMPLES = 5
_EXCERPT = 160
_SUFFIXES = {".json", ".jsonl", ".ndjson", ".parquet", ".csv", ".tsv", ".gz"}
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+")
_POWERS = np.array([pow(0x9E3779B97F4A7C15, n + 1, 1 << 64) for n in range(_RUN)], dtype=np.uint64)


class Hit(NamedTuple):
    """A benchmark's prompt that a training prompt comes too close to."""

    benchmark: str
    rule: Rule
    prompt: str


class Refusal(BaseModel):
    """An example of a refused prompt, shortened, beside the benchmark's."""

    benchmark: str
    rule: Rule
    prompt: str
    benchmark_prompt: str


class ContaminationReport(BaseModel):
    """What was checked against, and what was refused.

    Attributes:
        benchmarks: different prompts of each benchmark.
        unread: rows of the benchmarks' files that hold no prompt that can be read.
        checked: training pairs that were looked at.
        refused: pairs refused for each benchmark, by rule.
        examples: the first refusals for each benchmark.
    """

    benchmarks: dict[str, int] = {}
    unread: int = 0
    checked: int = 0
    refused: dict[str, dict[Rule, int]] = {}
    examples: list[Refusal] = []


class _Known(NamedTuple):
    benchmark: str
    key: str
    excerpt: str


@dataclass(slots=True)
class Benchmarks:
    """Prompts that must not be trained on, and the count of those that were found."""

    unread: int = 0
    _known: list[_Known] = field(default_factory=list)
    _exact: dict[str, int] = field(default_factory=dict)
    _signatures: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _words: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _runs: list[NDArray[np.uint64]] = field(default_factory=list)
    _owners: list[NDArray[np.uint32]] = field(default_factory=list)
    _sorted: tuple[NDArray[np.uint64], NDArray[np.uint32]] | None = None
    _checked: int = 0
    _refused: dict[str, Counter[Rule]] = field(default_factory=lambda: defaultdict(Counter))
    _examples: list[Refusal] = field(default_factory=list)

    def add(self, benchmark: str, turns: Sequence[Message]) -> None:
        """Remember a prompt.

        Args:
            benchmark: the name to report it under.
        """
        for text in _texts(turns):
            words = _split(text)
            key = _key(text, words)
            if key in self._exact:
                continue
            number = len(self._known)
            self._exact[key] = number
            self._known.append(_Known(benchmark, key, text[:_EXCERPT]))
            runs = _hash_runs(words)
            if len(runs):
                self._runs.append(runs)
                self._owners.append(np.full(len(runs), number, dtype=np.uint32))
            if len(words) <= _SHORT:
                for signature in _hash_signatures(words):
                    self._signatures[signature].append(number)
                for word in set(words):
                    self._words[word].append(number)
        self._sorted = None

    def check(self, pair: Pair) -> Hit | None:
        """Look a training pair's prompt up, and count it; None if it may be trained on."""
        self._checked += 1
        hit = self.find(pair.conversation)
        if hit is None:
            return None
        counted = self._refused[hit.benchmark]
        counted[hit.rule] += 1
        if counted.total() <= _EXAMPLES:
            self._examples.append(
                Refusal(
                    benchmark=hit.benchmark,
                    rule=hit.rule,
                    prompt=pair.prompt[:_EXCERPT],
                    benchmark_prompt=hit.prompt,
                )
            )
        return hit

    def find(self, turns: Sequence[Message]) -> Hit | None:
        """The benchmark's prompt that a conversation comes too close to, if there is one."""
        if not self._known:
            return None
        for text in _texts(turns):
            words = _split(text)
            key = _key(text, words)
            if key in self._exact:
                return self._hit(self._exact[key], "exact")
            if (number := self._shares_a_run(words)) is not None:
                return self._hit(number, "13 words")
            if len(words) <= _SHORT and (number := self._is_near(key, words)) is not None:
                return self._hit(number, "near")
        return None

    def report(self) -> ContaminationReport:
        """What was checked and refused so far."""
        return ContaminationReport(
            benchmarks=dict(Counter(known.benchmark for known in self._known)),
            unread=self.unread,
            checked=self._checked,
            refused={name: dict(counted) for name, counted in self._refused.items()},
            examples=self._examples,
        )

    def _hit(self, number: int, rule: Rule) -> Hit:
        known = self._known[number]
        return Hit(known.benchmark, rule, known.excerpt)

    def _shares_a_run(self, words: Sequence[str]) -> int | None:
        runs = _hash_runs(words)
        if not len(runs) or not self._runs:
            return None
        if self._sorted is None:
            hashes, owners = np.concatenate(self._runs), np.concatenate(self._owners)
            order = np.argsort(hashes, kind="stable")
            self._sorted = hashes[order], owners[order]
        hashes, owners = self._sorted
        places = np.minimum(np.searchsorted(hashes, runs), len(hashes) - 1)
        found = np.flatnonzero(hashes[places] == runs)
        return int(owners[places[found[0]]]) if len(found) else None

    def _is_near(self, key: str, words: Sequence[str]) -> int | None:
        likely = {n for one in _hash_signatures(words) for n in self._signatures.get(one, ())}
        there = [found for word in set(words) if (found := self._words.get(word))]
        rarest = sorted(there, key=len)[:3]
        likely |= {n for found in rarest if len(found) <= _COMMON for n in found}
        numbers = _NUMBER.findall(key)
        for number in sorted(likely):
            other = self._known[number].key
            alike = fuzz.ratio(key, other, score_cutoff=_NEAR) >= _NEAR
            if alike and _NUMBER.findall(other) == numbers:
                return number
        return None


def read_benchmarks(paths: Iterable[Path]) -> Benchmarks:
    """Read the prompts of benchmarks' files: RewardBench, RM-Bench, RMB, any pairs, any prompts.

    Args:
        paths: files, folders of files, or data sets on the Hub as `hub:OWNER/NAME`.

    Raises:
        InputError: one of them cannot be read, or holds no prompt: a check that would check
            nothing must not pass for one.
    """
    benchmarks = Benchmarks()
    for path in paths:
        for file in _files(path):
            found = False
            for name, turns in _prompts(file, benchmarks):
                benchmarks.add(name, turns)
                found = True
            if not found:
                raise InputError(f"{str(file)!r} holds no prompt that could be read.")
    return benchmarks


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES)
    if not found:
        raise InputError(f"the folder {str(path)!r} holds no benchmark file.")
    return [one for one in found if not one.name.endswith(".manifest.json")]


def _prompts(
    path: Path, benchmarks: Benchmarks
) -> Iterator[tuple[str, tuple[Message, ...] | list[Message]]]:
    try:
        sources = open_training_sources(path)
    except UnmappedColumns:
        yield from _bare_prompts(path, benchmarks)
        return
    for source in sources:
        for item in source.examples():
            if isinstance(item, RowError):
                benchmarks.unread += 1
            else:
                yield item.pair.source or source.name, item.pair.conversation


def _bare_prompts(path: Path, benchmarks: Benchmarks) -> Iterator[tuple[str, list[Message]]]:
    """The prompts of a file that has no responses."""
    for row in read_rows(path):
        column = propose_mapping(row.cells).prompt if isinstance(row, Row) else None
        try:
            if not isinstance(row, Row) or column is None:
                raise CellError("prompt", "is missing")
            yield path.name.split(".")[0], conversation(row.cells.get(column), column)
        except CellError:
            benchmarks.unread += 1


def _texts(turns: Sequence[Message]) -> list[str]:
    """What is looked up of a conversation: its opening question, and all of it."""
    said = [turn for turn in turns if turn.role != "system"]
    whole = "\n".join(turn.content for turn in said)
    opening = next((turn.content for turn in said if turn.role == "user"), "")
    if len(said) == 1 or len(_split(opening)) < _OPENING:
        return [whole]
    return [opening, whole]


def _split(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _key(text: str, words: Sequence[str]) -> str:
    return " ".join(words) or text.strip()


def _hash_runs(words: Sequence[str]) -> NDArray[np.uint64]:
    """A number for each run of 13 words: the same in both places where a run stands."""
    count = len(words) - _RUN + 1
    if count < 1:
        return np.empty(0, dtype=np.uint64)
    each = np.fromiter(map(hash, words), dtype=np.int64, count=len(words)).view(np.uint64)
    runs = np.zeros(count, dtype=np.uint64)
    for place, power in enumerate(_POWERS):
        runs += each[place : place + count] * power
    return np.unique(runs)


def _hash_signatures(words: Sequence[str]) -> set[int]:
    """Numbers that two prompts have in common if they differ in one word at most."""
    whole = tuple(words)
    return {hash(whole), *(hash(whole[:i] + whole[i + 1 :]) for i in range(len(whole)))}
