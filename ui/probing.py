"""Contrast probes asked for on the Judgement page, as plain dictionaries; no Gradio in here."""

import logging
from collections.abc import Iterator, Sequence

from rmr1.contrast import Probe, contrasts
from rmr1.errors import BackendError, RecordNotFound
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Side
from rmr1.rollout import State
from storage import judgements, probes
from storage.judgements import StoredJudgement
from storage.probes import StoredProbe
from ui.context import Studio
from ui.injection_views import injection_view
from ui.views import STATE_TITLES, View, judgement_view

_log = logging.getLogger(__name__)


def probes_view(studio: Studio, stored: StoredJudgement) -> View:
    """The probes of a judgement: those on record, and those that can be asked for."""
    with studio.database.read() as session:
        kept = probes.of(session, stored.key)
    possible = contrasts(stored.judgement.pair, stored.judgement.plan)
    return {
        "rows": [_row(one, stored.judgement.verdict) for one in kept],
        "possible": [probe.change for probe in possible],
        "rollouts": sum(probe.plan.size for probe in possible),
        "problem": "",
        "sentence": _summary([one.verdict for one in kept], stored.judgement.verdict),
    }


def around(studio: Studio, key: str) -> View:
    """The probes of the judgement with this key, and how its judge stood commands."""
    try:
        with studio.database.read() as session:
            stored = judgements.get(session, key)
    except RecordNotFound:
        return {}
    return {
        "probes": probes_view(studio, stored),
        "injection": injection_view(studio.data_dir, stored.judgement.version),
    }


def judge_of(studio: Studio, judgement: Judgement) -> Judge | None:
    """The judge that gave a judgement, where this studio has it and its backend answers."""
    for judge in studio.judges.values():
        try:
            if judge.version == judgement.version:
                return judge
        except BackendError as error:
            _log.info("a judge cannot say what it is: %s", error)
    return None


def run_probes(studio: Studio, key: str, by: str) -> Iterator[View]:
    """Judge every contrast of a judgement's pair and put it on record.

    Yields:
        The probes after each one, with `running`, what is being judged.
    """
    try:
        with studio.database.read() as session:
            stored = judgements.get(session, key)
    except RecordNotFound:
        yield {}
        return
    judge = judge_of(studio, stored.judgement)
    if judge is None:
        problem = _other_judge(stored.judgement)
        yield {"probes": {**probes_view(studio, stored), "problem": problem}}
        return
    failed = ""
    for probe in contrasts(stored.judgement.pair, stored.judgement.plan):
        yield {"probes": {**probes_view(studio, stored), "running": probe.change}}
        failed = _keep(studio, judge, stored.key, probe, by) or failed
    yield {"probes": {**probes_view(studio, stored), "problem": failed}}


def _keep(studio: Studio, judge: Judge, key: str, probe: Probe, by: str) -> str:
    """Judge one probe and store it; what went wrong, where the judge failed."""
    judgement = judge.judge(probe.pair, probe.plan)
    if judgement.state is State.FAILED:
        return f"The judge failed on a probe: {judgement.reason}"
    with studio.database.write() as session:
        probes.add(session, key, probe.change, judgement, by=by)
    return ""


def probe_view(studio: Studio, key: str) -> View:
    """One probe's own judgement, to read."""
    try:
        with studio.database.read() as session:
            judgement = probes.get(session, key)
    except RecordNotFound:
        return {}
    return {**judgement_view(judgement, "reasoning"), "probe": key}


def _row(probe: StoredProbe, original: Side | None) -> View:
    return {
        "key": probe.key,
        "change": probe.change,
        "words": probe.change.words,
        "verdict": probe.verdict,
        "state": STATE_TITLES[probe.state],
        "confidence": probe.confidence,
        "moved": None if None in (probe.verdict, original) else probe.verdict is not original,
        "when": f"{probe.created_at:%Y-%m-%d %H:%M} UTC",
        "by": probe.by,
    }


def _summary(verdicts: Sequence[Side | None], original: Side | None) -> str:
    if not verdicts or original is None:
        return ""
    moved = sum(verdict is original.other for verdict in verdicts)
    silent = sum(verdict is None for verdict in verdicts)
    said = f"{moved} of {len(verdicts)} probes move the verdict"
    return f"{said}, {silent} give none." if silent else f"{said}."


def _other_judge(judgement: Judgement) -> str:
    return (
        f"Only the judge that gave this verdict can be probed, {judgement.version.title}; this "
        "studio does not run it."
    )
