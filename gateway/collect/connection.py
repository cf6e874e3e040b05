"""One client connection: bytes in, requests to the handler one after the other, answers out in the same order.

aiohttp's C parser reads HTTP/1.1; this protocol does what aiohttp's own server does above it, without a task and a
timer for each request (figures: docs/decisions/intake-connection.md), and closes so that no answer is lost:

* an answer that ends the connection says `Connection: close`, then only our writing side is closed, and what the client
  still sends is read and dropped until it closes too. Closing both at once would reset the connection while
  the answer is under way.
* an idle connection is closed the same way, but a request that crosses our close is still handled: its answer cannot be
  sent, its events are stored, and the client's repetition is a duplicate.
"""

import asyncio
from collections import deque
from enum import Enum, auto
from typing import cast

from aiohttp.http import HttpProcessingError, HttpRequestParser, RawRequestMessage
from aiohttp.streams import StreamReader

from gateway.collect import answers, refusals
from gateway.collect.addresses import parse_address
from gateway.collect.answers import Answer
from gateway.collect.exchange import Exchange
from gateway.collect.reception import Reception
from gateway.collect.refusals import Refusal

LINGER_S = 2.0
"""How long a closed connection is read for what is still under way."""
MAX_HEAD_BYTES = 65_536
MAX_LINE_BYTES = 16_384
MAX_PIPELINED = 16
MAX_BACKLOG_BYTES = 65_536
_STREAM_BUFFER_BYTES = 2**18
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"Connection: close\r\n\r\n"
_END = b"\r\n"

Arrival = tuple[RawRequestMessage, StreamReader]


class Stage(Enum):
    """What a connection waits for; `deadline_s` says for how long."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    CLOSED = auto()
    """Our side is closed; the client's is not yet."""


