"""Probes: judgements of changed pairs, apart from all judgements that count."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('probe',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=32), nullable=False),
        sa.Column('judgement_id', sa.Integer(), nullable=False),
        sa.Column('change', sa.String(length=16), nullable=False),
        sa.Column('verdict', sa.String(length=1), nullable=True),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('confidence', sa.Double(), nullable=True),
        sa.Column('by', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('record', sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(['judgement_id'], ['judgement.id'], name=op.f('fk_probe_judgement_id_judgement'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_probe')),
        sa.UniqueConstraint('key', name=op.f('uq_probe_key'))
    )
    op.create_index('ix_probe_judgement_id', 'probe', ['judgement_id'], unique=False)
