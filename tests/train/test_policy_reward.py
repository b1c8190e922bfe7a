"""A policy of somebody else's, rewarded by the judge, in TRL's GRPOTrainer as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest

from rmr1.backends.base import ChatRequest
from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from training.base import embedded_base
from training.rewarding import judged_here, trl_reward

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore"),  # torch and its friends warn about themselves
]
torch = pytest.importorskip("torch")
pytest.importorskip("trl")

GROUP = 4
STEPS = 2
PROMPTS = ["Name a colour.", "Name an animal."]


def shorter_first(request: ChatRequest) -> str:
    """The verdict of a judge that likes it short; of two alike, the one that comes first in the
    alphabet."""
    text = request.messages[-1].content
    shown = [
        re.search(rf"\[Response {one}\]\n(.*?)\n\[End of Response {one}\]", text, re.DOTALL)
        for one in "AB"
    ]
    a, b = (one[1] if one else "" for one in shown)
    letter = "A" if (len(a), a) < (len(b), b) else "B"
    return f"<type>Chat</type><eval>Short is good.</eval><answer>[[{letter}]]</answer>"


def test_a_group_of_four_is_scored_in_a_real_run_of_two_steps(tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    base = str(embedded_base(dtype="float32"))
    judge = Judge(ScriptedBackend(shorter_first), load_profile("cor"))
    score, scored = judged_here(judge, Plan()), []

    def remembered(groups: Any) -> Any:
        found = score(groups)
        scored.extend(zip(groups, found, strict=True))
        return found

    rows = [{"prompt": [{"role": "user", "content": text}]} for text in PROMPTS * STEPS]
    trainer = GRPOTrainer(
        model=base,
        reward_funcs=trl_reward(remembered),
        args=GRPOConfig(
            output_dir=str(tmp_path),
            per_device_train_batch_size=GROUP,
            num_generations=GROUP,
            max_completion_length=16,
            max_steps=STEPS,
            learning_rate=1e-5,
            temperature=1.0,
            beta=0.0,
            seed=7,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(base),
    )
    name, before = next(
        (name, one.detach().clone())
        for name, one in trainer.model.named_parameters()
        if "layers.29" in name and one.dim() == 2
    )
    trainer.train()

    assert trainer.state.global_step == STEPS
    assert len(scored) == STEPS
    for group, rewards in scored:
        assert group.conversation[0].content in PROMPTS
        assert len(group.responses) == GROUP
        order = sorted(set(group.responses), key=lambda text: (len(text), text), reverse=True)
        assert rewards == [order.index(text) / (len(order) - 1) for text in group.responses]
    steps = [line for line in trainer.state.log_history if "rewards/win_rate/mean" in line]
    for line, (_, rewards) in zip(steps, scored, strict=True):
        assert line["rewards/win_rate/mean"] == pytest.approx(sum(rewards) / GROUP)
        assert line["reward_std"] > 0
        assert line["no_verdict"] == 0.0
    after = dict(trainer.model.named_parameters())[name].detach()
    assert torch.isfinite(after).all()
    assert not torch.equal(before, after)
