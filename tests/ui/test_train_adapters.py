from storage import adapters
from ui.adapter_views import adapters_view, figure_rows


def test_adapters_say_who_judges_and_who_decided_it(studio, tmp_path):
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / adapters.WEIGHTS).write_bytes(b"w")
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    with studio.database.write() as session:
        adapter_id = adapters.register(
            session,
            name="judge",
            hash=adapters.weights_hash(folder),
            folder=str(folder),
            base="b",
            profile="brief",
            figures={"right": {"count": 6, "n": 10, "share": 0.6, "low": 0.3, "high": 0.8}},
        )
        adapters.promote(session, adapter_id, "Mara")
    view = adapters_view(studio.database, studio.data_dir)
    (shown,) = view["adapters"]
    assert shown["promoted"]
    assert shown["figures"] == [["right", "60.0 % (30.0 % to 80.0 %), n = 10"]]
    assert view["promoted"] == shown["version"]
    assert view["history"][0]["by"] == "Mara"
    assert view["can_roll_back"]


def test_figures_of_any_depth_become_rows():
    figures = {
        "n": 500,
        "all": {"accuracy": 0.634, "interval": [0.59, 0.67]},
        "note": "",
        "ok": True,
    }
    assert figure_rows(figures) == [
        ["n", "500"],
        ["all accuracy", "0.634"],
        ["all interval", "0.59 to 0.67"],
    ]
