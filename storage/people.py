"""People who label."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.tables import AnnotatorRow


def annotator_id(session: Session, name: str, role: str = "annotator") -> int:
    """The id of the person with this name, put on record where there is none."""
    found = session.scalar(select(AnnotatorRow.id).where(AnnotatorRow.name == name))
    if found is not None:
        return found
    row = AnnotatorRow(name=name, role=role)
    session.add(row)
    session.flush()
    return row.id
