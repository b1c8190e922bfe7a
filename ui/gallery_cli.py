"""The command that packs judgements into a gallery which opens without any model."""

import json
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from rmr1.cli import print_json, read_lines
from rmr1.errors import InputError
from rmr1.record import judgement_from_record

app = typer.Typer()


@app.command()
def gallery(
    results: Annotated[list[str], typer.Argument(help="what `rmr1 judge --out` wrote")],
    out: Annotated[Path, typer.Option(help="the file to write, such as ui/gallery.jsonl.gz")],
    title: Annotated[str, typer.Option(help="of the gallery")] = "Example pairs",
) -> None:
    """Pack judgements into a gallery; the judge that comes first is the one to beat.

    The shipped one: `rmr1 judge ui/examples.jsonl --orders both --out one.jsonl` with the packaged
    judge, then `rmr1 gallery one.jsonl --out ui/gallery.jsonl.gz`.
    """
    from ui.gallery import pack

    found = [one for file in results for one in read_lines(file, judgement_from_record)]
    text = (resources.files("ui") / "examples.jsonl").read_text(encoding="utf-8")
    examples = [json.loads(line) for line in text.splitlines()]
    packed = pack(found, {record["id"]: record["title"] for record in examples}, title)
    try:
        out.write_bytes(packed)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}.") from error
    print_json({"gallery": str(out), "judgements": len(found), "bytes": len(packed)})
