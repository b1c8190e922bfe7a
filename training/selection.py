"""Which pairs a stage of training gets out of public sets, files and logs: once, split, ordered."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rmr1.judgement import JudgeVersion
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import Layout
from rmr1.readers import RowError
from rmr1.rollout import read_rollout
from storage.export_files import file_sha256
from storage.export_rows import Candidate, Kind
from storage.exporting import ExportOptions
from storage.splits import Split, draw, is_for_distillation, split_of
from training.chats import published_sides
from training.contamination import Benchmarks, ContaminationReport, read_benchmarks
from training.leaks import LeakReport, LeakScan, Shown
from training.sources import Example, TrainingSource, open_training_sources

Stage = Literal["distillation", "rl", "all"]

STAGES: dict[Kind, Stage] = {
    "sft": "distillation",
    "dpo": "distillation",
    "rlvr": "rl",
    "preference": "all",
}
_REASONS = 40


class DataOptions(ExportOptions):
    """What goes into a data set, and how it is split; as for an export, and more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    refuse: tuple[Path, ...] = Field(
        default=(),
        description="benchmarks whose prompts must not be trained on: files, folders, or Hub sets "
        "as `hub:OWNER/NAME`",
    )
    limit: int | None = Field(
        default=None, ge=1, description="at most so many pairs of each source, by lot"
    )
    surplus: Literal["drop", "keep"] = Field(
        default="drop",
        description="in `sft` and `dpo`, whose orders are given: what becomes of rows that would "
        "make one letter win more often than the other",
    )
    allow_leaks: bool = Field(default=False, description="write it though its form tells the label")


class SourceReport(BaseModel):
    """What a source brought.

    Attributes:
        files: with their SHA-256 (hex).
        rows: that could be used, each a pair or a trace on one.
        unusable: rows that could not, by reason.
        leaks: what a scan of the source's own wording found, where it words the chats itself; our
            own wording does not take such a leak over.
    """

    name: str
    layout: str
    files: dict[str, str]
    rows: int = 0
    unusable: dict[str, int] = {}
    leaks: LeakReport | None = None


@dataclass(slots=True)
class Chosen:
    """A pair with its place.

    Attributes:
        pair: its better side known.
        order: that a judge should read the responses in.
    """

    pair: Pair
    texts: list[Candidate] = field(default_factory=list)
    split: Split = "train"
    order: Order = Order.AB

    @property
    def winner(self) -> Side:
        """The better side."""
        assert self.pair.chosen
        return self.pair.chosen


@dataclass(slots=True)
class Selection:
    """The pairs that a stage gets.

    Attributes:
        dropped: why pairs were left out, counted.
        versions: of the judges whose texts came with the pairs, by hash.
    """

    pairs: list[Chosen] = field(default_factory=list)
    found: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    sources: list[SourceReport] = field(default_factory=list)
    contamination: ContaminationReport = field(default_factory=ContaminationReport)
    versions: dict[str, JudgeVersion] = field(default_factory=dict)


def select(
    names: Sequence[str | Path],
    stage: Stage,
    options: DataOptions,
    *,
    layout: Layout = "cor",
    more: Iterable[Example] = (),
) -> Selection:
    """Read training sets and choose what a stage of training gets.

    A pair comes in once, whatever its order and however many sources hold it. One whose sources
    name different sides, or none, is left out; so is one whose prompt a benchmark holds. All
    pairs of a prompt go to one split and one stage.

    Args:
        names: as for `open_training_sources`.
        layout: which sections the traces of the sources have.
        more: examples that are made here rather than read.

    Raises:
        InputError: a source or a benchmark cannot be read.
    """
    selection = Selection()
    gathering = _Gathering(selection, layout)
    for name in names:
        for source in open_training_sources(name):
            gathering.take(_limited(_read(source, selection), options))
    gathering.take(more)
    selection.found = len(gathering.pairs) + len(gathering.opposed)
    clean = list(_clean(gathering, read_benchmarks(options.refuse)))
    _place(clean, options)
    selection.pairs = [one for one in clean if _is_for(one, stage, options)]
    if kept := len(clean) - len(selection.pairs):
        other = "RL" if stage == "distillation" else "distillation"
        selection.dropped[f"kept for {other}"] = kept
    return selection


