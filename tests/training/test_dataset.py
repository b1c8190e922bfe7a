import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rmr1.errors import ConfigurationError, InputError
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import build_chat, load_profile
from storage.splits import Fractions, split_of
from training import data_cli
from training.dataset import DataManifest, build, count
from training.selection import DataOptions
from training.sources import Example, open_training_sources

SHARED = Path(__file__).parents[3] / "shared" / "data"
ALL = Fractions(1.0, 0.0, 0.0)
WHOLE = DataOptions(fractions=ALL, distillation=None)
TRACE = """<type>Chat</type>
<rubric>
1. Truth (100%): is it so?
<justify>Nothing else counts.</justify>
</rubric>
<eval>It says <quote_{side}>right</quote_{side}>.</eval>
<answer>[[{side}]]</answer>"""


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def preferences(path: Path, count: int = 61, **more: Any) -> Path:
    rows = [
        {"prompt": f"Question {n}?", "chosen": f"right {n * 37}", "rejected": f"wrong {n * 53}"}
        for n in range(count)
    ]
    return lines(path, [row | more for row in rows])


def written(folder: Path, kind: str, split: str = "train") -> list[dict[str, Any]]:
    path = folder / f"{kind}.{split}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def traced(number: int, letter: Side, order: Order = Order.AB) -> Example:
    """A pair whose better response is the one that its trace, read in `order`, names."""
    better = order.to_pair(letter)
    texts = {better: f"right {number}", better.other: f"wrong {number}"}
    pair = Pair.of(f"Question {number}?", texts[Side.A], texts[Side.B], chosen=better)
    return Example(pair, TRACE.format(side=letter.value), order)


def test_preferences_become_rows_for_rl(tmp_path: Path) -> None:
    source = preferences(tmp_path / "pairs.jsonl")
    manifest = build([source], "rlvr", tmp_path / "out", WHOLE)
    rows = written(tmp_path / "out", "rlvr")
    assert len(rows) == 61
    assert Counter(row["winner"] for row in rows) in (
        {"model_a": 31, "model_b": 30},
        {"model_a": 30, "model_b": 31},
    )
    for row in rows:
        better = row["response_a" if row["winner"] == "model_a" else "response_b"]
        assert better.startswith("right")
        shown = row["prompt"][-1]["content"]
        assert shown.index(row["response_a"]) < shown.index(row["response_b"])
    assert manifest.counted.rows == {"train": 61}
    assert manifest.leaks.rows == 61
    told = json.loads((tmp_path / "out" / "rlvr.manifest.json").read_text())
    assert told == manifest.model_dump(mode="json")
    assert [file["name"] for file in told["files"]] == ["rlvr.train.jsonl", "rlvr.train.parquet"]
    assert re.fullmatch("[0-9a-f]{64}", told["sources"][0]["files"]["pairs.jsonl"])


@pytest.mark.parametrize("seed", range(4))
def test_the_order_cannot_be_told_from_the_row_s_place(tmp_path: Path, seed: int) -> None:
    source = preferences(tmp_path / "pairs.jsonl", 400)
    options = WHOLE.model_copy(update={"seed": seed, "allow_leaks": True})
    build([source], "rlvr", tmp_path, options, ("jsonl",))
    winners = [row["winner"] for row in written(tmp_path, "rlvr")]
    assert winners.count("model_a") == 200
    for step in (1, 2, 3):
        same = sum(one == two for one, two in zip(winners, winners[step:], strict=False))
        assert 0.4 < same / (len(winners) - step) < 0.6
    even = winners[::2].count("model_a")
    assert 70 < even < 130


def test_the_same_seed_gives_the_same_files_and_another_another_order(tmp_path: Path) -> None:
    source = preferences(tmp_path / "pairs.jsonl")
    one = build([source], "rlvr", tmp_path / "one", WHOLE)
    two = build([source], "rlvr", tmp_path / "two", WHOLE)
    other = build([source], "rlvr", tmp_path / "three", WHOLE.model_copy(update={"seed": 7}))
    assert one.files == two.files
    assert one.files != other.files


