"""Rules of the house that hold by test: what is documented exists, what is dangerous does not."""

import re
import tomllib
from pathlib import Path

import pytest

from rmr1.settings import Settings

ROOT = Path(__file__).parent.parent
ROOMS = ("rmr1", "storage", "training", "ui")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def modules():
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "versions" not in path.parts and path.name != "__init__.py":
                yield path.relative_to(ROOT)


def test_the_file_map_names_every_module_and_no_other():
    named = set(re.findall(r"^\| `([\w/]+\.py)` \|", README, re.MULTILINE))
    assert named == {str(path) for path in modules()} | {"app.py"}


def test_every_setting_has_a_description_and_a_row_in_the_readme():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `RMR1_{name.upper()}` |" in README


def test_the_space_installs_what_the_package_asks_for_at_tested_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.match(r"[\w.-]+", item)[0].lower() for item in project["dependencies"]}
    pins = dict(
        line.split("==")
        for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    tested = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {name.partition("[")[0]: version for name, version in pins.items()}
    assert set(pins) == wanted
    assert {f"{name}=={version}" for name, version in pins.items()} <= set(tested)
    assert f"sdk_version: {pins['gradio']}" in README


@pytest.mark.parametrize(
    "forbidden",
    [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
        "createContextualFragment",
        "srcdoc",
    ],
)
def test_no_script_of_ours_writes_markup_or_code(forbidden):
    for path in (ROOT / "ui" / "assets").glob("*.js"):
        assert forbidden not in path.read_text(encoding="utf-8"), path.name


def test_no_page_hands_text_to_a_component_that_would_interpret_it():
    for path in (ROOT / "ui").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "sanitize_html" not in source, path.name
        assert 'datatype="html"' not in source, path.name
        assert path.name == "panels.py" or "gr.HTML(" not in source, path.name


def test_the_only_template_is_constant():
    source = (ROOT / "ui" / "panels.py").read_text(encoding="utf-8")
    assert re.findall(r"html_template=(.*),", source) == ['"<div data-root></div>"']


def test_files_stay_small_enough_to_read():
    long = {
        str(path): lines
        for path in modules()
        if (lines := len((ROOT / path).read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