def _read(source: TrainingSource, selection: Selection) -> Iterator[Example]:
    """The examples of a source, its report filled in on the way."""
    report = SourceReport(
        name=source.name,
        layout=source.layout,
        files={path.name: file_sha256(path) for path in source.paths},
    )
    selection.sources.append(report)
    unusable: Counter[str] = Counter()
    looking = LeakScan()
    for item in source.examples():
        if isinstance(item, RowError):
            unusable[f"{item.column}: {item.reason}".removeprefix(": ")[:120]] += 1
            continue
        report.rows += 1
        _look(looking, item)
        yield item
    report.unusable = dict(unusable.most_common(_REASONS))
    leaks = looking.report()
    report.leaks = leaks if leaks.rows else None
    if unusable:
        selection.dropped["the row cannot be used"] += unusable.total()


def _look(looking: LeakScan, example: Example) -> None:
    shown = published_sides(example.chat) if example.chat else None
    if shown and example.pair.chosen:
        looking.add(Shown(*shown, winner=example.pair.chosen))


def _limited(examples: Iterable[Example], options: DataOptions) -> Iterable[Example]:
    if options.limit is None:
        return examples
    drawn = sorted(examples, key=lambda one: _lot(options, "limit", one.pair))
    keys = list(dict.fromkeys(one.pair.content_hash for one in drawn))[: options.limit]
    wanted = set(keys)
    return [one for one in drawn if one.pair.content_hash in wanted]


@dataclass(slots=True)
class _Gathering:
    """Pairs while they come in, by content."""

    selection: Selection
    layout: Layout
    pairs: dict[str, Chosen] = field(default_factory=dict)
    opposed: set[str] = field(default_factory=set)

    def take(self, examples: Iterable[Example]) -> None:
        for example in examples:
            self._take(example)

    def _take(self, example: Example) -> None:
        dropped = self.selection.dropped
        pair = example.pair
        if pair.chosen is None:
            dropped["no better side is known"] += 1
            return
        key = pair.content_hash
        if key in self.opposed:
            return
        known = self.pairs.get(key)
        if known is None:
            known = self.pairs[key] = Chosen(pair.model_copy(update={"meta": {}}))
        elif known.pair.response(known.winner) != pair.response(pair.chosen):
            del self.pairs[key]
            self.opposed.add(key)
            dropped["two rows name different sides"] += 1
            return
        elif not example.trace:
            dropped["the pair came before"] += 1
        if example.trace:
            known.texts.append(self._candidate(example, known.pair))

    def _candidate(self, example: Example, pair: Pair) -> Candidate:
        """The trace as one on the pair as it came first."""
        same = pair.response_a == example.pair.response_a
        flipped = Order.BA if example.order is Order.AB else Order.AB
        order = example.order if same else flipped
        version = example.version or JudgeVersion(backend="", model="")
        self.selection.versions[version.hash] = version
        rollout = read_rollout(pair, order, example.trace, finish_reason="stop", layout=self.layout)
        return Candidate(example.trace, rollout, version.hash)


def _clean(gathering: _Gathering, benchmarks: Benchmarks) -> Iterator[Chosen]:
    dropped = gathering.selection.dropped
    for one in gathering.pairs.values():
        if benchmarks.check(one.pair):
            dropped["the prompt is a benchmark's"] += 1
        else:
            yield one
    gathering.selection.contamination = benchmarks.report()


def _place(chosen: Sequence[Chosen], options: DataOptions) -> None:
    """Give each pair its split, and, by lot, an order: every other better response is A."""
    letters: Counter[tuple[Split, bool]] = Counter()
    for one in sorted(chosen, key=lambda one: _lot(options, "order", one.pair)):
        one.split = split_of(one.pair.prompt_hash, options.fractions, options.seed)
        # What is trained on in each stage is balanced by itself.
        group = (one.split, one.split == "train" and _is_distilled(one, options))
        letter = Side.B if letters[group] % 2 else Side.A
        letters[group] += 1
        one.order = Order.AB if one.winner is letter else Order.BA


def _is_for(one: Chosen, stage: Stage, options: DataOptions) -> bool:
    if options.distillation is None or one.split != "train" or stage == "all":
        return True
    return _is_distilled(one, options) == (stage == "distillation")


def _is_distilled(one: Chosen, options: DataOptions) -> bool:
    share = options.distillation
    return share is not None and is_for_distillation(one.pair.prompt_hash, share, options.seed)


def _lot(options: DataOptions, purpose: str, pair: Pair) -> float:
    return draw(f"{options.seed}:{purpose}", pair.content_hash)
