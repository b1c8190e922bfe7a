"""The current label of each annotator on each pair, as a view over the events."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VIEW = """
CREATE VIEW current_label AS
WITH marked AS (
    SELECT event.*, (event.action <> 'undo' AND undo.id IS NULL) AS live
    FROM label_event AS event
    LEFT JOIN label_event AS undo ON undo.undoes_id = event.id
),
latest AS (
    SELECT
        annotator_id,
        pair_id,
        MAX(CASE WHEN live AND value IS NOT NULL THEN id END) AS value_id,
        MAX(CASE WHEN live AND stage = 'blind' AND action = 'commit' THEN id END) AS blind_id,
        MAX(CASE WHEN live AND action IN ('sound', 'wrong', 'repair') THEN id END) AS reasoning_id,
        COALESCE(MAX(CASE WHEN live AND action = 'sound' THEN id END), 0) AS sound_id,
        MAX(CASE WHEN live AND tags IS NOT NULL THEN id END) AS tags_id,
        MAX(CASE WHEN live AND note IS NOT NULL THEN id END) AS note_id,
        MAX(CASE WHEN live AND sections IS NOT NULL THEN id END) AS sections_id,
        COUNT(CASE WHEN stage = 'blind' AND action = 'commit' THEN 1 END) AS blind_commits,
        MIN(CASE WHEN stage = 'inspection' THEN id END) AS inspection_id
    FROM marked
    GROUP BY annotator_id, pair_id
)
SELECT
    value_event.id AS event_id,
    latest.annotator_id AS annotator_id,
    latest.pair_id AS pair_id,
    COALESCE(repair.judgement_id, reasoning.judgement_id, value_event.judgement_id,
             blind.judgement_id) AS judgement_id,
    value_event.value AS value,
    blind.value AS blind_value,
    COALESCE(value_event.strength, CASE WHEN value_event.action = 'keep' THEN blind.strength END)
        AS strength,
    value_event.stage AS stage,
    reasoning.action AS reasoning,
    (latest.blind_id IS NULL OR COALESCE(latest.inspection_id < latest.blind_id, FALSE))
        AS inspection,
    latest.blind_commits AS blind_commits,
    COALESCE(blind.why, value_event.why) AS why,
    COALESCE(blind.queue_id, value_event.queue_id) AS queue_id,
    COALESCE(blind.display_swapped, value_event.display_swapped) AS display_swapped,
    COALESCE(blind.seconds, value_event.seconds) AS seconds,
    value_event.created_at AS created_at,
    tags.tags AS tags,
    note.note AS note,
    repair.sections AS sections
FROM latest
JOIN label_event AS value_event ON value_event.id = latest.value_id
LEFT JOIN label_event AS blind ON blind.id = latest.blind_id
LEFT JOIN label_event AS reasoning ON reasoning.id = latest.reasoning_id
LEFT JOIN label_event AS tags ON tags.id = latest.tags_id AND tags.id >= latest.sound_id
LEFT JOIN label_event AS note ON note.id = latest.note_id
LEFT JOIN label_event AS repair ON repair.id = latest.sections_id AND repair.id >= latest.sound_id
"""


def upgrade() -> None:
    op.execute(VIEW)
