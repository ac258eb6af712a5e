"""Records what Python's jinja2 makes of the templates in cases.json and families.json, set up as transformers sets it up.

    python3 test/tokenizer/jinja2/record.py            writes results.json and families-results.json; needs Debian's
                                                       python3-jinja2
    python3 test/tokenizer/jinja2/record.py --stdin    reads such cases, writes their results: for comparisons at random
    python3 test/tokenizer/jinja2/record.py --published DIR
                                                       writes tools-results.json: the conversations of tools.json by Mistral's
                                                       templates in tests/data/chat_templates of mistral-common

A case is {name, template, variables}; "file:NAME" stands for a file of ../templates. Each template is rendered with every
conversation that it names, or with the first one. A result is the text, or {"error": the kind of exception}.
"""

import copy
import json
import os
import sys

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

here = os.path.dirname(os.path.abspath(__file__))


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_shown"), [], [], body).set_lineno(line)

    def _shown(self, caller):
        return caller()


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise TemplateError(message)


environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
)
environment.filters["tojson"] = to_json
environment.globals["raise_exception"] = raise_exception


def render(template, variables):
    try:
        return environment.from_string(template).render(**copy.deepcopy(variables))
    except Exception as error:
        return {"error": type(error).__name__}


def source(template):
    if not template.startswith("file:"):
        return template
    with open(os.path.join(here, "..", "templates", template[5:] + ".jinja"), encoding="utf8", newline="") as file:
        return file.read()


def record(cases):
    conversations = cases["conversations"]
    results = []
    for case in cases["cases"]:
        template = source(case["template"])
        names = case.get("conversations") or [next(iter(conversations))]
        for name in names:
            variables = {**cases["variables"], **case.get("variables", {}), "messages": conversations[name]}
            results.append({"name": case["name"], "conversation": name, "result": render(template, variables)})
    return results


if __name__ == "__main__":
    if "--stdin" in sys.argv:
        json.dump(record(json.load(sys.stdin)), sys.stdout)
    elif "--published" in sys.argv:
        with open(os.path.join(here, "tools.json"), encoding="utf8") as file:
            cases = json.load(file)
        results = []
        for version in cases["versions"]:
            with open(os.path.join(sys.argv[-1], version + ".jinja"), encoding="utf8") as file:
                template = file.read()
            for name, messages in cases["conversations"].items():
                variables = {**cases["variables"], "messages": messages}
                results.append({"version": version, "conversation": name, "result": render(template, variables)})
        with open(os.path.join(here, "tools-results.json"), "w", encoding="utf8") as file:
            file.write("[\n  " + ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in results) + "\n]\n")
    else:
        for name, out in (("cases", "results"), ("families", "families-results")):
            with open(os.path.join(here, name + ".json"), encoding="utf8") as file:
                cases = json.load(file)
            with open(os.path.join(here, out + ".json"), "w", encoding="utf8") as file:
                lines = [json.dumps(result, ensure_ascii=False) for result in record(cases)]
                file.write("[\n  " + ",\n  ".join(lines) + "\n]\n")
