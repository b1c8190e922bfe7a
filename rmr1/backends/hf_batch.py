"""Completions that a model writes together, a token for each at every step."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from rmr1.backends.base import Delta, Sampling
from rmr1.backends.hf_row import Row

_BASE = "__base__"  # PEFT's name for no adapter
_WORTH_KEEPING = 16  # tokens of a shared beginning; fewer are read again as fast

_Layers = list[tuple[Any, Any]]
"""Keys and values of each layer: rows, heads, tokens, numbers."""


class Batch:
    """Rows on one cache, aligned at their last token; they come and go between steps.

    A row that joins has its prompt read alone, without padding, from where it departs from the
    prompt read before it: votes and both orders of a pair share their beginning. Models whose
    cache is not all of plain layers (sliding windows, recurrent states) have one row at a time.
    Not safe to use from several threads.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Start without rows."""
        self.model = model
        self._tokenizer = tokenizer
        self._ends = _end_tokens(model, tokenizer)
        self.is_plain = _is_plain(model)
        self.rows: list[Row] = []
        self._cache: Any = None
        self._mask: Any = None
        self._spelt: dict[int, str] = {}
        self._read: tuple[str | None, list[int], _Layers] | None = None

    def join(self, row: Row) -> Delta:
        """Read a row's prompt and draw its first token; it stays unless that ends it."""
        import torch

        with torch.inference_mode():
            cache, logits = self._prefill(row)
            [delta] = self._draw([row], logits)
            if row.done:
                return delta
            mask = torch.ones((1, len(row.prompt)), dtype=torch.long, device=logits.device)
            if self.rows:
                cache, mask = _stacked((self._cache, self._mask), (cache, mask))
            self._cache, self._mask = cache, mask
            self.rows.append(row)
        return delta

    def step(self) -> list[tuple[Row, Delta]]:
        """Draw one more token for every row; those that are done have left."""
        import torch

        with torch.inference_mode():
            device = self._mask.device
            last = torch.tensor([[row.last] for row in self.rows], device=device)
            at = torch.tensor([[row.length - 1] for row in self.rows], device=device)
            more = torch.ones_like(last)
            self._mask = torch.cat([self._mask, more], dim=1)
            out = self.model(
                input_ids=last,
                attention_mask=self._mask,
                position_ids=at,
                past_key_values=self._cache,
                use_cache=True,
                **self._adapters(self.rows),
            )
            self._cache = out.past_key_values
            rows = list(self.rows)
            deltas = self._draw(rows, out.logits[:, -1])
            self._keep([index for index, row in enumerate(rows) if not row.done])
        return list(zip(rows, deltas, strict=True))

    def drop(self, gone: Sequence[Row]) -> None:
        """Let rows go that nobody waits for any more."""
        kept = [index for index, row in enumerate(self.rows) if row not in gone]
        if len(kept) < len(self.rows):
            self._keep(kept)

    def clear(self) -> None:
        """Let all rows go, and what was kept of prompts."""
        self.rows, self._cache, self._mask, self._read = [], None, None, None

    def _prefill(self, row: Row) -> tuple[Any, Any]:
        """The cache after a row's prompt, and the logits of its first token."""
        import torch
        from transformers import DynamicCache

        known, layers = self._known(row)
        cache = DynamicCache(config=self.model.config)
        for number, (keys, values) in enumerate(layers):
            cache.update(keys, values, number)
        device = self.model.device
        whole = len(row.prompt)
        out = self.model(
            input_ids=torch.tensor([row.prompt[known:]], device=device),
            attention_mask=torch.ones((1, whole), dtype=torch.long, device=device),
            position_ids=torch.arange(known, whole, device=device)[None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **self._adapters([row]),
        )
        if self.is_plain:
            self._read = row.adapter, row.prompt, _layers(out.past_key_values)
        return out.past_key_values, out.logits[:, -1]

    def _known(self, row: Row) -> tuple[int, _Layers]:
        """How many of a prompt's first tokens were just read, and what was kept of them."""
        if self._read is None or self._read[0] != row.adapter:
            return 0, []
        _, prompt, layers = self._read
        both = zip(prompt, row.prompt, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
        shared = min(shared, len(row.prompt) - 1)  # the last token's logits are wanted
        if shared < _WORTH_KEEPING:
            return 0, []
        return shared, [(k[..., :shared, :], v[..., :shared, :]) for k, v in layers]

    def _adapters(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The adapter of each row, where the model has any."""
        if not hasattr(self.model, "peft_config"):
            return {}
        return {"adapter_names": [row.adapter or _BASE for row in rows]}

    def _draw(self, rows: Sequence[Row], logits: Any) -> list[Delta]:
        logits = logits.float()
        deltas = []
        for row, scores in zip(rows, logits, strict=True):
            token = _drawn(scores, row)
            alternatives = self._alternatives(scores, row.request.logprobs)
            deltas.append(row.take(token, token in self._ends, alternatives))
        return deltas

    def _alternatives(self, scores: Any, count: int) -> tuple[tuple[str, float], ...]:
        """The likeliest tokens with their log-probabilities, before temperature."""
        if not count:
            return ()
        best = scores.log_softmax(-1).topk(min(count, scores.shape[-1]))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return tuple((self._spelling(token), chance) for token, chance in pairs)

    def _spelling(self, token: int) -> str:
        """A token as text, decoded once: it is asked for ten times a step."""
        if token not in self._spelt:
            self._spelt[token] = self._tokenizer.decode([token])
        return self._spelt[token]

    def _keep(self, kept: Sequence[int]) -> None:
        """Go on with these rows, without the columns that only the others needed."""
        import torch

        if len(kept) == len(self.rows):
            return
        self.rows = [self.rows[index] for index in kept]
        if not kept:
            self._cache = self._mask = None
            return
        chosen = torch.tensor(kept, device=self._mask.device)
        mask = self._mask[chosen]
        first = int(mask.any(dim=0).int().argmax())
        self._mask = mask[:, first:]
        self._cache = _cache(
            [
                (k[chosen][..., first:, :], v[chosen][..., first:, :])
                for k, v in _layers(self._cache)
            ]
        )


def _drawn(scores: Any, row: Row) -> int:
    """The next token of a row by its own sampling."""
    import torch

    sampling = row.request.sampling
    if sampling.temperature == 0:
        return int(scores.argmax())
    if row.random is None and sampling.seed is not None:
        row.random = torch.Generator().manual_seed(sampling.seed)
    chances = _nucleus((scores / sampling.temperature).softmax(-1).cpu(), sampling)
    return int(torch.multinomial(chances, 1, generator=row.random))


def _nucleus(chances: Any, sampling: Sampling) -> Any:
    """The chances of the likeliest tokens that make up `top_p`, the others being none."""
    if sampling.top_p >= 1:
        return chances
    ordered, places = chances.sort(descending=True)
    outside = ordered.cumsum(-1) - ordered >= sampling.top_p
    outside[0] = False
    return chances.index_fill(-1, places[outside], 0.0)


def _is_plain(model: Any) -> bool:
    """Whether every layer keeps all keys and values, row by row."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    cache = DynamicCache(config=model.config)
    return all(type(layer) is DynamicLayer for layer in cache.layers)


def _layers(cache: Any) -> _Layers:
    return [(layer.keys, layer.values) for layer in cache.layers]


def _cache(layers: _Layers) -> Any:
    from transformers import DynamicCache

    made = DynamicCache()
    for number, (keys, values) in enumerate(layers):
        made.update(keys, values, number)
    return made


def _stacked(*parts: tuple[Any, Any]) -> tuple[Any, Any]:
    """Caches and masks of several sets of rows as one, padded on the left."""
    import torch
    from torch.nn.functional import pad

    length = max(mask.shape[1] for _, mask in parts)
    masks, layered = [], []
    for cache, mask in parts:
        missing = length - mask.shape[1]
        masks.append(pad(mask, (missing, 0)))
        layered.append(
            [tuple(pad(one, (0, 0, missing, 0)) for one in both) for both in _layers(cache)]
        )
    layers = [
        (torch.cat([k for k, _ in same]), torch.cat([v for _, v in same]))
        for same in zip(*layered, strict=True)
    ]
    return _cache(layers), torch.cat(masks)


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a reply, by the checkpoint and by its tokeniser."""
    named = getattr(model.generation_config, "eos_token_id", None)
    several = named if isinstance(named, list) else [named]
    return frozenset(token for token in (*several, tokenizer.eos_token_id) if token is not None)
