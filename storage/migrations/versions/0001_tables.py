"""The tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('annotator',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('role', sa.String(length=16), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_annotator')),
        sa.UniqueConstraint('name', name=op.f('uq_annotator_name'))
    )
    op.create_table('journal_mark',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offset', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_journal_mark'))
    )
    op.create_table('judge_version',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('backend', sa.String(), nullable=False),
        sa.Column('model', sa.String(), nullable=False),
        sa.Column('revision', sa.String(), nullable=False),
        sa.Column('engine', sa.String(), nullable=False),
        sa.Column('adapter', sa.String(), nullable=False),
        sa.Column('profile', sa.String(), nullable=False),
        sa.Column('profile_hash', sa.String(), nullable=False),
        sa.Column('profile_text', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_judge_version')),
        sa.UniqueConstraint('hash', name=op.f('uq_judge_version_hash'))
    )
    op.create_table('queue',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('filter', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('order', sa.String(length=24), nullable=False),
        sa.Column('seed', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_queue')),
        sa.UniqueConstraint('name', name=op.f('uq_queue_name'))
    )
    op.create_table('run',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('message', sa.Text(), nullable=False),
        sa.Column('params', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('counts', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('finished_at', sa.DateTime(), nullable=True),
        sa.Column('undone_at', sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_run'))
    )
    op.create_index(op.f('ix_run_kind'), 'run', ['kind'], unique=False)
    op.create_table('snapshot',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('policy', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('counts', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_snapshot')),
        sa.UniqueConstraint('name', name=op.f('uq_snapshot_name'))
    )
    op.create_index(op.f('ix_snapshot_hash'), 'snapshot', ['hash'], unique=False)
    op.create_table('artifact',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('run_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=32), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('path', sa.Text(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('size_bytes', sa.BigInteger(), nullable=True),
        sa.Column('meta', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_artifact_run_id_run'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_artifact'))
    )
    op.create_index(op.f('ix_artifact_run_id'), 'artifact', ['run_id'], unique=False)
    op.create_table('pair',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('content_hash', sa.String(length=64), nullable=False),
        sa.Column('prompt_hash', sa.String(length=64), nullable=False),
        sa.Column('lot', sa.BigInteger(), nullable=False),
        sa.Column('chosen', sa.String(length=1), nullable=True),
        sa.Column('source', sa.String(), nullable=False),
        sa.Column('subset', sa.String(), nullable=False),
        sa.Column('multi_turn', sa.Boolean(), nullable=False),
        sa.Column('run_id', sa.Integer(), nullable=True),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('external_id', sa.String(), nullable=True),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_pair_run_id_run')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_pair')),
        sa.UniqueConstraint('hash', name=op.f('uq_pair_hash'))
    )
    op.create_index(op.f('ix_pair_content_hash'), 'pair', ['content_hash'], unique=False)
    op.create_index(op.f('ix_pair_lot'), 'pair', ['lot'], unique=False)
    op.create_index(op.f('ix_pair_prompt_hash'), 'pair', ['prompt_hash'], unique=False)
    op.create_index(op.f('ix_pair_run_id'), 'pair', ['run_id'], unique=False)
    op.create_index('ix_pair_source_subset', 'pair', ['source', 'subset'], unique=False)
    op.create_table('assignment',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('queue_id', sa.Integer(), nullable=False),
        sa.Column('pair_id', sa.Integer(), nullable=False),
        sa.Column('annotator_id', sa.Integer(), nullable=False),
        sa.Column('held_until', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['annotator_id'], ['annotator.id'], name=op.f('fk_assignment_annotator_id_annotator'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['pair_id'], ['pair.id'], name=op.f('fk_assignment_pair_id_pair'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_assignment_queue_id_queue'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment')),
        sa.UniqueConstraint('queue_id', 'pair_id', 'annotator_id', name=op.f('uq_assignment_queue_id_pair_id_annotator_id'))
    )
    op.create_index(op.f('ix_assignment_pair_id'), 'assignment', ['pair_id'], unique=False)
    op.create_table('judgement',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=32), nullable=False),
        sa.Column('pair_id', sa.Integer(), nullable=False),
        sa.Column('judge_version_id', sa.Integer(), nullable=False),
        sa.Column('plan_hash', sa.String(length=64), nullable=False),
        sa.Column('verdict', sa.String(length=1), nullable=True),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('confidence', sa.Double(), nullable=True),
        sa.Column('confidence_source', sa.String(length=16), nullable=True),
        sa.Column('type', sa.String(length=16), nullable=True),
        sa.Column('swap_consistent', sa.Boolean(), nullable=True),
        sa.Column('correct', sa.Boolean(), nullable=True),
        sa.Column('quotes_total', sa.Integer(), nullable=False),
        sa.Column('quotes_near', sa.Integer(), nullable=False),
        sa.Column('quotes_absent', sa.Integer(), nullable=False),
        sa.Column('tokens', sa.Integer(), nullable=True),
        sa.Column('seconds', sa.Double(), nullable=True),
        sa.Column('rollout_count', sa.Integer(), nullable=False),
        sa.Column('origin', sa.String(length=16), nullable=False),
        sa.Column('run_id', sa.Integer(), nullable=True),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('plan', sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(['judge_version_id'], ['judge_version.id'], name=op.f('fk_judgement_judge_version_id_judge_version')),
        sa.ForeignKeyConstraint(['pair_id'], ['pair.id'], name=op.f('fk_judgement_pair_id_pair')),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_judgement_run_id_run')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_judgement')),
        sa.UniqueConstraint('key', name=op.f('uq_judgement_key'))
    )
    op.create_index('ix_judgement_confidence', 'judgement', ['confidence'], unique=False)
    op.create_index(op.f('ix_judgement_created_at'), 'judgement', ['created_at'], unique=False)
    op.create_index(op.f('ix_judgement_judge_version_id'), 'judgement', ['judge_version_id'], unique=False)
    op.create_index(op.f('ix_judgement_run_id'), 'judgement', ['run_id'], unique=False)
    op.create_index('ix_judgement_same', 'judgement', ['pair_id', 'judge_version_id', 'plan_hash'], unique=False)
    op.create_index('ix_judgement_state_verdict', 'judgement', ['state', 'verdict'], unique=False)
    op.create_table('pair_text',
        sa.Column('pair_id', sa.Integer(), nullable=False),
        sa.Column('prompt', sa.Text(), nullable=False),
        sa.Column('context', sa.Text(), nullable=False),
        sa.Column('response_a', sa.Text(), nullable=False),
        sa.Column('response_b', sa.Text(), nullable=False),
        sa.Column('conversation', sa.JSON(), nullable=False),
        sa.Column('meta', sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(['pair_id'], ['pair.id'], name=op.f('fk_pair_text_pair_id_pair'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('pair_id', name=op.f('pk_pair_text'))
    )
    op.create_table('label_event',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('annotator_id', sa.Integer(), nullable=False),
        sa.Column('pair_id', sa.Integer(), nullable=False),
        sa.Column('judgement_id', sa.Integer(), nullable=True),
        sa.Column('queue_id', sa.Integer(), nullable=True),
        sa.Column('stage', sa.String(length=16), nullable=False),
        sa.Column('action', sa.String(length=16), nullable=False),
        sa.Column('value', sa.String(length=16), nullable=True),
        sa.Column('strength', sa.Integer(), nullable=True),
        sa.Column('display_swapped', sa.Boolean(), nullable=False),
        sa.Column('seconds', sa.Double(), nullable=True),
        sa.Column('undoes_id', sa.Integer(), nullable=True),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('why', sa.Text(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('tags', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('sections', sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(['annotator_id'], ['annotator.id'], name=op.f('fk_label_event_annotator_id_annotator')),
        sa.ForeignKeyConstraint(['judgement_id'], ['judgement.id'], name=op.f('fk_label_event_judgement_id_judgement')),
        sa.ForeignKeyConstraint(['pair_id'], ['pair.id'], name=op.f('fk_label_event_pair_id_pair')),
        sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_label_event_queue_id_queue')),
        sa.ForeignKeyConstraint(['undoes_id'], ['label_event.id'], name=op.f('fk_label_event_undoes_id_label_event')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_label_event')),
        sa.UniqueConstraint('key', name=op.f('uq_label_event_key')),
        sa.UniqueConstraint('undoes_id', name=op.f('uq_label_event_undoes_id'))
    )
    op.create_index('ix_label_event_annotator_created', 'label_event', ['annotator_id', 'created_at'], unique=False)
    op.create_index('ix_label_event_annotator_pair', 'label_event', ['annotator_id', 'pair_id'], unique=False)
    op.create_index(op.f('ix_label_event_judgement_id'), 'label_event', ['judgement_id'], unique=False)
    op.create_index(op.f('ix_label_event_pair_id'), 'label_event', ['pair_id'], unique=False)
    op.create_index(op.f('ix_label_event_queue_id'), 'label_event', ['queue_id'], unique=False)
    op.create_table('rollout',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('judgement_id', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('order', sa.String(length=2), nullable=False),
        sa.Column('vote', sa.Integer(), nullable=False),
        sa.Column('seed', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('verdict', sa.String(length=1), nullable=True),
        sa.Column('probability_a', sa.Double(), nullable=True),
        sa.Column('prompt_tokens', sa.Integer(), nullable=True),
        sa.Column('completion_tokens', sa.Integer(), nullable=True),
        sa.Column('seconds', sa.Double(), nullable=True),
        sa.Column('first_seconds', sa.Double(), nullable=True),
        sa.Column('injected', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['judgement_id'], ['judgement.id'], name=op.f('fk_rollout_judgement_id_judgement'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_rollout')),
        sa.UniqueConstraint('judgement_id', 'position', name=op.f('uq_rollout_judgement_id_position'))
    )
    op.create_table('criterion',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('rollout_id', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('weight_text', sa.Text(), nullable=True),
        sa.Column('weight', sa.Double(), nullable=True),
        sa.Column('share', sa.Double(), nullable=True),
        sa.Column('text', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['rollout_id'], ['rollout.id'], name=op.f('fk_criterion_rollout_id_rollout'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_criterion')),
        sa.UniqueConstraint('rollout_id', 'position', name=op.f('uq_criterion_rollout_id_position'))
    )
    op.create_table('quote',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('rollout_id', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('side', sa.String(length=1), nullable=False),
        sa.Column('match', sa.String(length=8), nullable=False),
        sa.Column('segment', sa.Integer(), nullable=True),
        sa.Column('start', sa.Integer(), nullable=True),
        sa.Column('end', sa.Integer(), nullable=True),
        sa.Column('score', sa.Double(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('differences', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['rollout_id'], ['rollout.id'], name=op.f('fk_quote_rollout_id_rollout'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_quote')),
        sa.UniqueConstraint('rollout_id', 'position', name=op.f('uq_quote_rollout_id_position'))
    )
    op.create_index(op.f('ix_quote_match'), 'quote', ['match'], unique=False)
    op.create_table('snapshot_label',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('snapshot_id', sa.Integer(), nullable=False),
        sa.Column('annotator_id', sa.Integer(), nullable=True),
        sa.Column('pair_id', sa.Integer(), nullable=False),
        sa.Column('judgement_id', sa.Integer(), nullable=True),
        sa.Column('event_id', sa.Integer(), nullable=True),
        sa.Column('value', sa.String(length=16), nullable=False),
        sa.Column('blind_value', sa.String(length=16), nullable=True),
        sa.Column('strength', sa.Integer(), nullable=True),
        sa.Column('stage', sa.String(length=16), nullable=False),
        sa.Column('reasoning', sa.String(length=16), nullable=True),
        sa.Column('inspection', sa.Boolean(), nullable=False),
        sa.Column('split', sa.String(length=16), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('tags', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('sections', sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(['annotator_id'], ['annotator.id'], name=op.f('fk_snapshot_label_annotator_id_annotator')),
        sa.ForeignKeyConstraint(['event_id'], ['label_event.id'], name=op.f('fk_snapshot_label_event_id_label_event')),
        sa.ForeignKeyConstraint(['judgement_id'], ['judgement.id'], name=op.f('fk_snapshot_label_judgement_id_judgement')),
        sa.ForeignKeyConstraint(['pair_id'], ['pair.id'], name=op.f('fk_snapshot_label_pair_id_pair')),
        sa.ForeignKeyConstraint(['snapshot_id'], ['snapshot.id'], name=op.f('fk_snapshot_label_snapshot_id_snapshot'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_snapshot_label')),
        sa.UniqueConstraint('snapshot_id', 'annotator_id', 'pair_id', name=op.f('uq_snapshot_label_snapshot_id_annotator_id_pair_id'))
    )
    op.create_index(op.f('ix_snapshot_label_event_id'), 'snapshot_label', ['event_id'], unique=False)
    op.create_index(op.f('ix_snapshot_label_judgement_id'), 'snapshot_label', ['judgement_id'], unique=False)
    op.create_index(op.f('ix_snapshot_label_pair_id'), 'snapshot_label', ['pair_id'], unique=False)
