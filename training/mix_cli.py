"""The command that writes a mix: `rmr1 train compose`."""

from pathlib import Path
from typing import Annotated

import typer

from rmr1.errors import ConfigurationError
from storage.console import say
from training.mixes import CountTokens, load_mix, write_mix
from training.model import load_tokenizer
from training.recipe import load_recipe

app = typer.Typer()


@app.command()
def compose(
    mix: Annotated[str, typer.Argument(help="a packaged mix or a .toml file")],
    data: Annotated[Path, typer.Option(help="folder that holds the files the mix names")],
    out: Annotated[Path, typer.Option(help="folder of the data set")],
    recipe: Annotated[
        str, typer.Option(help="whose tokeniser counts the tokens of a row")
    ] = "embedded-distil",
) -> None:
    """Write a data set of short traces, composed from what preference sets say themselves."""
    for file in write_mix(load_mix(mix), data, out, _counter(recipe)):
        say(file.model_dump())


def _counter(recipe: str) -> CountTokens:
    try:
        tokenizer = load_tokenizer(load_recipe(recipe))
    except ImportError as error:
        raise ConfigurationError(
            "composing needs the trainers' libraries: run it with the Python of .venv-train, as "
            "`.venv-train/bin/python -m training compose`."
        ) from error

    def count(prompt: list[dict[str, str]], text: str) -> int:
        asked = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        return len(tokenizer(asked).input_ids) + (len(tokenizer(text).input_ids) if text else 0)

    return count
