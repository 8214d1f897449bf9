"""What the programs of Python's clients share: steps taken one after the other, each with its outcome on a line of stdout."""
import inspect
import asyncio
import json
import sys
import time

UNTIL_S_MAX = 30


def run(takes):
    for step in sys.argv[3].split(","):
        if step not in takes:
            continue
        try:
            outcome = takes[step]()
            if inspect.iscoroutine(outcome):
                asyncio.run(outcome)
            said = "ok"
        except Exception as failure:  # whatever the client throws is the outcome
            said = f"{type(failure).__name__}: {failure}"[:300]
        print(json.dumps({"step": step, "outcome": said}), flush=True)


def check(is_so, what):
    if not is_so:
        raise AssertionError(f"not so: {what}")


def exactly(got, wanted):
    if got != wanted:
        raise AssertionError(f"{str(got)[:120]} and not {str(wanted)[:120]}")


def in_order(got, count):
    """Those of each key rise, each is there once, and a key keeps its partition."""
    last, partitions = {}, {}
    for key, value, partition in got:
        check(int(value) > last.get(key, -1), f"{key} rises")
        check(partitions.setdefault(key, partition) == partition, f"{key} stays in its partition")
        last[key] = int(value)
    exactly(len({value for _, value, _ in got}), count)


def until(is_so):
    end = time.monotonic() + UNTIL_S_MAX
    while not is_so():
        check(time.monotonic() < end, f"what was waited for {UNTIL_S_MAX} s")
        time.sleep(0.05)
