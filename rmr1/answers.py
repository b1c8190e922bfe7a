"""The final answer of a solution or a response, where it says one, and whether two are the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from rmr1.symbolic import LONGEST, same_mathematics

Same = Callable[[str, str], bool | None]

_MOST_READ = 20_000  # characters, from the end: final answers stand there
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s{0,4}\{")
_HASHES = re.compile(r"^####[ \t]*(\S[^\n]{0,200})$", re.MULTILINE)
_TITLED = re.compile(
    r"^#{1,6}[ \t]*(?:final[ \t]+)?answer[ \t]*:?[ \t]*\n\s{0,20}([^\n]{1,200})$",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(
    r"\banswer(?:[ \t]+(?:to|for)[ \t][^.:=\n]{1,60}?)?[ \t*_]*"
    r"(?:\bis\b(?![ \t]+not\b)|[:=])[ \t*_]*:?[ \t*_]*([^\n]{1,200})",
    re.IGNORECASE,
)
_LETTER = re.compile(r"(?:option[ \t]+)?\(?([A-J])\)?(?=[).:,;]|\s|$)")
_ENDS_IN = re.compile(
    r"(?:=|\bis|\bare|\bequals|\bgives)[ \t]+(?:approximately[ \t]+|about[ \t]+|exactly[ \t]+)?"
    r"((?:[$€£][ \t]?)?[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:/\d+)?[ \t]?%?(?:[ \t]+[a-z]+){0,2})[.!]?$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\\$*])|\n+")
_NUMBER = re.compile(
    r"([-+]?)(?:(\d{1,3}(?:,\d{3})+|\d{1,30})(?:\.(\d{1,30}))?|\.(\d{1,30}))(?:/(\d{1,30}))?"
)
_FRACTION = re.compile(r"([-+]?)\\[dt]?frac\{([-+]?\d{1,30})\}\{(\d{1,30})\}")
_WRAPPED = re.compile(
    r"\\(?:text|mathrm|mathbf|textbf)\{([^{}]*)\}|\\[(\[]|\\[)\]]|\\[,;!: ]|[*`$]"
)
_ASSIGNED = re.compile(r"\$?[A-Za-z]\w{0,8}(?:\([^()=]{1,12}\))?[ \t]*=[ \t]*([^=]{1,150})")
_LETTERS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)?")
_LEAST_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class _Quantity:
    value: Fraction
    decimals: int | None  # None where it is exact
    unit: str


def final_answer(text: str) -> str | None:
    r"""What a text ends up with, as it is written, or None where it says no such thing plainly.

    In this order: the last `\boxed{...}`; what follows `####`; what stands under the heading
    "Answer"; what "the answer is" is followed by; a number that the last sentence comes to.
    """
    text = _FENCED.sub("\n", text[-_MOST_READ:])
    found = _last_boxed(text) or _after(_HASHES, text) or _after(_TITLED, text)
    if found is None and (said := _after(_SAID, text)):
        found = _first_words(said)
    if found is None:
        sentences = [one.strip(" \t*_$") for one in _SENTENCE.split(text) if one.strip(" \t*_$")]
        last = _ENDS_IN.search(sentences[-1][-200:]) if sentences else None
        found = last[1] if last else _whole(text)
    cleaned = _cleaned(found) if found else ""
    return cleaned if cleaned and len(cleaned) <= LONGEST else None


def same_answer(first: str, second: str, mathematics: Same = same_mathematics) -> bool | None:
    """Whether two final answers are the same.

    Numbers are compared as numbers: a unit that only one names is left aside, and a decimal number
    of two places or more is what it rounds. Anything else that looks like mathematics is for
    `mathematics` to compare.

    Returns:
        None where it cannot be said: different words may mean the same.
    """
    if _folded(first) == _folded(second):
        return True
    numbers = _quantity(first), _quantity(second)
    if numbers[0] and numbers[1]:
        return _same_quantity(numbers[0], numbers[1])
    letters = [_LETTER.fullmatch(text) for text in (first, second)]
    if letters[0] and letters[1]:
        return letters[0][1] == letters[1][1]
    if all(_is_mathematics(text) for text in (first, second)):
        return mathematics(first, second)
    return None


def _last_boxed(text: str) -> str | None:
    starts = [match.end() for match in _BOXED.finditer(text)]
    if not starts:
        return None
    depth, start = 1, starts[-1]
    for at in range(start, min(len(text), start + 2 * LONGEST)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[start:at]
    return None


def _after(pattern: re.Pattern[str], text: str) -> str | None:
    found = [match[1] for match in pattern.finditer(text)]
    return found[-1].strip() if found else None


def _first_words(said: str) -> str | None:
    """The answer at the start of what follows "the answer is"."""
    plain = said.lstrip(" \t*_:")
    if letter := _LETTER.match(plain):
        return letter[1]
    if dollars := re.match(r"\\?[$(\[]{1,2}[ \t]*([^$]{1,120}?)[ \t]*(?:\\?[)\]]|\$)", plain):
        return dollars[1].rstrip("\\")
    number = re.match(
        r"(?:[$€£][ \t]?)?[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:/\d+)?[ \t]?%?(?:[ \t]+[a-z]+)?", plain
    )
    if number:
        return number[0]
    sentence = re.split(r"[.!?](?:\s|$)|,\s", plain)[0]
    return sentence if len(sentence.split()) <= 4 else None


def _whole(text: str) -> str | None:
    """The text itself, where it is nothing but a number or a letter."""
    bare = text.strip(" \n\t.*_$")
    return bare if _quantity(bare) or _LETTER.fullmatch(bare) else None


def _cleaned(text: str) -> str:
    text = text.strip().strip("*_`'\"“” ").removesuffix(".").strip()
    if assigned := _ASSIGNED.fullmatch(text):
        text = assigned[1]
    return text.removeprefix("$").removesuffix("$").strip().replace("−", "-")


def _folded(text: str) -> str:
    return re.sub(r"[\s{}()]+", "", _WRAPPED.sub(lambda m: m[1] or "", text)).casefold().strip(".")


def _quantity(text: str) -> _Quantity | None:
    """The number that a text is, with the unit behind it."""
    plain = _WRAPPED.sub(lambda m: m[1] or "", text.replace("\\%", "%").replace("−", "-"))
    plain = plain.strip().lstrip("$€£≈ ").strip()
    if match := _FRACTION.match(plain):
        if int(match[3]) == 0:
            return None
        value = Fraction(int(match[2]), int(match[3])) * (-1 if match[1] == "-" else 1)
        decimals: int | None = None
    elif match := _NUMBER.match(plain):
        if match[5] and int(match[5]) == 0:
            return None
        places = match[3] or match[4] or ""
        value = Fraction(f"{(match[2] or '0').replace(',', '')}.{places or '0'}")
        value = value / int(match[5] or 1) * (-1 if match[1] == "-" else 1)
        decimals = len(places) if places and not match[5] else None
    else:
        return None
    unit = plain[match.end() :].strip().casefold().rstrip(".")
    return (
        _Quantity(value, decimals, unit) if unit in ("", "%") or _LETTERS.fullmatch(unit) else None
    )


def _same_quantity(first: _Quantity, second: _Quantity) -> bool | None:
    if first.unit and second.unit and first.unit != second.unit:
        return None
    if "%" in (first.unit, second.unit) and first.unit != second.unit:
        return True if first.value == second.value else None
    if first.value == second.value:
        return True
    places = [one.decimals for one in (first, second) if one.decimals is not None]
    if places and min(places) >= _LEAST_DECIMALS:
        return abs(first.value - second.value) <= Fraction(1, 2 * 10 ** min(places))
    return False


def _is_mathematics(text: str) -> bool:
    """Whether it is worth reading as mathematics: symbols, and no words but LaTeX's own."""
    bare = re.sub(r"\\[A-Za-z]+", " ", text)
    if re.search(r"[A-Za-z]{3,}", bare) or not re.search(r"[\d\\^=+*/]|[a-z]", text):
        return False
    return len(text) <= LONGEST
