"""The reasoning reward model: pair, prompt, backends, trace, judge. Importing it is light."""

from rmr1.backends.loading import load_backend
from rmr1.batch import judge_many
from rmr1.errors import RMR1Error
from rmr1.grounding import GroundedQuote, Match
from rmr1.judge import Judge, Update
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Plan
from rmr1.prompt import Profile, load_profile
from rmr1.rollout import Rollout, State, read_rollout
from rmr1.rubric import Criterion
from rmr1.trace import Trace, TraceParser, parse_trace
from rmr1.verdict import VERDICT_RULES

__all__ = [
    "VERDICT_RULES",
    "Criterion",
    "GroundedQuote",
    "Judge",
    "JudgeVersion",
    "Judgement",
    "Match",
    "Message",
    "Order",
    "Pair",
    "Plan",
    "Profile",
    "RMR1Error",
    "Rollout",
    "Side",
    "State",
    "Trace",
    "TraceParser",
    "Update",
    "judge_many",
    "load_backend",
    "load_profile",
    "parse_trace",
    "read_rollout",
]
