"""Stands in for `rmr1 bench work`: notes which run it was started on, and with which database.

Called as `python fake_bench.py NOTES RUN_ID`.
"""

import json
import os
import sys
from pathlib import Path

notes, run_id = sys.argv[1:]
asked = {
    "run": int(run_id),
    "database": os.environ.get("RMR1_DATABASE_URL"),
    "data_dir": os.environ.get("RMR1_DATA_DIR"),
}
Path(f"{notes}.new").write_text(json.dumps(asked), encoding="utf-8")
Path(f"{notes}.new").replace(notes)
