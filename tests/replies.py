"""Judge texts that tests let the scripted backend say, and the pairs that they are about."""

from rmr1.pair import Pair

PAIR = Pair.of("What is the capital of Australia?", "Canberra.", "It is Sydney, of course.")

CHAT = """<type>Chat</type>
<rubric>
1. Accuracy (60%): is it right?
2. Brevity (40%): is it short?
<justify>The prompt asks for a fact.</justify>
</rubric>
<eval>A says <quote_A>Canberra</quote_A>; B says <quote_B>It is Sydney</quote_B>.</eval>
<answer>[[A]]</answer>"""

SUM = Pair.of("What is 17 + 26?", "17 + 26 = 43.", "17 + 26 = 33, so the answer is 33.")

REASONING = """<type>Reasoning</type>
<solution>7 + 6 = 13, carry 1; 1 + 2 + 1 = 4. The sum is 43.</solution>
<eval>Response A is right: <quote_A>17 + 26 = 43.</quote_A>
Response B forgets the carry: <quote_B>17 + 26 = 33</quote_B>, and says
<quote_B>this is certainly thirty-three point five</quote_B>.</eval>
<answer>[[A]]</answer>"""

THINKING = """The first says 43. Let me add: 17 + 26 = 43. So the first is right.
</think>
Response A gives the right sum, Response B does not.
<answer>[[A]]</answer>"""
