"""Adapters on record, and which of them judges: promoted, rolled back, never silently changed."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from storage import runs
from storage.columns import JsonObject
from storage.training_tables import AdapterRow, PromotionRow

WEIGHTS = "adapter_model.safetensors"
"""The weights' file in a folder that PEFT writes."""

_CONFIG = "adapter_config.json"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter: weights by their hash, and the files that hold them.

    Attributes:
        hash: SHA-256 (hex) of the weights in `folder`.
        folder: as PEFT writes it.
        gguf: the same weights as a LoRA for llama.cpp; "" for none.
        merged: base and adapter in one GGUF; "" for none.
        base: the base model's name, and its revision where it is known.
        profile: name of the prompt profile that it was trained under.
        run_id: the training that left it, if any.
        figures: what its evaluation found.
    """

    id: int
    name: str
    hash: str
    folder: str
    gguf: str
    merged: str
    base: str
    profile: str
    run_id: int | None
    created_at: datetime
    figures: JsonObject

    @property
    def version(self) -> str:
        """The name with the beginning of the hash, as in `JudgeVersion.adapter`."""
        return f"{self.name}@{self.hash[:8]}"


@dataclass(frozen=True, slots=True)
class Promotion:
    """What judged from a moment on.

    Attributes:
        adapter: None for the base model alone.
        by: who decided it.
    """

    id: int
    action: Literal["promote", "rollback"]
    adapter: Adapter | None
    by: str
    created_at: datetime


def weights_hash(folder: Path) -> str:
    """SHA-256 (hex) of the weights in a PEFT folder.

    Raises:
        InputError: the folder holds no adapter.
    """
    try:
        with (folder / WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"There is no adapter in {str(folder)!r}: {WEIGHTS} is missing."
        ) from error


def register(
    session: Session,
    *,
    name: str,
    hash: str,
    folder: str,
    base: str,
    profile: str,
    gguf: str = "",
    merged: str = "",
    run_id: int | None = None,
    figures: JsonObject | None = None,
) -> int:
    """Put an adapter on record; its id.

    The same weights under the same name are one adapter: what is given anew replaces what was
    known of its files, base, profile and figures, and what is left out stays.

    Args:
        hash: `weights_hash(folder)`, taken before the write block begins.

    Raises:
        InputError: the name cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"An adapter cannot be named {name!r}: begin with a letter, go on with letters, "
            "digits, dots, dashes and underscores, 64 at most."
        )
    same = select(AdapterRow).where(AdapterRow.name == name, AdapterRow.hash == hash)
    row = session.scalar(same) or AdapterRow(name=name, hash=hash, gguf="", merged="", figures={})
    row.folder, row.base, row.profile = folder, base, profile
    row.gguf = gguf or row.gguf
    row.merged = merged or row.merged
    row.run_id = row.run_id if run_id is None else run_id
    row.figures = row.figures if figures is None else figures
    session.add(row)
    session.flush()
    return row.id


def register_of_run(session: Session, run_id: int, name: str) -> int:
    """Put the adapter that a training run left on record; its id.

    Raises:
        RecordNotFound: there is no such run.
        InputError: it has left no adapter, or the name cannot be one.
    """
    run = runs.get(session, run_id)
    left = [one for one in runs.artifacts(session, run_id) if one.kind == "adapter"]
    if not left:
        raise InputError(f"Run {run_id} has left no adapter: it is {run.state}.")
    return register(
        session,
        name=name,
        hash=left[-1].hash,
        folder=left[-1].path,
        base=str(run.params.get("base") or ""),
        profile=str(run.params.get("profile") or ""),
        run_id=run_id,
    )


def get(session: Session, adapter_id: int) -> Adapter:
    """The adapter with this id.

    Raises:
        RecordNotFound: there is none.
    """
    return _adapter(_row(session, adapter_id))


def find(session: Session, text: str) -> Adapter:
    """The adapter that a person means by an id, a version (`name@hash`) or a name (its newest).

    Raises:
        RecordNotFound: there is none.
    """
    name, _, start = text.partition("@")
    meant = AdapterRow.id == int(text) if _is_id(text) else AdapterRow.name == name
    newest = select(AdapterRow).where(meant).order_by(AdapterRow.id.desc())
    for row in session.scalars(newest):
        if row.hash.startswith(start):
            return _adapter(row)
    known = ", ".join(one.version for one in all(session)) or "none"
    raise RecordNotFound(f"There is no adapter {text!r}; on record: {known}.")


