#!/usr/bin/env python3
"""usage: validate.py SCHEMA REPORT...: exit 0 when each report fits the schema
and every id in it leads somewhere; otherwise says what is wrong."""

import json
import sys

import jsonschema


def dangling(report):
    """References that the schema cannot express."""
    locks = {lock["id"] for lock in report["locks"]}
    classes = {entry["id"] for entry in report["classes"]}
    for finding in report["findings"]:
        threads = {thread["serial"] for thread in finding["threads"]}
        for lock in finding["locks"]:
            if lock not in locks:
                yield f"finding {finding['id']} names lock {lock}, which is not listed"
        for edge in finding["edges"]:
            if edge["thread"] not in threads:
                yield f"finding {finding['id']} names thread {edge['thread']}, which is not listed"
            if edge["from"] is not None and edge["from"] not in finding["locks"]:
                yield f"finding {finding['id']} has an edge from {edge['from']}, which is not its lock"
    for entry in report["locks"]:
        if entry["class"] is not None and entry["class"] not in classes:
            yield f"lock {entry['id']} is of class {entry['class']}, which is not listed"


def main():
    with open(sys.argv[1], encoding="utf-8") as stream:
        schema = json.load(stream)
    validator_class = jsonschema.validators.validator_for(schema)
    validator_class.check_schema(schema)
    validator = validator_class(schema)
    wrong = 0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as stream:
            report = json.load(stream)
        problems = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(report)]
        problems = problems or list(dangling(report))
        for problem in problems:
            print(f"{path}: {problem}")
        wrong += bool(problems)
    return 1 if wrong or len(sys.argv) < 3 else 0


sys.exit(main())
