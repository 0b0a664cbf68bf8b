"""Counts of a JUnit XML report, as pytest writes it: JSON `{passed, failures, skipped: [{name, reason}]}` on stdout."""

import json
import sys
from xml.etree import ElementTree


def main(path: str) -> None:
    """Read one report; a test whose teardown failed after it had passed counts as failed."""
    passed, failures, skipped = 0, [], []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')} > {case.get('name', '')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(name)
        elif skip is not None:
            skipped.append({"name": name, "reason": skip.get("message") or "no reason given"})
        else:
            passed += 1
    print(json.dumps({"passed": passed, "failures": failures, "skipped": skipped}))


if __name__ == "__main__":
    main(sys.argv[1])