def all(session: Session) -> list[Adapter]:
    """All adapters, newest first."""
    return [_adapter(row) for row in session.scalars(select(AdapterRow).order_by(-AdapterRow.id))]


def promote(session: Session, adapter_id: int | None, by: str) -> Promotion:
    """Let an adapter judge from now on; if it does already, nothing is added.

    Args:
        adapter_id: None for the base model alone.
        by: who decides it.

    Raises:
        RecordNotFound: there is no such adapter.
        InputError: nobody is named, or the adapter's files are gone or hold other weights.
    """
    if adapter_id is not None:
        _check_files(get(session, adapter_id))
    last = _last(session)
    if (last.adapter_id if last else None) == adapter_id:
        if last is None:
            raise InputError("No adapter is promoted: the base model judges already.")
        return _promotion(last)
    return _add(session, "promote", adapter_id, last.id if last else None, by)


def rollback(session: Session, by: str) -> Promotion:
    """Let the adapter judge that was promoted before the present one; once more, the one before it.

    Raises:
        InputError: nothing was promoted before, nobody is named, or the former adapter's files
            are gone or hold other weights.
    """
    last = _last(session)
    if last is None or (last.adapter_id is None and last.before_id is None):
        raise InputError("There is nothing to roll back: no adapter is promoted.")
    former = last.before
    if former is None:
        return _add(session, "rollback", None, None, by)
    if former.adapter:
        _check_files(_adapter(former.adapter))
    return _add(session, "rollback", former.adapter_id, former.before_id, by)


def promoted(session: Session) -> Adapter | None:
    """The adapter that judges now; None for the base model alone."""
    last = _last(session)
    return _adapter(last.adapter) if last and last.adapter else None


def promotions(session: Session) -> list[Promotion]:
    """All promotions and rollbacks, newest first."""
    rows = session.scalars(select(PromotionRow).order_by(PromotionRow.id.desc()))
    return [_promotion(row) for row in rows]


def last_promotion(session: Session) -> Promotion | None:
    """The decision that holds now; None where none was made."""
    row = _last(session)
    return _promotion(row) if row else None


def _last(session: Session) -> PromotionRow | None:
    return session.scalar(select(PromotionRow).order_by(PromotionRow.id.desc()).limit(1))


def _add(
    session: Session,
    action: Literal["promote", "rollback"],
    adapter_id: int | None,
    before_id: int | None,
    by: str,
) -> Promotion:
    if not by.strip():
        raise InputError("A promotion needs the name of who decides it.")
    row = PromotionRow(action=action, adapter_id=adapter_id, before_id=before_id, by=by.strip())
    session.add(row)
    session.flush()
    return _promotion(row)


def _check_files(adapter: Adapter) -> None:
    wanted = [Path(adapter.folder) / name for name in (_CONFIG, WEIGHTS)]
    wanted += [Path(path) for path in (adapter.gguf, adapter.merged) if path]
    for path in wanted:
        if not path.is_file():
            raise InputError(
                f"The adapter {adapter.version} cannot judge: its file {str(path)!r} is gone; "
                "bring it back, or promote another adapter."
            )
    if weights_hash(Path(adapter.folder)) != adapter.hash:
        raise InputError(
            f"The adapter {adapter.version} cannot judge: the weights in {adapter.folder!r} are "
            "no longer those that were registered; register them under their new hash."
        )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _row(session: Session, adapter_id: int) -> AdapterRow:
    row = session.get(AdapterRow, adapter_id)
    if row is None:
        raise RecordNotFound(f"There is no adapter {adapter_id}.")
    return row


def _adapter(row: AdapterRow) -> Adapter:
    return Adapter(
        id=row.id,
        name=row.name,
        hash=row.hash,
        folder=row.folder,
        gguf=row.gguf,
        merged=row.merged,
        base=row.base,
        profile=row.profile,
        run_id=row.run_id,
        created_at=row.created_at,
        figures=row.figures,
    )


def _promotion(row: PromotionRow) -> Promotion:
    return Promotion(
        id=row.id,
        action="rollback" if row.action == "rollback" else "promote",
        adapter=_adapter(row.adapter) if row.adapter else None,
        by=row.by,
        created_at=row.created_at,
    )
