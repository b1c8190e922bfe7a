"""An index of the judgements with several votes: they are few, and replayed at other budgets."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_judgement_votes', 'judgement', ['judge_version_id', 'plan_hash', 'pair_id'],
        unique=False,
        sqlite_where=sa.text('rollout_count > 1'),
        postgresql_where=sa.text('rollout_count > 1'),
    )
