import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from rmr1.backends.base import ChatRequest
from rmr1.backends.fleet import Fleet
from rmr1.backends.loading import load_backend
from rmr1.backends.openai import OpenAIBackend
from rmr1.batch import judge_many
from rmr1.errors import BackendUnavailable, ConfigurationError, PromptTooLong
from rmr1.judge import Judge
from rmr1.pair import Message, Pair, Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.rollout import State
from rmr1.settings import OpenAISettings
from tests.fake_openai import PIECES, FakeServer, fake_servers


def asking(group: str = "") -> ChatRequest:
    return ChatRequest((Message(role="user", content="Which?"),), group=group)


@contextmanager
def fleet_of(
    servers: list[FakeServer], *, pause_s: float = 0.05, patience_s: float = 0.3, **set_: object
) -> Iterator[Fleet]:
    settings = OpenAISettings.model_validate(
        {"base_url": ",".join(one.url for one in servers), **set_}
    )
    with closing(Fleet(settings, pause_s=pause_s, patience_s=patience_s)) as fleet:
        yield fleet


def text_of(fleet: Fleet, request: ChatRequest) -> str:
    return "".join(delta.text for delta in fleet.stream(request))


def test_several_addresses_make_a_fleet_and_one_makes_none() -> None:
    with closing(load_backend(OpenAISettings(base_url="http://a/v1, http://b/v1"))) as several:
        assert isinstance(several, Fleet)
    with closing(load_backend(OpenAISettings(base_url="http://a/v1,"))) as one:
        assert isinstance(one, OpenAIBackend)
    with pytest.raises(ValueError, match="no server"):
        OpenAISettings(base_url=" , ")


def test_it_is_one_backend_with_the_room_of_all() -> None:
    with fake_servers(2) as servers, fleet_of(servers, parallel=3, most_parallel=5) as fleet:
        assert fleet.identity.model == "judge"
        assert fleet.identity.kind == "openai"
        assert fleet.capabilities.parallel == 6
        assert fleet.capabilities.most_parallel == 10
        assert fleet.capabilities.grammar


def test_requests_go_to_the_least_busy() -> None:
    with fake_servers(3, pause_s=0.05) as servers, fleet_of(servers) as fleet:
        with ThreadPoolExecutor(6) as pool:
            texts = list(pool.map(lambda _: text_of(fleet, asking()), range(6)))
        assert set(texts) == {"".join(PIECES)}
        assert [len(one.asked) for one in servers] == [2, 2, 2]


def test_a_group_stays_with_its_server_while_that_has_room() -> None:
    with fake_servers(2) as servers, fleet_of(servers) as fleet:
        for _ in range(3):
            for group in ("one", "two"):
                text_of(fleet, asking(group))
        assert [len(one.asked) for one in servers] == [3, 3]
    with fake_servers(2, pause_s=0.1) as servers, fleet_of(servers, parallel=2) as fleet:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: text_of(fleet, asking("same")), range(4)))
        assert [len(one.asked) for one in servers] == [2, 2]


def test_both_orders_and_all_votes_of_a_pair_meet_on_one_server() -> None:
    with fake_servers(3) as servers, fleet_of(servers, parallel=8) as fleet:
        judge = Judge(fleet, load_profile("cor"))
        for number in range(3):
            pair = Pair.of(f"Question {number}?", "one", "two")
            judge.judge(pair, Plan(votes=2, orders="both", temperature=0.5))
        assert [len(one.asked) for one in servers] == [4, 4, 4]


def test_a_dead_server_is_left_out_and_then_tried_again() -> None:
    with fake_servers(2) as servers, fleet_of(servers, pause_s=0.2) as fleet:
        assert text_of(fleet, asking())
        port = servers[1].server_port
        servers[1].kill()
        assert [text_of(fleet, asking()) for _ in range(6)] == ["".join(PIECES)] * 6
        assert len(servers[0].asked) >= 6
        servers[1] = FakeServer(port=port)
        time.sleep(0.3)
        for _ in range(4):
            text_of(fleet, asking())
        assert servers[1].asked


