"""A scripted language model: it gives a fixed explanation and judges by a rule.

As a function from a request to a behaviour, for `ScriptedServer(function=...)`.
"""

import json
import re

from tests.explanations.server import says

PREVIOUS = "It attends to the token just before it, the previous token."
FALSE = "It attends to commas in long sentences about animals."
ALTERNATIVES = [
    {"on": "ht.previous", "when": None, "at_least": 0.4},
    {"on": "ht.previous", "when": "query.repeats", "at_least": 0.9},
    {"on": "ht.offset(-2)", "when": None, "at_least": None},
]
NEXT_TO_EACH_OTHER = re.compile(r"<<K:(?:(?!>>).)*>><<Q:")


def is_judged(request):
    """Return whether a request asks for a judgement."""
    return "Which of these pairs" in prompt_of(request)


def prompt_of(request):
    """Return the question, which is the second message of a repair turn, too."""
    return request.body["messages"][1]["content"]


def explained_as(request):
    """Return the explanation that a judge is given."""
    return json.loads(prompt_of(request).split("is explained so: ")[1].splitlines()[0])


def pairs_of(request):
    """Return the lines of the pairs that are to be judged."""
    return [line for line in prompt_of(request).splitlines() if re.match(r"\d+\. query ", line)]


def judge(request):
    """Judge by the previous token if the explanation says so, else by the length of a pair."""
    pairs = pairs_of(request)
    if explained_as(request) == PREVIOUS:
        return says({"answers": [bool(NEXT_TO_EACH_OTHER.search(pair)) for pair in pairs]})
    return says({"answers": [len(pair) % 2 == 0 for pair in pairs]})


def model(explanation=PREVIOUS, alternatives=ALTERNATIVES, judge=judge):
    """Return a model that explains the head with `explanation`, and a control's with `FALSE`."""

    def behave(request):
        if is_judged(request):
            return judge(request)
        of_first = " L0H0 " in prompt_of(request).splitlines()[0].replace("?", " ")
        said = explanation if of_first else FALSE
        return says({"explanation": said, "alternatives": list(alternatives)})

    return behave
