"""Judge versions on record."""

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from storage import judgement_rows
from storage.tables import JudgeVersionRow


def titles(session: Session) -> dict[str, str]:
    """A short name for each judge version, by its hash."""
    rows = session.scalars(select(JudgeVersionRow).options(defer(JudgeVersionRow.profile_text)))
    return {row.hash: judgement_rows.version_from_row(row).title for row in rows}


def profile_text(session: Session, version_hash: str) -> str:
    """The prompt profile that was kept with a judge version, as JSON; "" where none was."""
    text = select(JudgeVersionRow.profile_text).where(JudgeVersionRow.hash == version_hash)
    return session.scalar(text) or ""