def test_a_server_that_comes_back_with_a_refusal_is_back() -> None:
    with fake_servers(2) as servers, fleet_of(servers, pause_s=0.05, patience_s=5) as fleet:
        ports = [one.server_port for one in servers]
        for one in servers:
            one.kill()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(text_of, fleet, asking())
            time.sleep(0.1)
            servers[:] = [FakeServer(port=port) for port in ports]
            assert waiting.result(10)
        for one in servers:
            one.refusing = True
        for _ in range(4):
            with pytest.raises(PromptTooLong):
                text_of(fleet, asking())
        assert all(one.asked for one in servers)


def test_many_replies_that_break_off_at_once_are_one_death() -> None:
    with fake_servers(2, pause_s=0.1) as servers, fleet_of(servers, pause_s=0.2) as fleet:
        with ThreadPoolExecutor(16) as pool:
            running = [pool.submit(text_of, fleet, asking()) for _ in range(16)]
            time.sleep(0.15)
            port = servers[1].server_port
            servers[1].kill()
            assert sum(one.exception(20) is not None for one in running) <= 8
        servers[1] = FakeServer(port=port)
        time.sleep(0.4)
        for _ in range(4):
            text_of(fleet, asking())
        assert servers[1].asked


def test_a_busy_server_hands_its_requests_to_another() -> None:
    with fake_servers(2) as servers, fleet_of(servers) as fleet:
        servers[0].busy = servers[1].busy = 1
        assert text_of(fleet, asking()) == "".join(PIECES)
        assert fleet.refusals == 2


def kill_at(server: FakeServer, asked: int) -> None:
    while len(server.asked) < asked:
        time.sleep(0.002)
    server.kill()


def test_a_server_killed_in_the_middle_loses_no_pair_and_judges_none_twice() -> None:
    pairs = [Pair.of(f"Question {number}?", "one", "two") for number in range(30)]
    with fake_servers(3, pause_s=0.02) as servers, fleet_of(servers) as fleet:
        judge = Judge(fleet, load_profile("cor"))
        killer = threading.Thread(target=kill_at, args=(servers[1], 6))
        killer.start()
        judged = list(judge_many(judge, pairs, Plan(), workers=12))
        killer.join()
        assert Counter(one.pair.hash for one in judged) == Counter(one.hash for one in pairs)
        assert {one.state for one in judged} <= {State.PARTIAL, State.COMPLETE}
        assert {one.verdict for one in judged} == {Side.A}
        assert sum(len(one.asked) for one in servers) > len(pairs)  # some were begun again


def test_all_dead_is_one_error_that_names_them_and_later_requests_fail_at_once() -> None:
    with fake_servers(2) as servers, fleet_of(servers) as fleet:
        for server in servers:
            server.kill()
        with pytest.raises(BackendUnavailable, match="none of the 2 model servers") as caught:
            text_of(fleet, asking())
        assert all(server.url in str(caught.value) for server in servers)
        time.sleep(0.3)
        began = time.monotonic()
        with pytest.raises(BackendUnavailable):
            text_of(fleet, asking())
        assert time.monotonic() - began < 1.0


def test_servers_of_different_models_are_refused() -> None:
    with fake_servers(2) as servers:
        servers[1].model = "another"
        with fleet_of(servers) as fleet:
            text_of(fleet, asking())
            with pytest.raises(ConfigurationError, match="another"):
                text_of(fleet, asking())
        with fleet_of(servers, model="judge") as fleet:
            assert text_of(fleet, asking()) == text_of(fleet, asking())


def test_a_stream_that_is_closed_frees_its_place() -> None:
    with fake_servers(2, pause_s=0.02) as servers, fleet_of(servers) as fleet:
        for _ in range(2):
            stream = fleet.stream(asking())
            next(stream)
            stream.close()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: text_of(fleet, asking()), range(2)))
        assert [len(one.asked) for one in servers] == [2, 2]
