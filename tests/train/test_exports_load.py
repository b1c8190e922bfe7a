"""Every export, written from labels that went through the labels API, in the trainer it names."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rmr1.judgement import JudgeVersion, conclude
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import read_rollout
from rmr1.trace import TaskType
from storage import judgements, labels, snapshots
from storage.compile import compile_trace
from storage.database import Database
from storage.entries import LabelEntry
from storage.export_rows import Kind
from storage.exporting import ExportOptions, export
from storage.snapshots import LabelFilter, Snapshot
from storage.splits import Fractions

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore"),  # torch and its friends warn about themselves
]
torch = pytest.importorskip("torch")
trl = pytest.importorskip("trl")

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
VERSION = JudgeVersion(backend="scripted", model="tiny", profile="cor")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{tmp_path / 'database.sqlite'}") as opened:
        yield opened


@pytest.fixture
def snapshot(database: Database) -> Snapshot:
    """Eight labelled pairs, one of them a tie, each judged once right and once wrong."""
    for number in range(8):
        turns = (Message(role="user", content=f"What is {number} and one?"),)
        if number % 2:
            asked = Message(role="assistant", content="In which base?")
            turns = (*turns, asked, Message(role="user", content="Ten."))
        pair = Pair(
            conversation=turns, response_a=f"It is {number + 1}.", response_b="It is nothing."
        )
        with database.write() as session:
            keys = [judgements.add(session, judged(pair, side)) for side in Side]
            pair_id = judgements.get(session, keys[0]).pair_id
        said = {"key": f"key-{number:04}", "annotator": "Ada", "pair_id": pair_id}
        said |= {"stage": "blind", "action": "commit", "value": "A" if number else "tie"}
        labels.record(database, LabelEntry.model_validate(said))
    return snapshots.create(database, "all", LabelFilter())


def judged(pair: Pair, side: Side) -> Any:
    text = compile_trace(
        TaskType.REASONING,
        f"A says <quote_A>{pair.response_a}</quote_A>",
        side,
        solution="Counting gives it.",
    )
    rollout = read_rollout(pair, Order.AB, text, finish_reason="stop")
    return conclude(pair, VERSION, Plan(seed=side is Side.B), [rollout])


@pytest.fixture(params=["jsonl", "parquet"])
def rows(
    request: pytest.FixtureRequest, database: Database, snapshot: Snapshot, tmp_path: Path
) -> Any:
    """Exports one kind and loads the file as a trainer's user would."""
    from datasets import load_dataset

    def load(kind: Kind, **options: Any) -> Any:
        whole = ExportOptions(fractions=Fractions(1.0, 0.0, 0.0), distillation=None, **options)
        export(database, snapshot, kind, tmp_path / "out", options=whole)
        loader = "json" if request.param == "jsonl" else "parquet"
        path = tmp_path / "out" / f"{kind}.train.{request.param}"
        cache = str(tmp_path / "cache")
        return load_dataset(loader, data_files=str(path), split="train", cache_dir=cache)

    return load


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    corpus = ["It is nothing. What is one and two? Counting gives it.", "<eval> <answer>[[A]]"]
    words.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=320,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", eos_token="<|end|>"
    )
    made.chat_template = TEMPLATE
    return made


@pytest.fixture
def model(tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=8192,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )


@pytest.fixture
def common(tmp_path: Path) -> dict[str, Any]:
    numbers = count(1)
    return {
        "output_dir": str(tmp_path / f"trained-{next(numbers)}"),
        "use_cpu": True,
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "report_to": [],
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        "bf16": False,
        "gradient_checkpointing": False,
    }


def test_sft_loads_in_the_sft_trainer(
    rows: Any, model: Any, tokenizer: Any, common: dict[str, Any]
) -> None:
    found = rows("sft")
    assert len(found) == 7
    trainer = trl.SFTTrainer(
        model=model,
        args=trl.SFTConfig(**common, max_length=None),
        train_dataset=found,
        processing_class=tokenizer,
    )
    batch = next(iter(trainer.get_train_dataloader()))
    target = tokenizer.decode(batch["input_ids"][0][batch["labels"][0] != -100])
    assert target.startswith("<type>Reasoning</type>")
    assert target.endswith("<answer>[[A]]</answer><|end|>")
    assert trainer.train().global_step == 1


@pytest.mark.parametrize("kind", ["dpo", "preference"])
def test_preferences_load_in_the_dpo_trainer(
    rows: Any, model: Any, tokenizer: Any, common: dict[str, Any], kind: Kind
) -> None:
    found = rows(kind)
    assert len(found) == 7
    trainer = trl.DPOTrainer(
        model=model,
        ref_model=deepcopy(model),
        args=trl.DPOConfig(**common, max_length=None),
        train_dataset=found,
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 1


def test_margins_load_in_the_reward_trainer(
    rows: Any, model: Any, tokenizer: Any, common: dict[str, Any]
) -> None:
    from transformers import LlamaForSequenceClassification

    found = rows("preference", ties="margin")
    assert sorted(set(found["margin"])) == [0.0, 1.0]
    config = model.config
    config.num_labels = 1
    trainer = trl.RewardTrainer(
        model=LlamaForSequenceClassification(config),
        args=trl.RewardConfig(**common, max_length=None),
        train_dataset=found,
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 1


def test_rlvr_loads_in_the_grpo_trainer(
    rows: Any, model: Any, tokenizer: Any, common: dict[str, Any]
) -> None:
    seen: list[str] = []

    def reward(completions: list[Any], winner: list[str], **_: Any) -> list[float]:
        seen.extend(winner)
        return [float(len(turns[0]["content"]) % 2) for turns in completions]

    trainer = trl.GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=trl.GRPOConfig(**common, num_generations=2, max_completion_length=8),
        train_dataset=rows("rlvr"),
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 1
    assert set(seen) <= {"model_a", "model_b"}
    assert seen
