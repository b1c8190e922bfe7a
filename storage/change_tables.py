"""The table that counts changes to pairs and judgements, for what is kept in memory of them."""

from sqlalchemy.orm import Mapped, mapped_column

from storage.tables import Row


class ChangeMarkRow(Row):
    """How often pairs or judgements on record were changed or removed (one row).

    What is only added needs no mark: its id is higher than all before it.
    """

    __tablename__ = "change_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    changes: Mapped[int]
