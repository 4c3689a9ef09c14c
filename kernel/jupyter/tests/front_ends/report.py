"""Runs the checks of one front end, and says what came of them."""

import time
import traceback
from importlib.metadata import version


def run(name, package, checks, place):
    """Runs checks one after the other. A check is a function whose first line of documentation is its claim."""
    results = []
    for check in checks:
        claim = check.__doc__.splitlines()[0].rstrip(".")
        started = time.monotonic()
        failure = None
        try:
            check(place)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            if not isinstance(error, AssertionError):
                failure += "\n" + "".join(traceback.format_tb(error.__traceback__)[-2:])
        seconds = time.monotonic() - started
        print(f"{'ok    ' if failure is None else 'FAILED'} {name}: {claim} ({seconds:.1f} s)", flush=True)
        if failure:
            print("       " + failure.replace("\n", "\n       "), flush=True)
        result = {"front_end": name, "version": version(package), "claim": claim, "seconds": round(seconds, 1)}
        results.append(result | {"passed": failure is None, "failure": failure})
    return results


def table(results):
    """One line a front end: name, version, checks passed."""
    names = list(dict.fromkeys(result["front_end"] for result in results))
    lines = ["", f"{'front end':<20} {'version':<10} passed"]
    for name in names:
        own = [result for result in results if result["front_end"] == name]
        passed = sum(result["passed"] for result in own)
        lines.append(f"{name:<20} {own[0]['version']:<10} {passed}/{len(own)}")
    return "\n".join(lines)


def summary(results):
    passed = sum(result["passed"] for result in results)
    return {"passed": passed, "failed": len(results) - passed, "checks": results}
