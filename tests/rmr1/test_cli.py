import io
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from app import main
from rmr1 import cli
from rmr1.errors import BackendError, InputError
from tests.replies import CHAT, PAIR

PAIRS = [
    {"id": "one", "prompt": "What is 1 + 1?", "response_a": "Canberra.", "response_b": "3"},
    {"prompt": [{"role": "user", "content": "Hi"}], "chosen": "Hello", "rejected": "Go away"},
]


@pytest.fixture(autouse=True)
def _scripted(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMR1_BACKEND", json.dumps({"kind": "scripted", "replies": [CHAT]}))


def run(*arguments, **options):
    return CliRunner().invoke(cli.app, arguments, catch_exceptions=False, **options)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_pairs(path, pairs=PAIRS):
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    return str(path)


def test_each_pair_becomes_a_judgement_a_line(tmp_path):
    out = tmp_path / "out.jsonl"
    run("judge", write_pairs(tmp_path / "in.jsonl"), "--out", str(out), "--orders", "both")
    first = next(record for record in lines(out) if record["id"] == "one")
    assert len(lines(out)) == 2
    assert first["state"] == "contradictory"  # always letter A, in both orders
    assert first["swap_consistent"] is False
    assert len(first["rollouts"]) == 2
    assert first["judge_version"]["backend"] == "scripted"


def test_a_second_run_judges_only_what_is_missing(tmp_path):
    out = tmp_path / "out.jsonl"
    pairs = write_pairs(tmp_path / "in.jsonl")
    run("judge", pairs, "--out", str(out))
    whole = out.read_text(encoding="utf-8").splitlines(keepends=True)
    out.write_text(whole[0] + whole[1][:40], encoding="utf-8")  # killed while writing
    run("judge", pairs, "--out", str(out))
    assert out.read_text(encoding="utf-8").splitlines(keepends=True)[0] == whole[0]
    assert sorted(record["id"] for record in lines(out)) == sorted(
        json.loads(line)["id"] for line in whole
    )


def test_another_plan_or_profile_judges_again_and_a_repeated_pair_once(tmp_path):
    out = tmp_path / "out.jsonl"
    pairs = write_pairs(tmp_path / "in.jsonl", [PAIRS[0], PAIRS[0]])
    for options in ([], ["--votes", "2"], ["--votes", "2", "--profile", "reasoning"], []):
        run("judge", pairs, "--out", str(out), *options)
    made = [(len(one["rollouts"]), one["judge_version"]["profile"]) for one in lines(out)]
    assert made == [(1, "cor"), (2, "cor"), (2, "reasoning")]


def test_pairs_whose_judge_failed_are_judged_again(tmp_path, monkeypatch):
    out = tmp_path / "out.jsonl"
    pairs = write_pairs(tmp_path / "in.jsonl", PAIRS[:1])
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "none"}
    monkeypatch.setenv("RMR1_BACKEND", json.dumps(backend))
    with pytest.raises(BackendError, match="failed on 1 of 1"):
        run("judge", pairs, "--out", str(out))
    assert lines(out)[0]["state"] == "failed"
    monkeypatch.setenv("RMR1_BACKEND", json.dumps({"kind": "scripted", "replies": [CHAT]}))
    run("judge", pairs, "--out", str(out))
    assert lines(out)[-1]["verdict"] == "A"


def test_a_bad_line_is_named(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"prompt": "p", "response_a": "a"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"in\.jsonl, line 1: response_b: expected a text"):
        run("judge", str(path), "--out", str(tmp_path / "out.jsonl"))


def test_a_plan_out_of_range_is_refused_by_the_name_of_its_option(tmp_path):
    with pytest.raises(InputError, match="--votes"):
        run("judge", write_pairs(tmp_path / "in.jsonl"), "--out", "o.jsonl", "--votes", "0")


def test_texts_are_read_into_traces(tmp_path):
    record = {"id": "x", "text": CHAT, "response_a": "Canberra.", "response_b": PAIR.response_b}
    result = run("parse", input=json.dumps(record) + "\n")
    trace = json.loads(result.stdout)
    assert (trace["id"], trace["verdict"], trace["type"]) == ("x", "A", "Chat")
    assert [quote["match"] for quote in trace["quotes"]] == ["exact", "exact"]


def test_a_file_that_is_no_json_is_one_text():
    trace = json.loads(run("parse", input=CHAT).stdout)
    assert trace["verdict"] == "A"
    assert [quote["match"] for quote in trace["quotes"]] == [None, None]


