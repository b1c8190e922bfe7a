"""Trainings with their curves and samples; adapters, and promotions that nobody can change."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('training',
        sa.Column('run_id', sa.Integer(), nullable=False),
        sa.Column('pid', sa.Integer(), nullable=True),
        sa.Column('host', sa.String(), nullable=False),
        sa.Column('beat_at', sa.DateTime(), nullable=False),
        sa.Column('stop_asked_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_training_run_id_run'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('run_id', name=op.f('pk_training'))
    )
    op.create_table('metric',
        sa.Column('run_id', sa.Integer(), nullable=False),
        sa.Column('step', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('value', sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_metric_run_id_run'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('run_id', 'step', 'name', name=op.f('pk_metric')),
        sqlite_with_rowid=False
    )
    op.create_table('training_sample',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('run_id', sa.Integer(), nullable=False),
        sa.Column('step', sa.Integer(), nullable=False),
        sa.Column('content', sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_training_sample_run_id_run'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_training_sample'))
    )
    op.create_index('ix_training_sample_run_step', 'training_sample', ['run_id', 'step'], unique=False)
    op.create_table('adapter',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('folder', sa.Text(), nullable=False),
        sa.Column('gguf', sa.Text(), nullable=False),
        sa.Column('merged', sa.Text(), nullable=False),
        sa.Column('base', sa.String(), nullable=False),
        sa.Column('profile', sa.String(), nullable=False),
        sa.Column('run_id', sa.Integer(), nullable=True),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('figures', sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_adapter_run_id_run')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_adapter')),
        sa.UniqueConstraint('name', 'hash', name=op.f('uq_adapter_name_hash'))
    )
    op.create_index(op.f('ix_adapter_run_id'), 'adapter', ['run_id'], unique=False)
    op.create_table('promotion',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('action', sa.String(length=16), nullable=False),
        sa.Column('adapter_id', sa.Integer(), nullable=True),
        sa.Column('before_id', sa.Integer(), nullable=True),
        sa.Column('by', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['adapter_id'], ['adapter.id'], name=op.f('fk_promotion_adapter_id_adapter')),
        sa.ForeignKeyConstraint(['before_id'], ['promotion.id'], name=op.f('fk_promotion_before_id_promotion')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_promotion'))
    )
    op.create_index(op.f('ix_promotion_adapter_id'), 'promotion', ['adapter_id'], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER promotion_no_{change.lower()} BEFORE {change} ON promotion "
                "BEGIN SELECT RAISE(ABORT, 'promotions are never changed'); END"
            )
