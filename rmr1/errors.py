"""Every error raised on purpose, one sentence each: what, where, and what to do.

RMR1Error
├── ConfigurationError         the user can mend it in the settings
├── InputError                 a file, a form or an argument holds something unusable
├── BackendError               the model call failed
│   ├── BackendUnavailable     nobody answered, or the server died: worth another try
│   │   └── BackendBusy        the server is there and asks for patience
│   └── PromptTooLong          the prompt does not fit the context window
├── RecordNotFound             no record has this id
└── StorageError               the database refused: locked, full, or of another version
"""

from pydantic import ValidationError


class RMR1Error(Exception):
    """Base of all errors that the project raises on purpose; `str()` of it is fit for a person."""


class ConfigurationError(RMR1Error):
    """A setting is wrong or missing."""


class InputError(RMR1Error):
    """A file, a form field or an argument cannot be used as it is."""


class BackendError(RMR1Error):
    """The model call failed."""


class BackendUnavailable(BackendError):
    """Nobody answered, or the server died during the call: worth another try."""


class BackendBusy(BackendUnavailable):
    """The server is there, and has more to do than it takes: worth another try, later or slower."""


class PromptTooLong(BackendError):
    """The prompt does not fit the context window."""


class RecordNotFound(RMR1Error):
    """No record has this id."""


class StorageError(RMR1Error):
    """The database refused the operation."""


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Where the first of pydantic's findings lies ("" for the whole), and what it is."""
    first = error.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]
