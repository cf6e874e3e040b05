"""Keeps web pages out of the API, and turns errors into JSON.

A page in the operator's own browser can reach 127.0.0.1 too. It can send no custom header across origins without a
preflight, which is never granted; and a host name that was rebound to this address gives itself away in `Host`.
"""

from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from gateway.admin.answers import RequestError, json_answer
from gateway.model.errors import HeadwaterError, QueueFullError, QueueUnavailableError

MARK = "X-Headwater"
"""Every request that changes something carries this header, with any value."""
API = "/api/"


def guard(listen: str) -> Middleware:
    """The middleware for a listener at `listen` (host:port or unix:/path)."""
    own_host = "" if listen.startswith("unix:") else listen.rpartition(":")[0].strip("[]").lower()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path.startswith(API):
                _refuse_pages(request, own_host)
            return await handler(request)
        except HeadwaterError as error:
            return json_answer({"error": error.message, "hint": error.hint}, _status(error))
        except web.HTTPException as error:
            hint = "see docs/cli.md" if error.status == HTTPStatus.NOT_FOUND else ""
            return json_answer({"error": error.reason, "hint": hint}, error.status)

    return middleware


def _refuse_pages(request: web.Request, own_host: str) -> None:
    if hdrs.ORIGIN in request.headers:
        raise RequestError("web pages may not use this API", status=HTTPStatus.FORBIDDEN)
    if own_host and not is_own_host(request.headers.get(hdrs.HOST, ""), own_host):
        hint = "use the address itself, like http://127.0.0.1:9090"
        raise RequestError("this host name is not the listener's", hint=hint, status=HTTPStatus.FORBIDDEN)
    if request.method != hdrs.METH_GET and MARK not in request.headers:
        raise RequestError(f"the header {MARK} is missing", hint=f"send {MARK}: 1", status=HTTPStatus.FORBIDDEN)


def is_own_host(host: str, own_host: str) -> bool:
    """Whether a Host header is one that no rebound name can have: an address, localhost, or the configured name."""
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]").lower()
    if name in {"localhost", own_host}:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _status(error: HeadwaterError) -> int:
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, QueueFullError | QueueUnavailableError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.BAD_REQUEST
