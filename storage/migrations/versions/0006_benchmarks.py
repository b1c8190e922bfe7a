"""Benchmark runs, and the items that judgements count as in them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('benchmark',
        sa.Column('run_id', sa.Integer(), nullable=False),
        sa.Column('pid', sa.Integer(), nullable=True),
        sa.Column('host', sa.String(), nullable=False),
        sa.Column('beat_at', sa.DateTime(), nullable=False),
        sa.Column('stop_asked_at', sa.DateTime(), nullable=True),
        sa.Column('scores', sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_benchmark_run_id_run'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('run_id', name=op.f('pk_benchmark'))
    )
    op.create_table('benchmark_item',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('run_id', sa.Integer(), nullable=False),
        sa.Column('judgement_id', sa.Integer(), nullable=False),
        sa.Column('item', sa.String(length=64), nullable=False),
        sa.Column('cell', sa.String(), nullable=False),
        sa.Column('slice', sa.String(), nullable=False),
        sa.Column('query', sa.String(), nullable=True),
        sa.Column('losers', sa.Integer(), nullable=True),
        sa.Column('published', sa.Boolean(), nullable=True),
        sa.Column('upstream', sa.Boolean(), nullable=True),
        sa.Column('own', sa.Boolean(), nullable=True),
        sa.Column('spoke', sa.String(length=8), nullable=False),
        sa.Column('first', sa.Boolean(), nullable=False),
        sa.Column('second', sa.Boolean(), nullable=False),
        sa.Column('chosen_longer', sa.Boolean(), nullable=True),
        sa.Column('seen', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('outcome', sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(['judgement_id'], ['judgement.id'], name=op.f('fk_benchmark_item_judgement_id_judgement')),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_benchmark_item_run_id_run'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_benchmark_item')),
        sa.UniqueConstraint('run_id', 'item', name=op.f('uq_benchmark_item_run_id_item'))
    )
    op.create_index('ix_benchmark_item_judgement_id', 'benchmark_item', ['judgement_id'], unique=False)
