from typer.testing import CliRunner

from rmr1.__main__ import app


def test_judging_ranking_and_benchmarks_are_all_there_without_a_database():
    said = CliRunner().invoke(app, ["--help"]).output
    assert all(name in said for name in ("judge", "parse", "evaluate", "rank", "bench", "prompts"))
