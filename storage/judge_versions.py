"""Judge versions on record."""

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from rmr1.errors import InputError, RecordNotFound
from storage import judgement_rows
from storage.tables import JudgeVersionRow


def titles(session: Session) -> dict[str, str]:
    """A short name for each judge version, by its hash."""
    rows = session.scalars(select(JudgeVersionRow).options(defer(JudgeVersionRow.profile_text)))
    return {row.hash: judgement_rows.version_from_row(row).title for row in rows}


def find(session: Session, text: str) -> str:
    """The hash of the judge version that `text` is, or is the beginning of.

    Raises:
        RecordNotFound: no judge version begins so.
        InputError: several do.
    """
    known = titles(session)
    found = [hash_ for hash_ in known if text and hash_.startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{hash_[:8]} is {known[hash_]}" for hash_ in (found or known))
    if found:
        raise InputError(f"Several judge versions begin with {text!r}: {listed}.")
    raise RecordNotFound(f"There is no judge version {text!r}; on record: {listed or 'none'}.")


def profile_text(session: Session, version_hash: str) -> str:
    """The prompt profile that was kept with a judge version, as JSON; "" where none was."""
    text = select(JudgeVersionRow.profile_text).where(JudgeVersionRow.hash == version_hash)
    return session.scalar(text) or ""
