import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import InputError
from rmr1.templated import completion_of, read_templated

CHATML = (
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is 1+1?<|im_end|>\n"
    "<|im_start|>assistant\n"
)
LLAMA = (
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)
GEMMA = (
    "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nYes?<end_of_turn>\n"
    "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n"
)
PHI = "<|system|>\nBe kind.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\n"
DEEPSEEK = "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n"
MISTRAL = "<s>[INST] Hi [/INST]"
PLAIN = "Human: Hi\n\nAssistant:"


@pytest.mark.parametrize(
    ("prompt", "turns"),
    [
        (CHATML, [("system", "Be brief."), ("user", "What is 1+1?")]),
        (LLAMA, [("user", "Hi")]),
        (GEMMA, [("user", "Hi"), ("assistant", "Yes?"), ("user", "Bye")]),
        (PHI, [("system", "Be kind."), ("user", "Hi")]),
        (DEEPSEEK, [("user", "Hi")]),
        (MISTRAL, [("user", "Hi")]),
        (PLAIN, [("user", PLAIN)]),
        ("<s>What?</s>", [("user", "What?")]),
        ("a < b, [INST] and <|x|> y", [("user", "a < b, [INST] and <|x|> y")]),
    ],
)
def test_the_turns_of_known_templates_are_read(prompt, turns):
    assert [(turn.role, turn.content) for turn in read_templated(prompt)] == turns


@pytest.mark.parametrize(
    "ending", ["", "<|im_end|>", "<|im_end|>\n", "<|eot_id|>", "</s>", "<eos>"]
)
@pytest.mark.parametrize("prompt", [CHATML, LLAMA, GEMMA, PLAIN, "What?"])
def test_a_completion_ends_where_its_turn_does(prompt, ending):
    assert completion_of(f"{prompt}It is 2 <b>.{ending}", prompt).strip() == "It is 2 <b>."


def test_a_token_that_the_tokenizer_added_or_lost_before_the_prompt_does_not_matter():
    assert completion_of(f"<|begin_of_text|>{LLAMA}Yes", LLAMA) == "Yes"
    assert completion_of(f"{LLAMA.removeprefix('<|begin_of_text|>')}Yes", LLAMA) == "Yes"


def test_a_query_without_its_prompt_is_refused():
    with pytest.raises(InputError, match="does not stand"):
        completion_of("other", "prompt")


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>user\n" * 20_000,
        "<s>" + " " * 300_000 + "x",
        "x" + " <|end|> \n" * 20_000,
        "[INST]" * 30_000,
        "<｜User｜>" * 20_000,
    ],
)
def test_a_long_text_is_walked_through_once(text):
    started = time.process_time()
    read_templated(text)
    assert completion_of(f"p{text}", "p") is not None
    assert time.process_time() - started < 2


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.text(st.sampled_from("<|>im_startend/s[INST] \n｜User"), max_size=80))
def test_any_text_has_at_least_one_turn_of_the_user_at_its_end(text):
    assert read_templated(text)[-1].role == "user"