def test_profiles_are_listed_and_shown():
    listed = [json.loads(line) for line in run("prompts", "list").stdout.splitlines()]
    assert {"cor", "reasoning"} <= {profile["name"] for profile in listed}
    assert json.loads(run("prompts", "show", "cor").stdout)["layout"] == "cor"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["judge", "-", "--out", "no/o.jsonl"], 2, "rmr1: no/o.jsonl: cannot be written"),
        (["judge", "missing.jsonl", "--out", "o.jsonl"], 2, "rmr1: missing.jsonl: cannot be read"),
        (["prompts", "show", "nothing"], 2, "rmr1: no prompt profile 'nothing'"),
    ],
)
def test_what_a_person_can_mend_is_one_line_and_exit_code_2(
    arguments, code, says, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["rmr1", *arguments])
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(SystemExit) as exit_:
        main()
    error = capsys.readouterr().err
    assert exit_.value.code == code
    assert error.startswith(says)
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("RMR1_BACKEND", '{"kind": "x"}', "RMR1_BACKEND: Input tag 'x'"),
        ("RMR1_BACKEND", "{bad", "RMR1_BACKEND"),
        ("RMR1_PORT", "many", "RMR1_PORT: Input should be a valid integer"),
        ("RMR1_MISSPELT", "1", "unknown variable RMR1_MISSPELT"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line_too(variable, value, says, monkeypatch, capsys):
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["rmr1", "judge", "-", "--out", "o.jsonl"])
    with pytest.raises(SystemExit) as exit_:
        main()
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert error.startswith(f"rmr1: the settings cannot be used: {says}")
    assert error.count("\n") == 1


def test_line_separators_inside_texts_end_no_line(tmp_path):
    out = tmp_path / "out.jsonl"
    path = tmp_path / "in.jsonl"
    pair = {"prompt": "p", "response_a": "a\u2028b\x85c", "response_b": "d"}
    path.write_text(json.dumps(pair, ensure_ascii=False) + "\n", encoding="utf-8")
    run("judge", str(path), "--out", str(out))
    once = out.read_bytes()
    run("judge", str(path), "--out", str(out))
    assert out.read_bytes() == once
    assert json.loads(once)["pair"]["response_a"] == pair["response_a"]


def test_a_line_torn_inside_a_letter_is_cut_off(tmp_path):
    out = tmp_path / "out.jsonl"
    pairs = write_pairs(tmp_path / "in.jsonl")
    run("judge", pairs, "--out", str(out))
    whole = out.read_bytes()
    out.write_bytes(whole + '{"id": "é'.encode()[:-1])
    run("judge", pairs, "--out", str(out))
    assert out.read_bytes() == whole


@pytest.mark.parametrize("line", ["not JSON", "{}", "[]", '{"pair": {}}'])
def test_a_file_of_something_else_is_not_added_to(line, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"out\.jsonl, line 1: is no judgement"):
        run("judge", write_pairs(tmp_path / "in.jsonl"), "--out", str(out))
    assert out.read_text(encoding="utf-8") == f"{line}\n"


def test_half_a_surrogate_pair_is_refused_before_anything_is_judged(tmp_path):
    path = tmp_path / "in.jsonl"
    write_pairs(path, [{"prompt": "p", "response_a": "\ud800", "response_b": "b"}])
    with pytest.raises(InputError, match=r"in\.jsonl, line 1: not JSON"):
        run("judge", str(path), "--out", str(tmp_path / "out.jsonl"))


def test_the_light_half_of_the_package_imports_nothing_heavy():
    heavy = ["torch", "transformers", "vllm", "gradio", "sqlalchemy", "pandas", "plotly"]
    code = f"import rmr1.cli, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_judgements_are_held_against_the_known_better_sides(tmp_path):
    out = tmp_path / "out.jsonl"
    known = [
        {"prompt": f"p{n}", "response_a": "Canberra.", "response_b": "3", "chosen": letter}
        | {"source": "talk"}
        for n, letter in enumerate("AAB")
    ]
    pairs = write_pairs(tmp_path / "in.jsonl", known)
    run("judge", pairs, "--out", str(out))
    run("judge", pairs, "--out", str(out), "--votes", "2")
    out.write_text(out.read_text(encoding="utf-8") * 2, encoding="utf-8")  # judged twice
    shown = run("evaluate", str(out), "--expected-types", "talk=Chat", "--json").stdout
    once, twice = map(json.loads, shown.splitlines())
    assert once["judge"]["backend"] == "scripted"
    assert once["whole"]["right"]["count"] == 2
    assert once["whole"]["right"]["n"] == 3
    assert once["whole"]["right_type"]["count"] == 3
    assert twice["plan"]["votes"] == 2
    assert "| talk | 66.7%" in run("evaluate", str(out)).stdout


@pytest.mark.parametrize("types", ["talk", "talk=Prose"])
def test_an_expected_type_that_is_none_is_refused(tmp_path, types):
    out = tmp_path / "out.jsonl"
    out.touch()
    with pytest.raises(InputError, match="expected-types"):
        run("evaluate", str(out), "--expected-types", types)


def test_a_line_that_is_no_judgement_is_named(tmp_path):
    with pytest.raises(InputError, match="line 1: expected a judgement"):
        run("evaluate", write_pairs(tmp_path / "in.jsonl"))


def test_votes_of_an_adaptive_plan_stop_when_the_verdict_is_decided(tmp_path):
    out = tmp_path / "out.jsonl"
    pairs = write_pairs(tmp_path / "in.jsonl", PAIRS[:1])
    run("judge", pairs, "--out", str(out), "--votes", "8", "--adaptive", "0.95")
    run("judge", pairs, "--out", str(out), "--votes", "8", "--adaptive", "0.95")
    (only,) = lines(out)
    assert (only["plan"]["stop_at"], len(only["rollouts"])) == (0.95, 3)
    with pytest.raises(InputError, match="--stop-at"):
        run("judge", pairs, "--out", str(out), "--adaptive", "0.3")