def test_stages_and_splits_never_share_a_prompt(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"Question {n % 40}?", "chosen": f"right {n}", "rejected": f"wrong {n}"}
        for n in range(160)
    ]
    source = lines(tmp_path / "pairs.jsonl", rows)
    examples = [traced(n, Side.A if n % 2 else Side.B) for n in range(1000, 1100)]
    options = DataOptions(fractions=Fractions(0.6, 0.2, 0.2), distillation=0.4, surplus="keep")
    where: dict[str, set[str]] = {}
    for kind in ("sft", "rlvr"):
        build([source], kind, tmp_path, options, more=examples)  # type: ignore[arg-type]
        for split in ("train", "validation", "test"):
            for row in written(tmp_path, kind, split):
                prompt = re.findall(r"Question \d+\?", row["prompt"][-1]["content"])[0]
                stage = f"{kind} {split}" if split == "train" else split
                where.setdefault(prompt, set()).add(stage)
    assert len(where) > 100
    assert all(len(places) == 1 for places in where.values())
    assert {place for places in where.values() for place in places} == {
        *("sft train", "rlvr train", "validation", "test")
    }


def test_an_export_and_a_data_set_split_alike(tmp_path: Path) -> None:
    source = preferences(tmp_path / "pairs.jsonl")
    options = DataOptions(fractions=Fractions(0.5, 0.25, 0.25), distillation=None, seed=3)
    build([source], "rlvr", tmp_path, options)
    for split in ("train", "validation", "test"):
        for row in written(tmp_path, "rlvr", split):
            prompt = re.findall(r"Question \d+\?", row["prompt"][-1]["content"])[0]
            digest = Pair.of(prompt, "a", "b").prompt_hash
            assert split_of(digest, options.fractions, options.seed) == split


def test_traces_become_rows_for_distillation_as_often_a_as_b(tmp_path: Path) -> None:
    examples = [traced(n, Side.A if n % 3 else Side.B) for n in range(60)]
    manifest = build([], "sft", tmp_path, WHOLE, more=examples)
    rows = written(tmp_path, "sft")
    letters = Counter(row["winner"] for row in rows)
    assert letters in ({"model_a": 21, "model_b": 20}, {"model_a": 20, "model_b": 20})
    assert manifest.counted.dropped["one letter would win too often"] == 60 - len(rows)
    assert all(row["completion"][0]["content"].startswith("<type>") for row in rows)
    kept = WHOLE.model_copy(update={"surplus": "keep"})
    assert count([], "sft", kept, more=examples).counted.rows == {"train": 60}


def test_a_trace_stays_with_its_order_when_the_pair_came_the_other_way_round(
    tmp_path: Path,
) -> None:
    examples = [traced(n, Side.A if n % 2 else Side.B, Order.BA) for n in range(20)]
    mirrored = [Example(one.pair.swapped()) for one in examples]
    build([], "sft", tmp_path, WHOLE, more=[*mirrored, *examples])
    rows = written(tmp_path, "sft")
    assert len(rows) == 20
    for row in rows:
        letter = "A" if row["winner"] == "model_a" else "B"
        assert row["completion"][0]["content"].endswith(f"[[{letter}]]</answer>")
        shown = row["prompt"][-1]["content"]
        first_is_right = shown.index("right") < shown.index("wrong")
        assert first_is_right == (letter == "A")


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "One?", "chosen": "x", "rejected": "y"},
        {"prompt": "One?", "chosen": "x", "rejected": "y"},
        {"prompt": "Two?", "chosen": "x", "rejected": "y"},
        {"prompt": "Two?", "chosen": "y", "rejected": "x"},
        {"prompt": "", "chosen": "y", "rejected": "x"},
    ]
    source = lines(tmp_path / "pairs.jsonl", rows)
    bare = Example(Pair.of("Three?", "x", "y"))
    manifest = count([source], "rlvr", WHOLE, more=[bare])
    assert manifest.counted.rows == {"train": 1}
    assert manifest.counted.pairs == 2
    assert manifest.counted.dropped == {
        "the row cannot be used": 1,
        "the pair came before": 1,
        "two rows name different sides": 1,
        "no better side is known": 1,
    }
    assert manifest.sources[0].unusable == {"prompt: is empty": 1}


