"""What visitors say in the gallery: answers that nobody can change, apart from all labels."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('visitor_label',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('session', sa.String(length=64), nullable=False),
        sa.Column('pair_hash', sa.String(length=64), nullable=False),
        sa.Column('judge_version', sa.String(length=64), nullable=False),
        sa.Column('value', sa.String(length=16), nullable=False),
        sa.Column('chosen', sa.String(length=1), nullable=True),
        sa.Column('verdict', sa.String(length=1), nullable=True),
        sa.Column('display_swapped', sa.Boolean(), nullable=False),
        sa.Column('seconds', sa.Double(), nullable=True),
        sa.Column('consent', sa.String(length=16), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('item', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_visitor_label')),
        sa.UniqueConstraint('key', name=op.f('uq_visitor_label_key'))
    )
    op.create_index('ix_visitor_label_pair_hash', 'visitor_label', ['pair_hash'], unique=False)
    op.create_index(
        'ix_visitor_label_session_pair_hash', 'visitor_label', ['session', 'pair_hash'], unique=False
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER visitor_label_no_{change.lower()} BEFORE {change} ON visitor_label "
                "BEGIN SELECT RAISE(ABORT, 'what visitors said is never changed'); END"
            )
