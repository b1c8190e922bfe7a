from pathlib import Path

import pytest

from tests.train import tiny


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """A model this small is slower on two threads, and far slower where the cores are busy."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_data(tmp_path_factory.mktemp("data"))
