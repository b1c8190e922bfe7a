from pathlib import Path

from rmr1.backends.revision import model_name, model_revision


def folder(path: Path, weights: bytes = b"weights") -> Path:
    path.mkdir()
    (path / "model.safetensors").write_bytes(weights)
    (path / "config.json").write_text("{}")
    return path


def test_a_folder_is_known_by_its_content_and_not_by_its_place(tmp_path: Path) -> None:
    one, same = folder(tmp_path / "one"), folder(tmp_path / "same")
    other = folder(tmp_path / "other", b"weighs")
    revision = model_revision(str(one))
    assert len(revision) == 64
    assert model_revision(str(same)) == revision
    assert model_revision(str(other)) != revision
    (one / "optimizer.pt").write_bytes(b"no part of the model")
    assert model_revision(str(one)) == revision


def test_a_folder_is_named_by_its_last_part(tmp_path: Path) -> None:
    assert model_name(f"{folder(tmp_path / 'judge')}/") == "judge"
    assert model_name("org/judge-7b") == "org/judge-7b"
