import json
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.cluster import Cluster, JudgeParts, Manifest, Part, Tally, Work, judge_parquet, judge_part
from rmr1.errors import BackendUnavailable, InputError
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.record import judgement_from_record
from rmr1.settings import ScriptedSettings

REPLY = "<type>Chat</type><answer>[[A]]</answer>"
WORK = Work(ScriptedSettings(replies=(REPLY,)), Plan(), rows=3)


def pairs_file(path: Path, count: int, groups: int = 4) -> Path:
    """Pairs, the second of which has no second response."""
    rows = [
        {
            "id": str(n),
            "prompt": f"{n}?",
            "response_a": "one",
            "response_b": "two" if n != 1 else None,
        }
        for n in range(count)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=groups)
    return path


def judge(backend: ScriptedBackend) -> Judge:
    return Judge(backend, load_profile("cor"))


def rows_of(out: Path) -> list[dict[str, object]]:
    return [
        row for file in sorted(out.glob("*.parquet")) for row in pq.read_table(file).to_pylist()
    ]


def test_a_part_is_its_own_rows_of_its_row_group(tmp_path: Path) -> None:
    file = pairs_file(tmp_path / "in.parquet", 10, groups=7)
    out = tmp_path / "out"
    out.mkdir()
    who = judge(ScriptedBackend([REPLY]))
    for group, number, ids in [(0, 0, "012"), (0, 2, "6"), (1, 0, "789")]:
        part = Part(str(file), group, number, 3)
        judge_part(who, Plan(), part, out)
        assert "".join(row["id"] for row in rows_of_part(part, out)) == ids
    assert not list(out.glob("*.tmp"))


def rows_of_part(part: Part, out: Path) -> list[dict[str, object]]:
    return pq.read_table(part.target(out)).to_pylist()


def test_a_row_without_a_pair_says_why_and_the_others_are_judged(tmp_path: Path) -> None:
    part = Part(str(pairs_file(tmp_path / "in.parquet", 3)), 0, 0, 3)
    tally = judge_part(judge(ScriptedBackend([REPLY])), Plan(), part, tmp_path)
    assert tally == Tally(judged=2, unusable=1)
    good, bad, _ = rows_of_part(part, tmp_path)
    assert (bad["id"], bad["state"], bad["judgement"]) == ("1", None, None)
    assert "response_b" in bad["reason"]
    assert (good["verdict"], good["row"]) == ("A", 0)
    assert judgement_from_record(json.loads(good["judgement"])).verdict == "A"


def test_only_rows_whose_backend_failed_are_judged_again(tmp_path: Path) -> None:
    part = Part(str(pairs_file(tmp_path / "in.parquet", 3)), 0, 0, 3)
    away = BackendUnavailable("nobody is there.")
    ill = ScriptedBackend(lambda asked: away if "2?" in asked.messages[-1].content else REPLY)
    assert judge_part(judge(ill), Plan(), part, tmp_path) == Tally(2, failed=1, unusable=1)
    well = ScriptedBackend([REPLY])
    assert judge_part(judge(well), Plan(), part, tmp_path) == Tally(2, unusable=1)
    assert len(well.asked) == 1


def test_the_same_pair_twice_is_judged_once(tmp_path: Path) -> None:
    row = {"prompt": "Q", "response_a": "one", "response_b": "two"}
    pq.write_table(pa.Table.from_pylist([row, row]), tmp_path / "in.parquet")
    backend = ScriptedBackend([REPLY])
    part = Part(str(tmp_path / "in.parquet"), 0, 0, 9)
    assert judge_part(judge(backend), Plan(), part, tmp_path).judged == 2
    assert len(backend.asked) == 1


def test_a_folder_of_another_plan_is_refused(tmp_path: Path) -> None:
    Manifest.kept(tmp_path, Manifest("plan", "version", 3))
    assert Manifest.kept(tmp_path, Manifest("plan", "version", 9)).rows == 3
    with pytest.raises(InputError, match="another"):
        Manifest.kept(tmp_path, Manifest("other", "version", 3))


def test_a_part_that_cannot_be_read_is_told_not_raised(tmp_path: Path) -> None:
    part = json.dumps({"file": str(tmp_path / "no.parquet"), "group": 0, "number": 0, "rows": 3})
    [tally] = JudgeParts(WORK, str(tmp_path))({"part": [part]})["tally"]
    assert "no.parquet" in json.loads(tally)["error"]


@pytest.mark.filterwarnings("ignore")  # Ray uses what it has deprecated itself
def test_two_workers_judge_what_an_earlier_run_has_not(tmp_path: Path) -> None:
    pytest.importorskip("ray.data")
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    pairs_file(source / "a.parquet", 10)
    pairs_file(source / "b.parquet", 2)
    first = Part(str(source / "a.parquet"), 0, 0, 3)
    judge_part(judge(ScriptedBackend([REPLY])), Plan(), first, out)
    kept = first.target(out).stat().st_mtime_ns
    before = {one.pid for one in psutil.Process().children(recursive=True)}

    (count, begun), *done = judge_parquet(source, out, WORK, Cluster(actors=2))
    assert (count, begun) == (5, Tally(judged=2, unusable=1))
    assert sum((tally for _, tally in done), begun) == Tally(judged=10, unusable=2)
    rows = rows_of(out)
    assert [row["id"] for row in rows] == [*map(str, range(10)), "0", "1"]
    assert {row["verdict"] for row in rows} == {"A", None}
    assert first.target(out).stat().st_mtime_ns == kept
    left = {one.pid for one in psutil.Process().children(recursive=True)} - before
    assert not [pid for pid in left if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]

    again = list(judge_parquet(source, out, WORK))
    assert again == [(0, Tally(judged=10, unusable=2))]
    with pytest.raises(InputError, match="another"):
        next(judge_parquet(source, out, Work(WORK.backend, Plan(seed=1))))
