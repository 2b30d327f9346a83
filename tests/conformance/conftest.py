"""Prints the conformance tally, in all and for each operator that has exceptions or failures."""

from collections import Counter

from exceptions import EXCEPTIONS


def _case_name(report):
    return report.nodeid.split("[")[1][:-1]


def pytest_terminal_summary(terminalreporter):
    from onnx_cases import CASES
    from scope import operators

    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    reports = [r for r in reports if r.when == "call" and "::test_case[" in r.nodeid]
    if not reports:
        return
    total, passed = Counter(), Counter()
    for report in reports:
        name = _case_name(report)
        types = {op for _, op in operators(CASES[name].model.graph)}
        key = types.pop() if len(types) == 1 else "several operators"
        total[key] += 1
        passed[key] += report.passed and name not in EXCEPTIONS
    terminalreporter.section("ONNX conformance")
    for key in sorted(total):
        if passed[key] < total[key]:
            terminalreporter.line(f"{key:28} {passed[key]:4} of {total[key]:4}")
    n, ok = sum(total.values()), sum(passed.values())
    terminalreporter.line(
        f"{'all':28} {ok:4} of {n:4} ({100 * ok / n:.1f} %), {len(EXCEPTIONS)} listed exceptions"
    )
