"""What SARIF 2.1.0 asks of a log, as far as Lockgraph writes it; sections are those of
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

import re
import urllib.parse

from harness import check

ROOT_NAME = "SRCROOT"
LEVELS = ("none", "note", "warning", "error")  # 3.27.10
IMPORTANCE = ("important", "essential", "unimportant")  # 3.38.13
RELATIVE = re.compile(r"[A-Za-z0-9._~/+%-]+$")  # RFC 3986, what needs no base


def only(value, names, where):
    check(set(value) <= set(names), f"{where} has {sorted(set(value) - set(names))}")


def check_message(message, where):
    check(isinstance(message.get("text"), str) and message["text"], f"{where}: no text (3.11.8)")
    only(message, ["text"], where)


def check_artifact(place, bases, where):
    only(place, ["uri", "uriBaseId"], where)
    uri = urllib.parse.urlsplit(place["uri"])
    if "uriBaseId" in place:  # 3.4.4: then the uri is relative, and 3.4.3: has no dots that lead elsewhere
        check(not uri.scheme and not place["uri"].startswith("/"), f"{where}: {place} is not relative")
        check(place["uriBaseId"] in bases, f"{where}: {place} has an unknown base (3.14.14)")
        check(RELATIVE.match(place["uri"]) and ".." not in place["uri"].split("/"), f"{where}: {place}")
    else:
        check(uri.scheme == "file" and uri.path.startswith("/"), f"{where}: {place} is neither relative nor absolute")


def check_location(location, bases, where):
    only(location, ["id", "physicalLocation", "logicalLocations", "message"], where)
    physical = location.get("physicalLocation")
    if physical is not None:
        only(physical, ["artifactLocation", "region"], where)
        check_artifact(physical["artifactLocation"], bases, where)
        check(physical.get("region", {"startLine": 1})["startLine"] >= 1, f"{where}: no such line (3.30.5)")
    for logical in location.get("logicalLocations", []):
        only(logical, ["fullyQualifiedName", "kind"], where)
        check(logical["fullyQualifiedName"], f"{where}: a place without a name (3.33.5)")
    if "message" in location:
        check_message(location["message"], where)


def check_flow(flow, bases, where):
    only(flow, ["id", "message", "locations"], where)
    check(flow["locations"], f"{where}: a thread flow without a step (3.37.6)")
    check_message(flow["message"], where)
    for step in flow["locations"]:
        only(step, ["location", "nestingLevel", "importance"], where)
        check(step["nestingLevel"] >= 0 and step["importance"] in IMPORTANCE, f"{where}: {step} (3.38.10, 3.38.13)")
        check_location(step["location"], bases, where)


def check_result(result, run, seen):
    where = f"result {result['partialFingerprints']}"
    rules = run["tool"]["driver"]["rules"]
    bases = run["originalUriBaseIds"]
    only(result, ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "occurrenceCount",
                  "suppressions", "codeFlows", "relatedLocations", "properties"], where)
    check(rules[result["ruleIndex"]]["id"] == result["ruleId"], f"{where}: the rule is another one (3.27.6)")
    check(result["level"] in LEVELS and result["occurrenceCount"] >= 1, f"{where}: {result['level']} (3.27.10, 3.27.24)")
    check_message(result["message"], where)
    for location in result["locations"]:
        check_location(location, bases, where)
    ids = [place["id"] for place in result.get("relatedLocations", [])]
    check(len(ids) == len(set(ids)), f"{where}: ids are not unique (3.28.2)")
    for place in result.get("relatedLocations", []):
        check_location(place, bases, where)
    for code in result.get("codeFlows", []):
        only(code, ["threadFlows"], where)
        check(code["threadFlows"], f"{where}: a code flow without threads (3.36.3)")
        for flow in code["threadFlows"]:
            check_flow(flow, bases, where)
    for suppression in result["suppressions"]:
        check(suppression["kind"] in ("inSource", "external"), f"{where}: {suppression} (3.35.2)")
    fingerprint = tuple(result["partialFingerprints"].items())
    check(fingerprint not in seen, f"{where} is there twice")
    seen.add(fingerprint)


def check_log(log):
    only(log, ["$schema", "version", "runs"], "the log")
    check(log["version"] == "2.1.0" and urllib.parse.urlsplit(log["$schema"]).scheme == "https", "version (3.13.2, 3.13.3)")
    for run in log["runs"]:
        only(run, ["tool", "originalUriBaseIds", "columnKind", "results"], "the run")
        driver = run["tool"]["driver"]
        check(driver["name"], "no name (3.19.8)")
        check(re.match(r"\d+\.\d+\.\d+", driver["semanticVersion"]), "no semantic version (3.19.12)")
        ids = [rule["id"] for rule in driver["rules"]]
        check(len(ids) == len(set(ids)), f"rules are not unique: {ids}")
        for rule in driver["rules"]:
            check_message(rule["shortDescription"], rule["id"])
            check_message(rule["help"], rule["id"])
        for base in run["originalUriBaseIds"].values():  # 3.14.14: without a uri it is left to the reader
            check("uri" not in base or base["uri"].endswith("/"), f"{base} is no directory")
        check(run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints"), "columns (3.14.17)")
        seen = set()
        for result in run["results"]:
            check_result(result, run, seen)


def texts_of(flow):
    """What is told of a thread: (text, file, line) of its essential steps."""
    for step in flow["locations"]:
        if step["importance"] == "essential":
            place = step["location"].get("physicalLocation", {})
            yield (step["location"]["message"]["text"], place.get("artifactLocation", {}).get("uri"),
                   place.get("region", {}).get("startLine"))