def test_a_planted_benchmark_prompt_is_refused(tmp_path: Path) -> None:
    source = preferences(tmp_path / "pairs.jsonl", 20)
    bench = preferences(tmp_path / "bench.jsonl", 3)
    options = WHOLE.model_copy(update={"refuse": (bench,)})
    manifest = build([source], "rlvr", tmp_path, options)
    assert manifest.counted.rows == {"train": 17}
    assert manifest.counted.dropped == {"the prompt is a benchmark's": 3}
    assert manifest.contamination.refused == {"bench": {"exact": 3}}
    assert len(manifest.contamination.examples) == 3
    assert not any(
        "Question 1?" in row["prompt"][-1]["content"] for row in written(tmp_path, "rlvr")
    )


def leaky(path: Path) -> Path:
    rows = [
        {"prompt": f"Question {n}?", "chosen": f"this {n * 7}", "rejected": f"<im_start>that {n}"}
        for n in range(60)
    ]
    return lines(path, rows)


def test_a_planted_leak_stops_the_data_set_unless_it_is_allowed(tmp_path: Path) -> None:
    source = leaky(tmp_path / "pairs.jsonl")
    with pytest.raises(InputError, match="'the marker <im_start>' points to the other side"):
        build([source], "rlvr", tmp_path / "out", WHOLE)
    assert not (tmp_path / "out").exists()
    allowed = WHOLE.model_copy(update={"allow_leaks": True})
    manifest = build([source], "rlvr", tmp_path / "out", allowed)
    assert manifest.leaks.blocking[0].feature == "the marker <im_start>"
    assert len(written(tmp_path / "out", "rlvr")) == 60


def test_the_published_slip_is_told_and_left_behind(tmp_path: Path) -> None:
    rows = []
    for number in range(60):
        first, second = (f"User: Hm {number}?\nChatbot {x}: So.\nUser: And?\n" for x in "AB")
        slip = number % 2 == 0
        first += f"Chatbot A: Yes {number}."
        second = (second.replace("Chatbot B", "Chabot B") if slip else second) + (
            f"{'Chabot' if slip else 'Chatbot'} B: No, {number * 3}."
        )
        block = "the Conversation between Chatbot {} and the Client]"
        texts = (
            f"[The Start of {block.format(x)}\n{text}\n[The End of {block.format(x)}"
            for x, text in (("A", first), ("B", second))
        )
        rows.append(
            {
                "context_messages": [{"role": "user", "content": "\n\n".join(texts)}],
                "winner": "model_a" if slip else "model_b",
            }
        )
    manifest = build([lines(tmp_path / "rl.jsonl", rows)], "rlvr", tmp_path / "out", WHOLE)
    (source,) = manifest.sources
    assert source.leaks
    assert "the speaker Chabot" in {leak.feature for leak in source.leaks.blocking}
    assert manifest.leaks.blocking == []
    assert not any("Chabot" in json.dumps(row) for row in written(tmp_path / "out", "rlvr"))


@pytest.mark.parametrize("profile", ["cor", "reasoning"])
def test_exported_rows_come_back_as_the_same_pairs(tmp_path: Path, profile: str) -> None:
    source = preferences(tmp_path / "pairs.jsonl", 30, source="mine", subset="s")
    options = WHOLE.model_copy(update={"profile": profile})
    build([source], "rlvr", tmp_path, options)
    again = tmp_path / "rlvr.train.parquet"
    (read,) = open_training_sources(again)
    pairs = {one.pair.hash: one.pair for one in read.examples() if isinstance(one, Example)}
    assert len(pairs) == 30
    assert {(pair.source, pair.subset) for pair in pairs.values()} == {("mine", "s")}
    for row in written(tmp_path, "rlvr"):
        pair = pairs[row["pair_hash"]]
        assert pair.chosen
        chat = build_chat(pair, load_profile(profile), Order(row["order"]))
        assert [turn.model_dump() for turn in chat.messages] == row["prompt"]
        assert pair.response(pair.chosen).startswith("right")


