"""Single responses held back until those of their prompt are together, for trainers that send one.

OpenRLHF asks for the reward of each rollout by itself, though it draws all of a prompt's at once.
A win rate needs the others; so a request waits for them, within bounds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rmr1.group import Group
from rmr1.group_reward import GroupRewards
from rmr1.pair import Message

Score = Callable[[Group], Awaitable[GroupRewards]]


class Gathered(NamedTuple):
    """A reward, and whether no verdict speaks of its response."""

    reward: float
    silent: bool


@dataclass(slots=True)
class _Waiting:
    """Responses that came, each with what its request waits for: a reward, in its place."""

    responses: list[str] = field(default_factory=list)
    rewards: list[asyncio.Future[Gathered]] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class Gatherer:
    """Makes groups of responses that come one by one; for one event loop."""

    def __init__(self, score: Score, wait_s: float) -> None:
        """Prepare.

        Args:
            score: gives the rewards of a group.
            wait_s: how long the first response of a prompt waits for the others.
        """
        self._score = score
        self._wait_s = wait_s
        self._waiting: dict[tuple[object, ...], _Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def reward(
        self, conversation: Sequence[Message], response: str, size: int, missing: float
    ) -> Gathered:
        """The reward of one response among the `size` that its prompt gets.

        A group that is not whole in time is judged as far as it came.

        Args:
            missing: the reward where nothing tells the responses apart, or no other one came.

        Raises:
            RMR1Error: as `score` does.
        """
        key = (*((turn.role, turn.content) for turn in conversation), size, missing)
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = _Waiting()
            loop = asyncio.get_running_loop()
            waiting.timer = loop.call_later(self._wait_s, self._close, key, conversation, missing)
        reward: asyncio.Future[Gathered] = asyncio.get_running_loop().create_future()
        waiting.responses.append(response)
        waiting.rewards.append(reward)
        if len(waiting.responses) >= size:
            self._close(key, conversation, missing)
        return await reward

    def _close(
        self, key: tuple[object, ...], conversation: Sequence[Message], missing: float
    ) -> None:
        """Let a group be judged; whoever comes later begins another."""
        waiting = self._waiting.pop(key)
        if waiting.timer:
            waiting.timer.cancel()
        task = asyncio.ensure_future(self._tell(waiting, tuple(conversation), missing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(
        self, waiting: _Waiting, conversation: tuple[Message, ...], missing: float
    ) -> None:
        try:
            group = Group(conversation=conversation, responses=tuple(waiting.responses))
            found = await self._score(group)
        except Exception as error:  # handed to those who wait, whatever it is
            for one in waiting.rewards:
                if not one.done():
                    one.set_exception(error)
            return
        filled = zip(found.filled(missing), found.rewards, strict=True)
        for one, (reward, known) in zip(waiting.rewards, filled, strict=True):
            if not one.done():  # its request may be gone
                one.set_result(Gathered(reward, known is None))
