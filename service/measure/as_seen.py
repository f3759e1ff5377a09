"""Traces by the names that time had while it went by."""

from dataclasses import replace

import numpy as np

from service.measure.cases import OPEN, Codes
from service.measure.survival import Floats
from service.measure.traces import ALL_NAMED, Traces, coded


def as_seen(traces: Traces) -> Traces:
    """The same cases, with every moment in the place where it was known to be at that moment.

    Time that was named afterwards has the name that it had until then. A forecast is asked for a
    case that stands where it was last seen; so it has to rest on cases that were once seen there,
    not on those of which it later turned out that they had been there. Traces without such time
    stay as they are; of others, spans of no length are gone.
    """
    unnamed = traces.unnamed
    if not unnamed.case.size:
        return traces
    _, stages = coded([*traces.stages, *unnamed.stages])
    _, holders = coded([*traces.holders, *unnamed.holders])
    stage_of, then_stage_of = (_places(names, stages) for names in (traces.stages, unnamed.stages))
    holder_of, then_holder_of = (
        _places(names, holders) for names in (traces.holders, unnamed.holders)
    )
    duration = traces.cases.duration_days
    case = np.concatenate([traces.case, unnamed.case, unnamed.case])
    begin = np.concatenate([traces.begin_days, unnamed.begin_days, unnamed.until_days])
    is_open = traces.cases.outcome[case] == OPEN
    kept = (begin < duration[case]) | (begin <= 0.0) | (is_open & (begin == duration[case]))
    case, begin = case[kept], begin[kept]
    order = np.lexsort((begin, case))
    case, begin = case[order], begin[order]
    is_new = np.append(True, (np.diff(case) != 0) | (np.diff(begin) > 0.0))[: case.size]
    case, begin = case[is_new], begin[is_new]
    span = _latest(traces.case, traces.begin_days, case, begin)
    by_begin = np.lexsort((unnamed.begin_days, unnamed.case))
    last = _latest(unnamed.case[by_begin], unnamed.begin_days[by_begin], case, begin)
    row = by_begin[np.maximum(last, 0)]
    then = (last >= 0) & (unnamed.case[row] == case) & (begin < unnamed.until_days[row])
    end = np.where(np.diff(case, append=-1) != 0, duration[case], np.append(begin[1:], 0.0))
    return replace(
        traces,
        case=case,
        begin_days=begin,
        end_days=end,
        stage=np.where(then, then_stage_of[unnamed.stage[row]], stage_of[traces.stage[span]]),
        holder=np.where(then, then_holder_of[unnamed.holder[row]], holder_of[traces.holder[span]]),
        working=np.where(then, False, traces.working[span]),
        rework=np.where(then, unnamed.rework[row], traces.rework[span]),
        stages=stages,
        holders=holders,
        unnamed=ALL_NAMED,
    )


def _places(names: tuple[str, ...], among: tuple[str, ...]) -> Codes:
    return np.array([among.index(name) for name in names], dtype=np.int64)


def _latest(cases: Codes, days: Floats, case: Codes, at: Floats) -> Codes:
    """The last row of those in order of case and days that begins no later in the same case.

    -1, or a row of an earlier case, where there is none.
    """
    is_asked = np.repeat([0, 1], [cases.size, case.size])
    rows = np.lexsort((is_asked, np.append(days, at), np.append(cases, case)))
    before = np.cumsum(rows < cases.size) - 1
    found = np.empty(case.size, dtype=np.int64)
    asked = rows >= cases.size
    found[rows[asked] - cases.size] = before[asked]
    return found
