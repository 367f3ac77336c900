"""Counts what passed, prints what failed."""

import concurrent.futures
import os
import sys
import time

WORKERS = max(2, os.cpu_count() or 2)
SHOWN = 12


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, items, judge, at_least=1):
        """Judges every item; `judge` returns what is wrong, or None. So few items are a failure of their own."""
        started = time.monotonic()
        items = list(items)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            wrong = [(item, problem) for item, problem in zip(items, pool.map(guarded(judge), items)) if problem]
        self.passed += len(items) - len(wrong)
        if len(items) < at_least:
            wrong.append((name, f"only {len(items)} of at least {at_least} were there to check"))
        self.failed += len(wrong)
        seconds = time.monotonic() - started
        print(f"  {name}: {len(items)} checked, {len(wrong)} failed ({seconds:.1f} s)", flush=True)
        for item, problem in wrong[:SHOWN]:
            print(f"    {item}: {str(problem).strip()[:1500]}", flush=True)
        if len(wrong) > SHOWN:
            print(f"    and {len(wrong) - SHOWN} more", flush=True)

    def end(self):
        print(f"\nartifacts: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def guarded(judge):
    def run(item):
        try:
            return judge(item)
        except Exception as error:  # A reader that refuses a file says so by an exception.
            return f"{type(error).__name__}: {error}"

    return run
