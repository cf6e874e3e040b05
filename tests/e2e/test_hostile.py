"""JSON as the web sends it. Each body has its answer, none is a 5xx, and none keeps a later event from arriving."""

import gzip

import aiohttp

from tests.e2e.harness.configuration import WAREHOUSE, Plan, webhook
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.receiver import MakeReceiver
from tests.e2e.harness.sending import Client, authorization, ids, tracks
from tests.e2e.harness.waiting import until

TAKEN, REFUSED = 200, 400


def event(properties: str, name: str = '"Odd"', message_id: str = "") -> bytes:
    """A track event with this JSON as its properties."""
    label = f'"messageId":{message_id},' if message_id else ""
    return f'{{"type":"track",{label}"event":{name},"userId":"u","properties":{properties}}}'.encode()


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


HOSTILE: dict[str, tuple[bytes, int]] = {
    "NaN": (event('{"x":NaN}'), TAKEN),
    "infinities": (event('{"x":Infinity,"y":-Infinity}'), TAKEN),
    "a lone surrogate": (event(r'{"x":"\ud800"}'), TAKEN),
    "a lone surrogate in a key": (event(r'{"\udc00":1}'), TAKEN),
    "a lone surrogate in the name": (event("{}", name=r'"\udfff"'), TAKEN),
    "a pair": (event(r'{"x":"\ud83d\ude00 😀"}'), TAKEN),
    "U+0000": (event(r'{"x":"a\u0000b"}'), TAKEN),
    "U+0000 in a key": (event(r'{"a\u0000b":1}'), TAKEN),
    "U+0000 in the name": (event("{}", name=r'"Odd\u0000"'), TAKEN),
    "U+0000 in the id": (event("{}", message_id=r'"id-\u0000-1"'), TAKEN),
    "an integer beyond 64 bits": (event('{"x":123456789012345678901234567890}'), TAKEN),
    "a negative integer beyond 64 bits": (event('{"x":-9223372036854775809}'), TAKEN),
    "a float beyond doubles": (event('{"x":1e999}'), TAKEN),
    "5,000 digits": (event('{"x":' + "9" * 5000 + "}"), TAKEN),
    "deep enough": (event(deep(50)), TAKEN),
    "too deep": (event(deep(100)), REFUSED),
    "far too deep": (event("[" * 100_000 + "]" * 100_000), REFUSED),
    "a repeated key": (event('{"x":1,"x":"two"}'), TAKEN),
    "a repeated id": (b'{"type":"track","event":"E","userId":"u","messageId":"one","messageId":"two"}', TAKEN),
    "a key in two cases": (event('{"Total":1,"total":2,"TOTAL":3}'), TAKEN),
    "an empty key": (event('{"":1}'), TAKEN),
    "a long key": (event('{"' + "k" * 5000 + '":1}'), TAKEN),
    "many keys": (event("{" + ",".join(f'"k{n}":{n}' for n in range(2000)) + "}"), TAKEN),
    "a key that is SQL": (event('{"x\\"; drop table tracks; --":1}'), TAKEN),
    "a name that is SQL": (event("{}", name='"tracks\\"; drop table tracks; --"'), TAKEN),
    "a name that is a table": (event("{}", name='"tracks"'), TAKEN),
    "a key that is a column": (event('{"id":"x","received_at":"y","_extra":1,"user_id":[]}'), TAKEN),
    "a type that changes": (event('{"n":1}'), TAKEN),
    "a type that changed": (event('{"n":{"deep":[1,"a",null]}}'), TAKEN),
    "a year that no column holds": (
        b'{"type":"track","event":"E","userId":"u","timestamp":"-271821-04-20T00:00:00Z"}',
        TAKEN,
    ),
    "the year 99999": (b'{"type":"track","event":"E","userId":"u","timestamp":"+099999-01-01T00:00:00.000Z"}', TAKEN),
    "a time that is an object": (b'{"type":"track","event":"E","userId":"u","timestamp":{},"sentAt":[]}', TAKEN),
    "a context that is a list": (b'{"type":"track","event":"E","userId":"u","context":[1]}', TAKEN),
    "properties that are a text": (event('"text"'), TAKEN),
    "numbers for ids": (b'{"type":"track","event":7,"userId":8,"messageId":9}', TAKEN),
    "invalid UTF-8": (event('{"x":"?"}').replace(b"?", b"\xff\xfe\xc0"), TAKEN),
    "a byte order mark": (b"\xef\xbb\xbf" + event("{}"), TAKEN),
    "an empty batch": (b'{"batch":[]}', TAKEN),
    "an array at the top": (b"[]", TAKEN),
    "a batch of other things": (b'{"batch":[null,1,"a",[],{}]}', TAKEN),
    "an empty body": (b"", REFUSED),
    "half a body": (event('{"x":1}')[:-5], REFUSED),
    "no JSON": (b"hello", REFUSED),
    "corrupt gzip": (gzip.compress(event("{}"))[:-9], REFUSED),
    "a bomb": (gzip.compress(b" " * (64 * 2**20)), REFUSED),
    "an event too large": (event('{"x":"' + "x" * 600_000 + '"}'), REFUSED),
}


async def test_nothing_hostile_stops_a_later_event(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    receiver = await make_receiver()
    daemon = make_daemon(
        Plan(
            destinations=WAREHOUSE + webhook("hook", receiver.url, more=""),
        )
    )
    await daemon.start()
    answers: dict[str, int] = {}
    for name, (body, _) in HOSTILE.items():
        async with http.post(f"{daemon.url}/v1/batch", data=body, headers=authorization()) as answer:
            answers[name] = answer.status
            said = await answer.json()
            assert answer.status == 200 or said.keys() >= {"code", "message"}, name
    later = tracks(100)
    await Client(daemon.url, http).accept(later)

    assert answers == {name: status for name, (_, status) in HOSTILE.items()}
    accepted = await daemon.metric("headwater_events_accepted_total")
    await until(lambda: ids(later) <= receiver.taken.keys(), "the webhook has what came later")
    await daemon.settled("warehouse", "hook")
    assert receiver.taken.total() == accepted
    assert await daemon.metric("headwater_destination_dead_total") == 0
    assert (await daemon.command("ledger")).code == 0
    assert await daemon.stop() == 0
    rows = {row[0] for row in daemon.rows("select id from tracks")}
    assert rows == receiver.taken.keys()


async def test_odd_events_do_not_sink_the_good_ones_of_their_batch(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    receiver = await make_receiver()
    daemon = make_daemon(Plan(destinations=webhook("hook", receiver.url)))
    await daemon.start()
    good = [event("{}", message_id=f'"good-{number}"') for number in range(96)]
    odd = [HOSTILE[name][0] for name in ("NaN", "U+0000", "too deep", "5,000 digits")]
    body = b'{"batch":[' + b",".join([*good[:50], *odd, *good[50:]]) + b"]}"

    async with http.post(f"{daemon.url}/v1/batch", data=body, headers=authorization()) as answer:
        assert answer.status == 200
        said = await answer.json()

    assert [(each["index"], each["code"]) for each in said["rejected"]] == [(52, "too_deep")]
    await until(lambda: {f"good-{n}" for n in range(96)} <= receiver.taken.keys(), "the good ones arrive")
    await until(lambda: receiver.taken.total() == 99, "the mended ones arrive")
