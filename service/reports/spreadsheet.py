"""The main table of each report, for a spreadsheet."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping

from service.reports.registry import Found, Name


def rows_of(name: Name, found: Found) -> Iterator[Found]:
    """The main table of a report, row by row; rows name their own columns."""
    return TABLES[name](found)


def as_csv(name: Name, found: Found) -> str:
    """The main table of a report as CSV (RFC 4180); nothing where there is nothing to say.

    What a spreadsheet would take for a formula is written behind an apostrophe: names of business
    units and files are other people's words.
    """
    out = io.StringIO()
    rows = list(rows_of(name, found))
    if not rows:
        return ""
    header = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(out, header, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _harmless(value) for key, value in row.items()})
    return out.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


FORMULA = tuple("=+-@\t\r")


def _verdict_rows(found: Found) -> Iterator[Found]:
    whole = {"tier": "all", "counted": None, **_ratio(found), "arms": found["arms"]}
    for stratum in [whole, *_dicts(found["strata"])]:
        about = {key: stratum.get(key) for key in ("tier", "counted", "ratio", "low", "high")}
        arms = stratum["arms"]
        if isinstance(arms, dict):
            for cohort, arm in arms.items():
                low, high = arm["km_median_ci_days"]
                figures = {key: value for key, value in arm.items() if not isinstance(value, list)}
                yield {
                    **about,
                    "cohort": cohort,
                    **figures,
                    "km_median_low_days": low,
                    "km_median_high_days": high,
                }


def _clock_rows(found: Found) -> Iterator[Found]:
    for group in _dicts(found["groups"]):
        about = {"group": group["name"], "cases": group["cases"], "tau_days": group["tau_days"]}
        for part in _dicts(group["parts"]):
            yield {**about, **part}


def _stage_rows(found: Found) -> Iterator[Found]:
    for group in _dicts(found["groups"]):
        for stage in _dicts(group["stages"]):
            flat = {
                key: value for key, value in stage.items() if not isinstance(value, dict | list)
            }
            for passes in ("first_pass", "total"):
                times = stage[passes]
                if isinstance(times, dict):
                    figures = {
                        f"{kind}_{name}": quantile["days"]
                        for kind in ("queue", "work")
                        for name, quantile in times[kind].items()
                    }
                    yield {"group": group["name"], **flat, "pass": passes, **figures}


def _flow_rows(found: Found) -> Iterator[Found]:
    stages_of = found["stages"]
    names = [str(name) for name in stages_of] if isinstance(stages_of, list) else []
    for row in _dicts(found["rows"]):
        inside = row["in_stage"]
        cases = inside if isinstance(inside, list) else []
        flat = {key: value for key, value in row.items() if key != "in_stage"}
        yield {**flat, **{f"in {name}": n for name, n in zip(names, cases, strict=True)}}


def _help_rows(found: Found) -> Iterator[Found]:
    for saving in [*_dicts(found["waits"]), *_dicts(found["holders"])]:
        low, high = _ends(saving["saved_days_ci"])
        flat = {key: value for key, value in saving.items() if not isinstance(value, list)}
        yield {**flat, "saved_days_low": low, "saved_days_high": high}


def _forecast_rows(found: Found) -> Iterator[Found]:
    for which in ("held", "backtest"):
        for row in _dicts(found[which]):
            low, high = _ends(row["ci"])
            flat = {key: value for key, value in row.items() if key != "ci"}
            yield {"forecasts_of": which, **flat, "low": low, "high": high}


def _decision_rows(found: Found) -> Iterator[Found]:
    return iter(_dicts(found["decisions"]))


def _change_rows(found: Found) -> Iterator[Found]:
    keys = ("pathway", "version", "previous", "began", "verdict")
    for change in _dicts(found["changes"]):
        yield {**{key: change[key] for key in keys}, **_ratio(change)}


def _ratio(found: Found) -> Found:
    low, high = _ends(found["ci"])
    return {"ratio": found["ratio"], "low": low, "high": high}


def _ends(interval: object) -> tuple[object, object]:
    return (interval[0], interval[1]) if isinstance(interval, list) else (None, None)


def _dicts(value: object) -> list[Found]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


TABLES: Mapping[Name, Callable[[Found], Iterator[Found]]] = {
    Name.VERDICT: _verdict_rows,
    Name.CLOCK: _clock_rows,
    Name.STAGES: _stage_rows,
    Name.FLOW: _flow_rows,
    Name.HELP: _help_rows,
    Name.FORECASTS: _forecast_rows,
    Name.DECISIONS: _decision_rows,
    Name.CHANGES: _change_rows,
}
