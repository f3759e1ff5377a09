"""The pages on the app: routes, files, errors."""

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from web import errors
from web.context import Pages
from web.page import STATIC
from web.routes import account, admin, board, home, new, queue, sign_in, use_case, use_cases

ROUTES = (home, sign_in, new, use_cases, use_case, queue, board, admin, account)


def with_pages(app: FastAPI, pages: Pages | None = None) -> FastAPI:
    """The same app, with the pages on it."""
    app.state.pages = pages or Pages()
    router = APIRouter(include_in_schema=False, dependencies=[Depends(errors.mark_page)])
    for module in ROUTES:
        router.include_router(module.router)
    app.include_router(router)
    app.mount("/static", Files(directory=STATIC), name="static")
    errors.install(app)
    return app


class Files(StaticFiles):
    """Our own files. Their addresses change with their content: browsers keep them for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the 404 of any page."""
        response = await super().get_response(path, scope)
        if scope.get("query_string"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
