"""Where Alembic enters: runs the steps on the connection that `upgrade` hands over."""

from alembic import context

from storage import (  # noqa: F401 -- their tables join `Row.metadata`
    account_tables,
    benchmark_tables,
    probe_tables,
    team_tables,
    training_tables,
    visitor_tables,
)
from storage.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
)
context.run_migrations()
