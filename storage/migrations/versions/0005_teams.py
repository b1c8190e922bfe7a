"""Terms of queues, and what leads say: events that nobody can change."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('queue', sa.Column('terms', sa.JSON(none_as_null=True), nullable=False, server_default='{}'))
    op.create_table('lead_event',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=False),
        sa.Column('action', sa.String(length=16), nullable=False),
        sa.Column('pair_id', sa.Integer(), nullable=True),
        sa.Column('queue_id', sa.Integer(), nullable=True),
        sa.Column('about_id', sa.Integer(), nullable=True),
        sa.Column('value', sa.String(length=16), nullable=True),
        sa.Column('reason', sa.String(length=24), nullable=True),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['about_id'], ['annotator.id'], name=op.f('fk_lead_event_about_id_annotator')),
        sa.ForeignKeyConstraint(['by_id'], ['annotator.id'], name=op.f('fk_lead_event_by_id_annotator')),
        sa.ForeignKeyConstraint(['pair_id'], ['pair.id'], name=op.f('fk_lead_event_pair_id_pair')),
        sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_lead_event_queue_id_queue')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_lead_event')),
        sa.UniqueConstraint('key', name=op.f('uq_lead_event_key'))
    )
    op.create_index('ix_lead_event_pair_action', 'lead_event', ['pair_id', 'action'], unique=False)
    op.create_index('ix_lead_event_queue_action', 'lead_event', ['queue_id', 'action'], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER lead_event_no_{change.lower()} BEFORE {change} ON lead_event "
                "BEGIN SELECT RAISE(ABORT, 'what leads said is never changed'); END"
            )
