"""Counts what passed, prints what failed and what could not be read."""

import concurrent.futures
import multiprocessing
import os
import time

from tools import OPTIONAL

WORKERS = max(2, os.cpu_count() or 2)
SHOWN = 12
# Checks that read nothing but Python run in processes, which inherit these.
work = {}


class Report:
    def __init__(self, tools):
        self.tools = tools
        self.passed = 0
        self.failed = 0
        self.not_run = []
        self.incomplete = False

    def check(self, name, items, judge, at_least=1, needs=(), pure=False):
        """Judges every item; `judge` returns what is wrong, or None. So few items are a failure of their own."""
        lack = self.tools.lacks(needs)
        if lack:
            self.leave_out(name, lack)
            return
        started = time.monotonic()
        items = list(items)
        problems = judged(items, judge, pure)
        wrong = [(item, problem) for item, problem in zip(items, problems) if problem]
        self.count(name, items, wrong, at_least, time.monotonic() - started)

    def count(self, name, items, wrong, at_least, seconds):
        self.passed += len(items) - len(wrong)
        if len(items) < at_least:
            wrong = [*wrong, (name, f"only {len(items)} of at least {at_least} were there to check")]
        self.failed += len(wrong)
        print(f"  {name}: {len(items)} checked, {len(wrong)} failed ({seconds:.1f} s)", flush=True)
        for item, problem in wrong[:SHOWN]:
            print(f"    {item}: {str(problem).strip()[:1500]}", flush=True)
        if len(wrong) > SHOWN:
            print(f"    and {len(wrong) - SHOWN} more", flush=True)

    def leave_out(self, name, why):
        self.not_run.append((name, why))
        self.incomplete |= not why.startswith(OPTIONAL)
        print(f"  {name}: NOT RUN, {why}", flush=True)

    def end(self):
        """What to exit with: 1 where something failed, 3 where nothing did and a reader that can be had is missing."""
        if self.not_run:
            print(f"\nNOT RUN: {len(self.not_run)} checks, which say nothing of the files:")
            for name, why in self.not_run:
                print(f"  {name}: {why}")
        print(f"\nartifacts: {self.passed} passed, {self.failed} failed", flush=True)
        if self.failed or not self.passed:
            return 1
        return 3 if self.incomplete else 0


class Refusals(Report):
    """Takes the place of a report where every item is broken: what it should say is what is wrong with each."""

    def __init__(self, tools):
        super().__init__(tools)
        self.seen = []

    def check(self, name, items, judge, at_least=1, needs=(), pure=False):
        lack = self.tools.lacks(needs)
        self.seen += [f"NOT RUN {lack}"] if lack else judged(list(items), judge, False)


def judged(items, judge, pure):
    work.update(items=items, judge=guarded(judge))
    numbers = range(len(items))
    if pure and len(items) > WORKERS:
        with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
            return pool.map(judge_one, numbers)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(judge_one, numbers))


def judge_one(number):
    return work["judge"](work["items"][number])


def guarded(judge):
    def run(item):
        try:
            return judge(item)
        except Exception as error:  # A reader that refuses a file says so by an exception.
            return f"{type(error).__name__}: {error}"

    return run
