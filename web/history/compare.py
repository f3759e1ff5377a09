"""`/compare`: a file of history, its verdict without storing anything, and then a baseline."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import FileResponse, Response

from api.kit.context import Context, TheContext
from charts.palette import Theme
from charts.reports import in_words
from service.domain.people import Person
from service.domain.permissions import Right, may
from service.errors import BadInput, FileTooLarge, NotAllowed, NotFound
from service.facts.as_of import moment_from
from service.history.csv import HistoryError, HistoryFile, HistoryMap, MapError, shipped_maps
from service.history.csv.toml import LARGEST
from service.history.importing import Imported, import_file
from service.reports.comparison import FileComparison
from service.reports.registry import Name
from service.reports.sentences import Judged, verdict_sentence
from service.reports.spreadsheet import as_csv
from service.reports.verdict import rows
from web.history.files import LARGEST_FILE, Brought, Doing, Files, TooManyFiles, new_id
from web.history.mapping import (
    COLUMNS,
    DATES,
    DELIMITERS,
    ENCODINGS,
    FIELDS,
    MORE_COLUMNS,
    OUTCOMES,
    QUESTION,
    Way,
    guessed,
    written,
)
from web.kit.context import Pages, ThePages
from web.kit.formatting import sentence
from web.kit.forms import Form, TheForm
from web.kit.page import HEADERS, download, go, page, with_cookie
from web.kit.signed_in import MaybeSignedIn, SignedIn
from web.kit.strings import t
from web.kit.uploads import upload_of
from web.reports.pages import CSV, TYPES, Leader, days_of
from web.reports.tables import tables_of

router = APIRouter()

PATH = "/compare"
FILE = "file"
TIME_ZONES = timedelta(days=1)
"""A file from a place where it is already tomorrow is not from the future."""
LIKE = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
"""How a form of dates is shown."""
LONGEST = 500
LONGEST_MAP = LARGEST
LONGEST_SOURCE = 200

Given = tuple[SignedIn, Brought]


async def brought(
    reader: Leader,
    given: TheContext,
    pages: ThePages,
    file: Annotated[str, Path(max_length=64)],
) -> Given:
    """The file at this address, if this very sign-in has brought it."""
    return reader, pages.the(Files).find(file, reader.browser_session.sign_in, given.now())


TheFile = Annotated[Given, Depends(brought)]


@router.get(PATH)
async def drop(request: Request, reader: Leader, given: TheContext, pages: ThePages) -> Response:
    """Where a file is dropped."""
    return _empty(request, reader, given, pages)


def _empty(
    request: Request,
    reader: SignedIn,
    given: Context,
    pages: Pages,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    wrong: str = "",
) -> Response:
    return page(
        request,
        "compare.html",
        status=status,
        wrong=wrong,
        before=pages.the(Files).of(reader.browser_session.sign_in, given.now()),
        largest=LARGEST_FILE,
        largest_mb=LARGEST_FILE // 2**20,
    )


@router.post(PATH)
async def bring(
    request: Request, signed_in: MaybeSignedIn, given: TheContext, pages: ThePages
) -> Response:
    """Take a file, and look how it is written."""
    if signed_in is not None:
        _may_read(signed_in)
    try:
        found = await _take(request, signed_in, given, pages)
    except FileTooLarge:
        wrong, status = t("compare.too_large", most=LARGEST_FILE // 2**20), _TOO_LARGE
    except TooManyFiles:
        wrong, status = t("compare.too_many"), HTTPStatus.SERVICE_UNAVAILABLE
    except BadInput as bad:
        wrong, status = sentence(bad.detail), HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        await _try_map(pages, found)
        return go(request, f"{PATH}/{found.id}")
    return _empty(request, _may_read(signed_in), given, pages, status=status, wrong=wrong)


async def _take(
    request: Request, signed_in: SignedIn | None, given: Context, pages: Pages
) -> Brought:
    async with upload_of(request, signed_in, pages, field=FILE, largest=LARGEST_FILE) as upload:
        reader, at = _may_read(signed_in), given.now()
        folder = pages.the(Files).room(reader.browser_session.sign_in, at)
        found = Brought(
            id=new_id(),
            sign_in=reader.browser_session.sign_in,
            name=upload.name,
            folder=folder,
            used_at=at,
            latest=at + TIME_ZONES,
            source=upload.name,
        )
        try:
            found.size = await upload.save(found.path)
            found.looked = await pages.the(Files).look(found.path)
        except BaseException as error:
            pages.the(Files).forget(found)
            if isinstance(error, HistoryError):
                raise BadInput(FILE, found.said(error)) from None
            raise
    found.typed = guessed(found.looked)
    pages.the(Files).keep(found)
    return found


_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _may_read(signed_in: SignedIn | None) -> SignedIn:
    if signed_in is None or not may(signed_in.person.actor, Right.READ_REPORTS):
        raise NotAllowed("reports are for leadership and enablement")
    return signed_in


@router.get(PATH + "/{file}")
async def show(request: Request, of: TheFile) -> Response:
    """The map, what it makes of the first rows, and the verdict."""
    reader, file = of
    return _page(request, reader.person, file)


@router.post(PATH + "/{file}")
async def change(
    request: Request, form: TheForm, of: TheFile, given: TheContext, pages: ThePages
) -> Response:
    """Try another map, compare, import, or throw the file away."""
    reader, file = of
    do = form.get("do", "")
    if do == "forget":
        pages.the(Files).forget(file)
        return go(request, PATH)
    if file.doing is not None:
        return go(request, f"{PATH}/{file.id}")
    try:
        if do == Doing.IMPORT:
            await _import(reader.person, given, pages, file, form)
        else:
            await _look_again(pages, file, form)
            if do == Doing.COMPARE:
                await _compare(pages, file, given.now())
    except BadInput as bad:
        return _page(request, reader.person, file, wrong={bad.field: sentence(bad.detail)})
    except MapError as error:
        return _page(request, reader.person, file, wrong={"map": sentence(str(error))})
    return go(request, f"{PATH}/{file.id}")


async def _look_again(pages: Pages, file: Brought, form: Form) -> None:
    """Keep what was typed, and read the first rows as it says."""
    before = file.typed
    typed = {name: form.get(name, "") for name in FIELDS}
    for name, value in typed.items():
        most = LONGEST_MAP if name == "own" else LONGEST
        if len(value) > most:
            raise BadInput("map" if name == "own" else name, f"keep it under {most} characters")
        if name != "delimiter":
            typed[name] = value.strip()
    if typed["encoding"] not in ENCODINGS or typed["delimiter"] not in DELIMITERS:
        raise BadInput("map", t("compare.bad_form"))
    if typed["way"] != Way.OWN and typed["own"] == written(before).strip():
        typed["own"] = ""  # nobody has changed it: it follows the columns
    file.typed, file.verdict, file.failed, file.preview = typed, None, "", None
    written_so = (typed["encoding"], typed["delimiter"])
    if written_so != (before["encoding"], before["delimiter"]):
        try:
            file.looked = await pages.the(Files).look(file.path, *written_so)
        except (HistoryError, UnicodeError) as error:
            raise MapError(file.said(error)) from None
        if typed["way"] == Way.COLUMNS:
            there = set(file.looked.names)
            guess = guessed(file.looked)
            kept = {
                one: typed[one] if typed[one] in there else guess[one]
                for one in (*COLUMNS, *MORE_COLUMNS)
            }
            file.typed = {**typed, **kept}
    await _try_map(pages, file, needed=True)


async def _try_map(pages: Pages, file: Brought, *, needed: bool = False) -> None:
    file.mapping, file.preview = None, None
    try:
        await _mapping(pages, file)
    except (BadInput, MapError):
        if needed:
            raise


async def _mapping(pages: Pages, file: Brought) -> HistoryMap:
    """The map as it was last tried. Raises `MapError` and `BadInput` where there is none."""
    if file.mapping is None:
        _check_chosen(file)
        try:
            file.mapping, file.preview = await pages.the(Files).preview(file)
        except HistoryError as error:
            raise MapError(file.said(error)) from None
    return file.mapping


def _check_chosen(file: Brought) -> None:
    if file.typed["way"] == Way.COLUMNS:
        for column in ("case_id", "started_at", "ended_at"):
            if not file.typed[column]:
                chosen = t("compare.choose", column=t(f"compare.column_{column}"))
                raise BadInput(column, chosen)


async def _compare(pages: Pages, file: Brought, now: datetime) -> None:
    typed = file.typed
    tau_days = days_of("tau", typed["tau"])
    moment = moment_from("as_of", typed["as_of"], now, typed["zone"])
    mapping = await _mapping(pages, file)

    async def work() -> None:
        try:
            found = await pages.the(Files).compare(
                file,
                mapping,
                intake=typed["intake"] or "intake",
                baseline=typed["baseline"] or None,
                tau_days=tau_days,
                as_of=moment.at if moment.asked else None,
                zone=moment.zone,
            )
        except (HistoryError, ValueError) as error:
            file.failed = sentence(file.said(error))
        except Exception:
            file.failed = t("compare.failed")
            raise
        else:
            file.verdict = FileComparison.of_file(found)

    await file.begin(Doing.COMPARE, work)


async def _import(person: Person, given: Context, pages: Pages, file: Brought, form: Form) -> None:
    if not may(person.actor, Right.IMPORT_HISTORY):
        raise NotAllowed("only administrators bring history in: it moves the verdict")
    source, cohort = form.text("source"), form.text("as_cohort")
    if not source or len(source) > LONGEST_SOURCE or not source.isprintable():
        raise BadInput("source", t("compare.wrong_source"))
    if len(cohort) > LONGEST_SOURCE or not cohort.isprintable():
        raise BadInput("as_cohort", t("compare.wrong_cohort"))
    mapping = await _mapping(pages, file)
    if cohort:
        mapping = mapping.with_cohort(cohort)
    file.source, file.imported, file.progress, file.position = source, None, Imported(), 0

    async def work() -> None:
        try:
            with HistoryFile(file.path, mapping, latest=file.latest) as opened:

                def heard(done: Imported) -> None:
                    file.progress, file.position = done, opened.position

                file.imported = await import_file(
                    given.sessions,
                    opened,
                    source,
                    rejects=file.rejects,
                    at=given.now(),
                    progress=heard,
                )
        except HistoryError as error:
            file.failed = sentence(file.said(error))
        except Exception:
            file.failed = t("compare.import_failed")
            raise

    await file.begin(Doing.IMPORT, work)


def _page(
    request: Request, person: Person, file: Brought, *, wrong: Mapping[str, str] | None = None
) -> Response:
    found = file.verdict
    return page(
        request,
        "compare_file.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        file=file,
        typed=file.typed,
        wrong=wrong or {},
        ways=list(Way),
        shipped=shipped_maps(),
        columns=COLUMNS,
        more_columns=MORE_COLUMNS,
        outcomes=OUTCOMES,
        encodings=ENCODINGS,
        delimiters=DELIMITERS,
        dates=DATES,
        like=LIKE,
        question=QUESTION,
        as_toml=written(file.typed),
        samples=_samples(file),
        found=found,
        says=verdict_sentence(Judged.of(found)) if found else "",
        words=in_words(Name.VERDICT, found, which="survival") if found else "",
        tables=tables_of(found) if found else (),
        has_rejects=file.rejects.exists(),
        may_import=may(person.actor, Right.IMPORT_HISTORY),
    )


def _samples(file: Brought) -> dict[str, str]:
    """The first value that each column has in the first rows, shortened."""
    shown: dict[str, str] = {}
    for row in file.looked.samples:
        for column, value in zip(file.looked.columns, row, strict=False):
            if value and column not in shown:
                shown[column] = value if len(value) <= 30 else value[:29] + "…"
    return shown


@router.get(PATH + "/{file}/survival.{kind}")
async def picture(
    request: Request,
    of: TheFile,
    given: TheContext,
    kind: Literal["svg", "png"],
    theme: Theme = Theme.LIGHT,
) -> Response:
    """Both curves."""
    _, file = of
    image = await given.drawings.draw(Name.VERDICT, _found(file), kind, theme=theme)
    return download(request, image, TYPES[kind])


@router.get(PATH + "/{file}/table.csv")
async def table(request: Request, of: TheFile) -> Response:
    """The tiers."""
    _, file = of
    return download(request, as_csv(rows(_found(file))), CSV, name="headway-compare.csv")


@router.get(PATH + "/{file}/rejects.csv")
async def rejects(request: Request, of: TheFile) -> Response:
    """The rows that could not be used, with their lines and the reasons."""
    _, file = of
    if not file.rejects.exists():
        raise NotFound("rejected row of this file")
    response = FileResponse(
        file.rejects, media_type="text/csv", filename="headway-rejects.csv", headers=HEADERS
    )
    return with_cookie(request, response)


def _found(file: Brought) -> FileComparison:
    if file.verdict is None:
        raise NotFound("verdict on this file yet")
    return file.verdict
