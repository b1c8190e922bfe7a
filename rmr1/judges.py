"""The judges that a backend makes: with its adapters, and bare under each prompt profile."""

from rmr1.backends.adapters import PACKAGED_NAME
from rmr1.backends.base import Backend, Scores
from rmr1.errors import ConfigurationError
from rmr1.judge import Judge
from rmr1.prompt import load_profile, profile_names
from rmr1.scalar_judge import ScalarJudge

PACKAGED_PROFILE = "brief"
"""What the packaged adapter was trained on."""

USUAL_PROFILE = "cor"


def default_judge(
    backend: Backend, profile: str | None = None, adapter: str | None = None
) -> Judge:
    """The judge that speaks unless another is asked for.

    Args:
        profile: a packaged name or a path; by default the one that the adapter was trained on.
        adapter: its name or identity; by default the packaged one where the backend has it and no
            profile asks for another judge; "" for none.

    Returns:
        A judge that writes; of a scalar reward model, which reads no prompt of ours, one that
        holds its scores against each other.

    Raises:
        ConfigurationError: there is no such profile, or an adapter is asked of a scalar model.
    """
    if isinstance(backend, Scores):
        if adapter:
            raise ConfigurationError("a scalar reward model is judged with as it is: no adapter.")
        return ScalarJudge(backend)
    if adapter is None and profile is None:
        adapter = _packaged(backend)
    its = PACKAGED_PROFILE if adapter and adapter == _packaged(backend) else USUAL_PROFILE
    return Judge(backend, load_profile(profile or its), adapter=adapter or None)


def judges_of(backend: Backend, profile: str | None = None) -> dict[str, Judge]:
    """All judges of a backend by a short name, the default one first.

    Args:
        profile: of the default judge, as in `default_judge`.

    Raises:
        ConfigurationError: there is no such profile.
    """
    found = [default_judge(backend, profile)]
    if isinstance(backend, Scores):
        return {found[0].profile.name: found[0]}
    found += [default_judge(backend, adapter=name) for name in backend.adapters]
    found += [
        Judge(backend, one)
        for one in map(load_profile, (USUAL_PROFILE, *profile_names()))
        if not one.learned
    ]
    named: dict[str, Judge] = {}
    for judge in found:
        named.setdefault(judge.adapter or judge.profile.name, judge)
    return named


def _packaged(backend: Backend) -> str | None:
    """The identity of the packaged adapter, where the backend has it."""
    offered = backend.adapters
    return next((name for name in offered if name.partition("@")[0] == PACKAGED_NAME), None)
