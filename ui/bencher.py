"""Benchmark runs as processes: started on a run of the store, and let alone."""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from rmr1.errors import ConfigurationError
from storage import benchmark_runs
from storage.database import Database

LOG = "log.txt"


@dataclass(frozen=True, slots=True)
class BenchmarkCommand:
    """How the process is called that judges a benchmark run.

    Attributes:
        argv: program and first arguments; the run's number is added.
        data_dir: the studio's data folder, which the run writes into.
    """

    argv: tuple[str, ...]
    data_dir: Path

    @classmethod
    def of_python(cls, data_dir: Path) -> "BenchmarkCommand":
        """Call this program with the Python that runs now."""
        return cls((sys.executable, "-m", "app", "bench", "work"), data_dir)

    def start(self, database: Database, run_id: int) -> None:
        """Let a process of its own work on a run of the database; it goes on when this one ends.

        Raises:
            ConfigurationError: it cannot be started.
        """
        root = str(Path(__file__).resolve().parent.parent)
        paths = filter(None, [root, os.environ.get("PYTHONPATH")])
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "RMR1_DATA_DIR": str(self.data_dir.resolve()),
            "RMR1_DATABASE_URL": database.url.render_as_string(hide_password=False),
        }
        folder = benchmark_runs.folder_of(self.data_dir, run_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / LOG).open("ab") as log:
                process = subprocess.Popen(
                    [*self.argv, str(run_id)],
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl+C is for the studio, not for the run
                )
        except OSError as error:
            raise ConfigurationError(
                f"Benchmark run {run_id} cannot be started: {error.strerror}."
            ) from error
        # Somebody has to take note of its end, or it stays in the system's table of processes.
        threading.Thread(target=process.wait, name=f"benchmark-{run_id}", daemon=True).start()
