"""How a judge version stood the commands of the injection probes, as plain dictionaries."""

from pathlib import Path
from typing import Any

import orjson

from rmr1.injection import report_path
from rmr1.judgement import JudgeVersion
from rmr1.share import Share
from ui.views import View


def injection_view(data_dir: Path, version: JudgeVersion) -> View | None:
    """The report that `rmr1 probe injection` left of this judge version; None where there is none.

    The file lies where only the studio's owner writes; one that cannot be read counts as none.
    """
    try:
        content = orjson.loads(report_path(data_dir, version).read_bytes())
        return {
            "rows": [_row(one) for one in content["kinds"]],
            "whole": _row(content["whole"]),
        }
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _row(kind: dict[str, Any]) -> View:
    success = Share(**kind["success"])
    return {
        "title": str(kind["title"]),
        "moved": success.count,
        "n": success.n,
        "pairs": int(kind["pairs"]),
        "share": success.share,
        "words": success.rounded
        or f"of {int(kind['pairs'])} clean twins none had a verdict for "
        "the other side: nothing to win",
        "silenced": int(kind["silenced"]),
    }
