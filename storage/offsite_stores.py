"""Where parts of the journal are kept off-site: a dataset repository or a bucket on the Hub."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from httpx import HTTPError
from huggingface_hub.errors import BucketNotFoundError, RepositoryNotFoundError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from rmr1.errors import StorageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_BUCKET = "buckets/"
_Answer = TypeVar("_Answer")


class PartStore(Protocol):
    """Keeps parts by name; what was put once is never written again."""

    @property
    def title(self) -> str:
        """What people know it by."""
        ...

    def fetch(self) -> list[tuple[str, bytes]]:
        """Every part, name and content, by name; a store that is not there yet is made.

        Raises:
            StorageError: the Hub does not answer, or refuses.
        """
        ...

    def put(self, name: str, data: bytes) -> None:
        """Keep one part; once this returns it is kept for good.

        Raises:
            StorageError: the Hub does not answer, or refuses.
        """
        ...


def part_store(
    repo: str, folder: str, *, endpoint: str | None = None, attempts: int = 4
) -> PartStore:
    """The store that a setting names.

    Args:
        repo: a dataset repository `OWNER/NAME`, or `buckets/OWNER/NAME`.
        folder: the folder of the parts in it.
        endpoint: the Hub's address; by default the one that its client knows.
        attempts: how often one call is tried.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint)
    if repo.startswith(_BUCKET):
        return BucketStore(api, repo.removeprefix(_BUCKET), folder, attempts)
    return DatasetStore(api, repo, folder, attempts)


class DatasetStore:
    """Parts as files of a dataset repository: every one a commit, so nothing is ever lost."""

    def __init__(self, api: "HfApi", repo: str, folder: str, attempts: int) -> None:
        """Name the repository; nothing is asked yet."""
        self._api, self._repo, self._folder, self._attempts = api, repo, folder, attempts

    @property
    def title(self) -> str:
        """The repository's name."""
        return f"datasets/{self._repo}"

    def fetch(self) -> list[tuple[str, bytes]]:
        """See `PartStore`."""
        return _patiently(self._fetch, self._attempts, self.title)

    def put(self, name: str, data: bytes) -> None:
        """See `PartStore`."""

        def upload() -> None:
            self._api.upload_file(
                path_or_fileobj=data,
                path_in_repo=f"{self._folder}/{name}",
                repo_id=self._repo,
                repo_type="dataset",
                commit_message=f"Labels: {name}",
            )

        _patiently(upload, self._attempts, self.title)

    def _fetch(self) -> list[tuple[str, bytes]]:
        try:
            listed = self._api.list_repo_files(self._repo, repo_type="dataset")
        except RepositoryNotFoundError:
            self._api.create_repo(self._repo, repo_type="dataset", private=True, exist_ok=True)
            return []
        with tempfile.TemporaryDirectory(prefix="rmr1-parts-") as folder:
            self._api.snapshot_download(
                self._repo,
                repo_type="dataset",
                local_dir=folder,
                allow_patterns=f"{self._folder}/*",
            )
            return _read_parts(Path(folder), self._folder, listed)


class BucketStore:
    """Parts as objects of a bucket, which keeps no history: names never come twice."""

    def __init__(self, api: "HfApi", bucket: str, folder: str, attempts: int) -> None:
        """Name the bucket; nothing is asked yet."""
        self._api, self._bucket, self._folder, self._attempts = api, bucket, folder, attempts

    @property
    def title(self) -> str:
        """The bucket's name."""
        return f"buckets/{self._bucket}"

    def fetch(self) -> list[tuple[str, bytes]]:
        """See `PartStore`."""
        return _patiently(self._fetch, self._attempts, self.title)

    def put(self, name: str, data: bytes) -> None:
        """See `PartStore`."""

        def upload() -> None:
            self._api.batch_bucket_files(self._bucket, add=[(data, f"{self._folder}/{name}")])

        _patiently(upload, self._attempts, self.title)

    def _fetch(self) -> list[tuple[str, bytes]]:
        try:
            tree = self._api.list_bucket_tree(self._bucket, prefix=self._folder, recursive=True)
            listed = [item.path for item in tree if item.type == "file"]
        except BucketNotFoundError:
            self._api.create_bucket(self._bucket, private=True, exist_ok=True)
            return []
        listed = [name for name in listed if name.startswith(f"{self._folder}/")]
        with tempfile.TemporaryDirectory(prefix="rmr1-parts-") as folder:
            if listed:
                self._api.download_bucket_files(
                    self._bucket,
                    [(name, Path(folder, name)) for name in listed],
                    raise_on_missing_files=True,
                )
            return _read_parts(Path(folder), self._folder, listed)


def _read_parts(root: Path, folder: str, listed: list[str]) -> list[tuple[str, bytes]]:
    """The parts that are listed.

    Raises:
        FileNotFoundError: one of them did not come: half an answer is none.
    """
    names = sorted(name for name in listed if name.startswith(f"{folder}/"))
    return [
        (name.removeprefix(f"{folder}/"), (root / name).read_bytes())
        for name in names
        if name.endswith(".jsonl")
    ]


def _patiently(call: Callable[[], _Answer], attempts: int, title: str) -> _Answer:
    """Try a few times, longer and longer apart; what the last one raises becomes our own error."""
    tries = Retrying(
        retry=retry_if_exception_type((HTTPError, OSError)),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.5, max=20),
        reraise=True,
    )
    try:
        return tries(call)
    except (HTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StorageError(f"{title} cannot be reached ({reason}).") from error