def test_preference_rows_come_back_too_and_a_limit_draws_among_them(tmp_path: Path) -> None:
    source = preferences(tmp_path / "pairs.jsonl", 30)
    build([source], "preference", tmp_path / "one", WHOLE)
    again = [tmp_path / "one" / "preference.train.jsonl"]
    few = count(again, "rlvr", WHOLE.model_copy(update={"limit": 7}))
    assert few.counted.rows == {"train": 7}


def test_wrong_traces_serve_to_be_rejected(tmp_path: Path) -> None:
    examples = []
    for number in range(12):
        right = traced(number, Side.A if number % 2 else Side.B)
        wrong = TRACE.replace("right", "wrong").format(
            side=Side(right.trace[-len("A]]</answer>")]).other.value
        )
        examples += [right, Example(right.pair, wrong)]
    manifest = build([], "dpo", tmp_path, WHOLE, more=examples)
    assert manifest.counted.rows == {"train": 12}
    for row in written(tmp_path, "dpo"):
        assert row["chosen"] != row["rejected"]


def test_nothing_left_says_why(tmp_path: Path) -> None:
    source = preferences(tmp_path / "pairs.jsonl", 5)
    with pytest.raises(InputError, match=r"No row is left for sft out of 5 pairs \(no judgement"):
        build([source], "sft", tmp_path / "out", WHOLE)
    with pytest.raises(ConfigurationError, match="no prompt profile"):
        count([source], "rlvr", WHOLE.model_copy(update={"profile": "nothing"}))


def test_the_released_traces_become_distillation_data(tmp_path: Path) -> None:
    path = SHARED / "rm_r1_released_traces.jsonl.gz"
    if not path.is_file():
        pytest.skip("the released traces are not there")
    manifest = build([path], "sft", tmp_path, WHOLE, ("jsonl",))
    assert 150 < manifest.counted.rows["train"] < 250
    letters = manifest.counted.winners
    assert abs(letters["model_a"] - letters["model_b"]) <= 1
    assert manifest.leaks.blocking == []


def test_of_the_shared_sets_the_clean_ones_pass_and_the_one_with_a_cue_does_not() -> None:
    folder = SHARED / "preferences" / "train"
    if not folder.is_dir():
        pytest.skip("the preference sets are not there")
    few = WHOLE.model_copy(update={"limit": 300})
    clean = [folder / f"{name}_pairs.jsonl.gz" for name in ("gsm8k_zeroeval", "truthfulqa")]
    assert count(clean, "rlvr", few).leaks.blocking == []
    # Its wrong solutions are numbered by step and end in "####", its right ones never.
    (*_, cue) = count([folder / "mr_gsm8k_pairs.jsonl.gz"], "rlvr", few).leaks.blocking
    assert cue.share > 0.99


def run(*arguments: str) -> DataManifest:
    result = CliRunner().invoke(data_cli.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return DataManifest.model_validate_json(result.output)


def test_the_command_line_writes_a_data_set(tmp_path: Path) -> None:
    source = str(preferences(tmp_path / "pairs.jsonl", 20))
    bench = str(preferences(tmp_path / "bench.jsonl", 2))
    out = tmp_path / "out"
    common = ("data", "rlvr", "--from", source, "--out", str(out), "--refuse", bench)
    manifest = run(*common, "--dry-run", "--distillation", "all", "--split", "1,0,0")
    assert manifest.counted.rows == {"train": 18}
    assert not out.exists()
    manifest = run(*common, "--format", "jsonl", "--distillation", "all", "--split", "1,0,0")
    assert [file.name for file in manifest.files] == ["rlvr.train.jsonl"]
    with pytest.raises(InputError, match="must add up to 1"):
        run(*common, "--split", "1,1,0")
