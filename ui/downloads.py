"""Files that the pages fetch: the chart library, judgements and labels' passports as JSON."""

from importlib import resources
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from rmr1.errors import RecordNotFound
from storage.passports import passport
from ui import hiding, inspecting
from ui.access import NotAllowed, Role, require_on_route
from ui.context import Studio

_DAY_S = 86_400
_LARGEST_ID = 2**31 - 1


def routes(studio: Studio) -> list[Route]:
    """The chart library out of the plotly package; judgements; labels' passports."""

    def plotly(_: Request) -> Response:
        path = Path(str(resources.files("plotly") / "package_data" / "plotly.min.js"))
        headers = {"cache-control": f"public, max-age={_DAY_S}"}
        return FileResponse(path, media_type="text/javascript", headers=headers)

    def judgement(request: Request) -> Response:
        who = require_on_route(studio, request, Role.VISITOR)
        key = request.path_params["key"]
        try:
            hiding.refuse(studio.database, who, key)
            return JSONResponse(inspecting.record(studio.database, key))
        except NotAllowed as error:
            return JSONResponse({"error": str(error)}, status_code=403)
        except RecordNotFound as error:
            return JSONResponse({"error": str(error)}, status_code=404)

    def label(request: Request) -> Response:
        require_on_route(studio, request, Role.LEAD)
        try:
            with studio.database.read() as session:
                event = min(request.path_params["event"], _LARGEST_ID)
                return JSONResponse(passport(session, event, studio.data_dir))
        except RecordNotFound as error:
            return JSONResponse({"error": str(error)}, status_code=404)

    return [
        Route("/plotly.min.js", plotly),
        Route("/judgements/{key}.json", judgement),
        Route("/labels/{event:int}.json", label),
    ]
