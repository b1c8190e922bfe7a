"""Where Alembic enters: runs the steps on the connection that `upgrade` hands over."""

from alembic import context

from storage import training_tables  # noqa: F401 -- its tables join `Row.metadata`
from storage.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
)
context.run_migrations()