class Connection(asyncio.Protocol):
    """See the module."""

    __slots__ = (
        "_arrivals",
        "_backlog",
        "_body",
        "_body_bytes",
        "_current",
        "_exchange",
        "_has_ended",
        "_head_bytes",
        "_held_bytes",
        "_is_advancing",
        "_is_clogged",
        "_is_deaf",
        "_may_hold_more",
        "_parser",
        "_reception",
        "_transport",
        "deadline_s",
        "peer",
        "stage",
    )

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._parser = HttpRequestParser(
            self,  # type: ignore[arg-type]  # the parser's streams call pause_reading and resume_reading, no more
            asyncio.get_running_loop(),
            _STREAM_BUFFER_BYTES,
            max_line_size=MAX_LINE_BYTES,
            auto_decompress=False,
            max_msg_queue_size=MAX_PIPELINED,
        )
        self._transport: asyncio.Transport | None = None
        self._arrivals: deque[Arrival] = deque()
        self._backlog = bytearray()
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._current: Arrival | None = None
        self._exchange: Exchange | None = None
        self._head_bytes = self._held_bytes = 0
        self._has_ended = self._is_advancing = self._is_clogged = self._is_deaf = self._may_hold_more = False
        self.peer = ""
        self.stage = Stage.IDLE
        self.deadline_s = 0.0

    # --- what the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        reception = self._reception
        peername = transport.get_extra_info("peername")
        address = parse_address(peername[0]) if isinstance(peername, tuple) else None
        self.peer = str(address) if address else ""
        self.deadline_s = reception.clock.monotonic_s() + reception.limits.request_timeout_s
        is_one_too_many = len(reception.connections) >= reception.limits.max_connections
        reception.connections.add(self)
        if is_one_too_many:
            self._answer_and_close(answers.OVERLOADED)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self.hold(len(data))
        if self._exchange is None and not self._is_clogged:
            self._parse(data)
            self._advance()
            return
        self._backlog += data
        if len(self._backlog) > MAX_BACKLOG_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A client may close its side and wait for what it asked: the transport stays until that is answered."""
        self._has_ended = True
        return self._exchange is not None or self._has_more_to_do()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it was lost makes no difference
        self._reception.connections.discard(self)
        self._release()
        self._exchange = self._current = self._transport = None
        self._is_deaf = True

    def pause_writing(self) -> None:
        """The client does not read its answers: nothing more is done for it until it does."""
        self._is_clogged = True
        if self.stage is not Stage.CLOSED:
            self._wait(Stage.HEAD, self._reception.limits.request_timeout_s)

    def resume_writing(self) -> None:
        self._is_clogged = False
        self._advance()

    # --- what the parser's streams call: the body is taken out after each read, so there is nothing to pause

    def pause_reading(self) -> None:
        pass

    def resume_reading(self, resume_parser: bool = True) -> None:
        pass

    # --- what the handler and the listener call

    def finish(self, exchange: Exchange, answer: Answer) -> None:
        """Send the answer to the request in hand; any other was answered before, or its client has gone."""
        if exchange is not self._exchange:
            return
        self._exchange = None
        exchange.route.counter(answer.status).inc()
        is_ending = exchange.is_last or (
            (self._reception.is_draining or self._has_ended) and not self._has_more_to_do()
        )
        body = b"" if exchange.message.method == "HEAD" else answer.body
        self._send((answer.head, exchange.cors, self._reception.date_line, _CLOSE if is_ending else _END, body))
        if is_ending:
            self._is_deaf = True
            self._close_our_side()
        else:
            self._advance()

    def hold(self, n_bytes: int) -> None:
        """Count bytes of the request in hand, until the connection rests."""
        self._reception.in_flight_bytes += n_bytes
        self._held_bytes += n_bytes

    def drain(self) -> None:
        """Close soon, unless a request comes: the client may be about to send one."""
        if self.stage is Stage.IDLE:
            self._wait(Stage.IDLE, self._reception.idle_timeout_s())

    def expire(self) -> None:
        """The deadline has passed."""
        if self._is_clogged or self.stage is Stage.CLOSED:
            self.abort()
        elif self.stage is Stage.IDLE:
            self._close_our_side()
        elif self.stage is Stage.HEAD:
            self._answer_and_close(answers.SLOW_REQUEST)
        elif self.stage is Stage.BODY:
            self._refuse_current(answers.SLOW_REQUEST)
        elif self._exchange is not None:
            self._exchange.reply(answers.COMMIT_SLOW)

    def abort(self) -> None:
        """Give the connection up."""
        if self._transport is not None:
            self._transport.abort()

    # --- requests in

    def _parse(self, data: bytes) -> None:
        try:
            messages, _, _ = self._parser.feed_data(data)
        except (HttpProcessingError, ValueError):
            self._answer_and_close(answers.refused(refusals.MALFORMED_REQUEST))
            return
        if messages:
            self._arrivals.extend(messages)
            self._may_hold_more = len(self._arrivals) >= MAX_PIPELINED
            self._head_bytes = 0
        elif self._current is None:
            self._head_bytes += len(data)

    def _advance(self) -> None:
        """Do all that can be done without more bytes. An answer given at once re-enters here, and returns."""
        if self._is_advancing:
            return
        self._is_advancing = True
        try:
            while self._exchange is None and not self._is_deaf and not self._is_clogged:
                if not self._step():
                    break
        finally:
            self._is_advancing = False

    def _step(self) -> bool:
        """One step; False when it takes more bytes to go on."""
        if self._current is None:
            if not self._arrivals:
                return self._refill()
            self._current = self._arrivals.popleft()
            if not self._current[1].is_eof():
                self._expect_body(*self._current)
                return True
        stream = self._current[1]
        if not self._body and stream.is_eof():
            self._dispatch(self._current[0], stream.read_nowait())
            return True
        return self._take_body(stream)

    def _refill(self) -> bool:
        """Parse what was left while a request was in hand, or rest."""
        if not self._backlog and not self._may_hold_more:
            self._rest()
            return False
        data = bytes(self._backlog)
        self._backlog.clear()
        self._release()
        self.hold(len(data))
        self._may_hold_more = False
        if self._transport is not None:
            self._transport.resume_reading()
        self._parse(data)
        return True

    def _has_more_to_do(self) -> bool:
        return bool(self._arrivals) or bool(self._backlog) or self._may_hold_more

    def _rest(self) -> None:
        self._release()
        if self.stage is Stage.CLOSED:
            return
        if self._has_ended:
            self._close_our_side()
            return
        if not self._head_bytes:
            self._wait(Stage.IDLE, self._reception.idle_timeout_s())
        elif self._head_bytes > MAX_HEAD_BYTES:
            self._answer_and_close(answers.refused(refusals.MALFORMED_REQUEST))
        elif self.stage is not Stage.HEAD:
            self._wait(Stage.HEAD, self._reception.limits.request_timeout_s)

    def _expect_body(self, message: RawRequestMessage, stream: StreamReader) -> None:
        """The head is there and the body is not, or not all of it: see what the head says before waiting for it."""
        limits = self._reception.limits
        self._wait(Stage.BODY, limits.request_timeout_s)
        declared = int(message.headers.get("Content-Length", "0"))
        if declared > limits.max_body_bytes:
            self._refuse_current(refusals.BODY_TOO_LARGE)
        elif self._reception.in_flight_bytes + declared - stream.total_bytes > limits.max_in_flight_bytes:
            self._refuse_current(answers.OVERLOADED)
        elif message.headers.get("Expect", "").lower() == "100-continue":
            self._send((_CONTINUE,))

    def _take_body(self, stream: StreamReader) -> bool:
        """Take what has come of the body out of the parser's stream, which may end with it."""
        assert self._current is not None
        limits = self._reception.limits
        piece = stream.read_nowait()
        self._body.append(piece)
        self._body_bytes += len(piece)
        if self._body_bytes > limits.max_body_bytes:
            self._refuse_current(refusals.BODY_TOO_LARGE)
        elif not stream.is_eof() and self._reception.in_flight_bytes > limits.max_in_flight_bytes:
            self._refuse_current(answers.OVERLOADED)
        elif stream.is_eof():
            body = b"".join(self._body)
            self._forget_body()
            self._dispatch(self._current[0], body)
        else:
            return False
        return True

    def _dispatch(self, message: RawRequestMessage, body: bytes) -> None:
        reception = self._reception
        self._current = None
        self._parser.message_consumed()
        exchange = self._exchange = Exchange(self, message, body, reception.malformed)
        if self.stage is not Stage.CLOSED:
            self._wait(Stage.ANSWER, reception.limits.ack_timeout_s)
        if len(body) > reception.limits.max_body_bytes:
            exchange.fault = refusals.BODY_TOO_LARGE
        elif reception.in_flight_bytes > reception.limits.max_in_flight_bytes:
            exchange.fault = answers.OVERLOADED
        reception.handle(exchange)

    def _refuse_current(self, fault: Answer | Refusal) -> None:
        """Answer a request whose body will not be read; what is left of it makes the connection useless."""
        assert self._current is not None
        exchange = self._exchange = Exchange(self, self._current[0], b"", self._reception.malformed)
        self._current = None
        self._forget_body()
        exchange.fault = fault
        exchange.is_last = True
        self._reception.handle(exchange)

    def _forget_body(self) -> None:
        self._body = []
        self._body_bytes = 0

    # --- answers out

    def _send(self, parts: tuple[bytes, ...]) -> None:
        if self._transport is not None and self.stage is not Stage.CLOSED:
            self._transport.write(b"".join(parts))

    def _answer_and_close(self, answer: Answer) -> None:
        """Answer what is no request."""
        self._reception.malformed.counter(answer.status).inc()
        self._send((answer.head, self._reception.date_line, _CLOSE, answer.body))
        self._is_deaf = True
        self._close_our_side()

    def _close_our_side(self) -> None:
        transport = self._transport
        if transport is None or self.stage is Stage.CLOSED:
            return
        self._wait(Stage.CLOSED, LINGER_S)
        if self._has_ended:
            transport.close()
        else:
            transport.write_eof()

    def _wait(self, stage: Stage, seconds: float) -> None:
        self.stage = stage
        self.deadline_s = self._reception.clock.monotonic_s() + seconds

    def _release(self) -> None:
        self._reception.in_flight_bytes -= self._held_bytes
        self._held_bytes = 0
