"""`nearbench tui --web`: the interface in a browser on this machine, by textual-serve.

Every tab starts a process, and so a world, of its own. There is no password: the server listens on loopback alone,
and answers only pages that it has served itself (other sites that a browser has open can reach loopback too, by a
web socket or a name that resolves to it).
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["HOST", "make_server"]

HOST = "127.0.0.1"


def make_server(words: Sequence[str], *, port: int) -> Any:
    """A server of `nearbench WORDS`; its `serve()` lasts until Ctrl+C. Raises UsageError: no textual-serve, port taken."""
    _check_port(port)
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        raise UsageError(
            "--web needs textual-serve: pip install 'nearbench[web]' (in a clone: pip install -e '.[web]')"
        ) from None

    allowed = {f"{name}:{port}" for name in (HOST, "localhost")}

    @web.middleware
    async def own_pages_only(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if request.host not in allowed or (
            origin is not None and origin.removeprefix("http://") not in allowed
        ):
            raise web.HTTPForbidden(text=f"open http://{HOST}:{port} itself")
        return await handler(request)

    class LoopbackServer(Server):
        async def _make_app(self) -> web.Application:
            app = await super()._make_app()
            app.middlewares.append(own_pages_only)
            return app

        async def on_startup(self, app: web.Application) -> None:
            """Say nothing: the command has."""

        def initialize_logging(self) -> None:
            """Leave logging as it is: a line per request helps nobody."""

    return LoopbackServer(_command(words), host=HOST, port=port, title="nearbench")


def _command(words: Sequence[str]) -> str:
    """A command line for the shell that textual-serve starts."""
    whole = [sys.executable, "-m", "tui", *words]
    return subprocess.list2cmdline(whole) if sys.platform == "win32" else shlex.join(whole)


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise UsageError(f"--port {port}: give a number from 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as exc:
            raise UsageError(
                f"--port {port}: {exc.strerror or exc}; give another with --port"
            ) from None
