"""A count of the changes to pairs and judgements on record, for what is kept in memory of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    mark = op.create_table('change_mark',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('changes', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_change_mark'))
    )
    op.bulk_insert(mark, [{'id': 1, 'changes': 0}])
