"""Clients that speak bytes."""

import asyncio
from typing import NamedTuple


class Response(NamedTuple):
    """An answer as it came over the wire; header names in lower case, repeated ones joined."""

    status: int
    headers: dict[str, str]
    body: bytes


class Peer:
    """One client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self, method: str = "POST") -> Response:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status_line, *lines = head.strip().split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(":") for line in lines):
            before = headers.get(name.lower())
            headers[name.lower()] = f"{before}, {value.strip()}" if before else value.strip()
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        return Response(int(status_line.split()[1]), headers, await self.reader.readexactly(length))

    async def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        await self.send(request_bytes(method, path, body, **headers))
        return await self.answer(method)

    async def is_closed(self) -> bool:
        """Waits for the gateway to close its side; False when it says something else first."""
        return await self.reader.read(1) == b""

    def close(self) -> None:
        self.writer.close()


def request_bytes(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request; header names with `_` for `-`."""
    fields = {"Host": "gw.example"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if body:
        fields.setdefault("Content-Length", str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
