"""Stands in for `python -m training`: lists recipes, notes what it was asked, opens a run.

Called as `python fake_training.py NOTES COMMAND ...`; what it is asked is added to NOTES, a line
of JSON for each call. A recipe named `broken` is refused.
"""

import json
import os
import sys
from pathlib import Path

RECIPES = [
    {
        "name": "embedded-distil",
        "title": "Distil the embedded judge",
        "description": "Traces into the embedded 135M model, on two cores or one GPU.",
        "kind": "sft",
        "numbers": {
            "epochs": 2,
            "steps": None,
            "learning_rate": 8e-4,
            "lora.rank": 16,
            "seed": 42,
            "batch": 16,
            "max_tokens": 2048,
        },
    },
    {
        "name": "embedded-rl",
        "title": "RL for the embedded judge",
        "description": "Rollouts rewarded by their verdict, from where distillation left off.",
        "kind": "grpo",
        "numbers": {"steps": 60, "learning_rate": 1e-5, "seed": 42, "grpo.group": 7},
    },
    {"name": "broken", "kind": "sft", "description": "Refused.", "numbers": {"seed": 1}},
]


def main() -> int:
    notes, command, *rest = sys.argv[1:]
    asked = {"command": command, "rest": rest, "data_dir": os.environ.get("RMR1_DATA_DIR")}
    with Path(notes).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asked) + "\n")
    if command == "recipes":
        sys.stdout.write(json.dumps(RECIPES))
    elif command == "start" and rest[0] == "broken":
        sys.stderr.write("Traceback\nrmr1: recipe 'broken': seed: it is broken.\n")
        return 2
    elif command == "start":
        sys.stdout.write('a word before\n{"run": 1}\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
