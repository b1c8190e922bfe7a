"""Views over the tables, made by migrations; read like tables, never written."""

from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, String, Table, Text

from storage.columns import UtcDateTime

current_label = Table(
    "current_label",
    MetaData(),  # of its own, so that Alembic compares no view with a table
    Column("event_id", Integer),
    Column("annotator_id", Integer),
    Column("pair_id", Integer),
    Column("judgement_id", Integer),
    Column("value", String),
    Column("blind_value", String),
    Column("strength", Integer),
    Column("stage", String),
    Column("reasoning", String),
    Column("inspection", Boolean),
    Column("blind_commits", Integer),
    Column("why", Text),
    Column("queue_id", Integer),
    Column("display_swapped", Boolean),
    Column("seconds", Float),
    Column("created_at", UtcDateTime),
    Column("tags", JSON),
    Column("note", Text),
    Column("sections", JSON),
)
"""The current label of each annotator on each pair: the latest value that was not taken back.

`event_id` is the event that set the value; `blind_value` what was said before the verdict was
seen; `stage` the stage of the value; `reasoning` what was last said of the reasoning (`sound`,
`wrong`, `repair`); `inspection` whether the verdict was in view before any blind commit;
`blind_commits` how often a blind value was committed, undone ones included (more than one means
that the verdict had been seen before the last). `tags` and `sections` from before the latest
`sound` are dropped.
"""
