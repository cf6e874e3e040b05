"""Each command against a running daemon: what the operator sees, and what becomes of the daemon."""

import json

import duckdb
import pytest

from gateway.queue.records import Rejected
from tests.integration.admin.conftest import Daemon, Headwater

PAID = '{"type":"track","event":"Paid","messageId":"m-1","userId":"u-1","properties":{"total":12.5}}'


async def make_dead_letter(daemon: Daemon, headwater: Headwater) -> int:
    """An event that the webhook refuses for good; its letter's id."""
    daemon.receiver.status = 400
    await headwater("send", stdin=PAID)
    await daemon.until_settled("crm")
    daemon.receiver.status = 200
    (letter,) = await daemon.queue.letters("crm", "dead", 0, 10)
    return letter.id


async def test_an_event_sent_by_hand_goes_the_way_of_all_events(daemon: Daemon, headwater: Headwater):
    sent = await headwater("send", stdin=PAID)
    await daemon.until_settled("crm")

    assert (sent.exit_code, sent.output) == (0, "m-1\n")
    assert [event["event"] for event in daemon.receiver.received] == ["Paid"]


async def test_an_event_without_an_id_is_given_one(daemon: Daemon, headwater: Headwater):
    sent = await headwater("send", "--source", "backend", stdin='{"type":"identify","userId":"u-1"}')

    (found,) = await daemon.queue.find(sent.output.strip(), ["backend"])
    assert json.loads(found.event)["type"] == "identify"


@pytest.mark.parametrize(
    ("arguments", "event", "words"),
    [
        ((), "{not json", "not JSON"),
        ((), '{"type":"track","userId":"u"}', "needs `event`"),
        (("--source", "nobody"), PAID, 'there is no source "nobody"'),
    ],
)
async def test_an_event_that_intake_refuses_is_refused_with_its_words(
    daemon: Daemon, headwater: Headwater, arguments: tuple[str, ...], event: str, words: str
):
    sent = await headwater("send", *arguments, stdin=event)

    assert sent.exit_code == 1
    assert words in sent.output
    assert daemon.queue.head_offset == 0


async def test_status_shows_queue_destinations_and_sources(daemon: Daemon, headwater: Headwater):
    await headwater("send", stdin=PAID)
    await daemon.until_settled("crm")

    shown = await headwater("status")
    lines = [line.split() for line in shown.output.splitlines()]

    assert shown.exit_code == 0
    assert shown.output.startswith("headwater 0.0.1: ready\nqueue: 1 event kept, next offset 1, ")
    assert ["crm", "webhook", "running", "0", "0", "s"] in lines
    assert ["web", "0", "0", "0"] in lines


async def test_status_says_why_no_events_are_taken(daemon: Daemon, headwater: Headwater):
    daemon.health.require_ready("disk", lambda: "1.0 MiB are free")

    assert "not ready: disk: 1.0 MiB are free" in (await headwater("status")).output


async def test_the_ledger_adds_up_whatever_became_of_the_events(daemon: Daemon, headwater: Headwater):
    await make_dead_letter(daemon, headwater)
    await headwater("send", "--source", "backend", stdin='{"type":"page","userId":"u-1"}')
    await headwater("send", stdin='{"type":"page","userId":"u-1"}')
    await daemon.until_settled("crm")
    await daemon.until_settled("warehouse")

    shown = await headwater("ledger")

    assert shown.exit_code == 0
    assert [line.split() for line in shown.output.splitlines()] == [
        ["destination", "accepted", "delivered", "pending", "dead", "filtered", "check"],
        ["-" * 11, "-" * 8, "-" * 9, "-" * 7, "-" * 4, "-" * 8, "-" * 5],
        ["crm", "3", "1", "0", "1", "1", "ok"],
        ["warehouse", "3", "3", "0", "0", "0", "ok"],
        [],
        ["destination", "rule", "filtered", "since", "start"],
        ["-" * 11, "-" * 7, "-" * 20],
        ["crm", "sources", "1"],
    ]


async def test_trace_tells_what_each_destination_did(daemon: Daemon, headwater: Headwater):
    await make_dead_letter(daemon, headwater)
    await daemon.until_settled("warehouse")

    shown = await headwater("trace", "m-1")

    assert shown.exit_code == 0
    assert "from web, offset 0" in shown.output
    assert '"event": "Paid"' in shown.output
    fates = {line.split()[0]: line.split()[1:] for line in shown.output.splitlines()[-2:]}
    assert fates["crm"][:2] == ["dead", "rejected;"]
    assert fates["warehouse"] == ["delivered"]


async def test_trace_says_that_a_rule_filtered_an_event_and_which(daemon: Daemon, headwater: Headwater):
    text = daemon.path.read_text()
    rules = 'sources = ["web"]\nrules = [{ name = "no_pages", drop_if = { types = ["page"] } }]'
    daemon.path.write_text(text.replace('sources = ["web"]', rules))
    await headwater("reload")
    await headwater("send", stdin='{"type":"page","userId":"u-1","messageId":"m-2"}')
    await headwater("send", stdin=PAID)
    await daemon.until_settled("crm")

    filtered, delivered = await headwater("trace", "m-2"), await headwater("trace", "m-1")

    assert "filtered  the rules of now would filter it: no_pages" in filtered.output
    assert "delivered  the rules of now let it through" in delivered.output


async def test_preview_shows_what_would_be_sent_and_sends_nothing(daemon: Daemon, headwater: Headwater):
    await headwater("send", stdin=PAID)
    await daemon.until_settled("crm")
    sent = len(daemon.receiver.received)

    tool = await headwater("preview", "crm", "m-1")
    warehouse = await headwater("preview", "warehouse", "m-1")

    (request,) = json.loads(tool.output)
    assert request["url"] == daemon.receiver.url
    assert request["body"]["event"] == "Paid"
    assert json.loads(warehouse.output)[0]["row"]["properties"] == {"total": 12.5}
    assert len(daemon.receiver.received) == sent


@pytest.mark.parametrize(
    ("destination", "message_id", "words"),
    [("crm", "nothing", 'no event "nothing" is in the queue'), ("crn", "m-1", 'no destination "crn" runs')],
)
async def test_preview_of_what_is_not_there_is_refused_in_words(
    daemon: Daemon, headwater: Headwater, destination: str, message_id: str, words: str
):
    await headwater("send", stdin=PAID)
    await daemon.until_settled("crm")

    said = await headwater("preview", destination, message_id)

    assert said.exit_code == 1
    assert words in said.output


async def test_trace_finds_refusals_and_says_when_it_knows_nothing(daemon: Daemon, headwater: Headwater):
    daemon.queue.note_rejected(
        Rejected(1_700_000_000_000, "web", "missing_user", "", "192.0.2.1", b'{"messageId":"m-9"}')
    )
    await daemon.until_rejected()

    refused, unknown = await headwater("trace", "m-9"), await headwater("trace", "m-10/%2f")

    assert refused.exit_code == 0
    assert "missing_user" in refused.output
    assert unknown.exit_code == 1
    assert "no event with this id" in unknown.output


async def test_rejects_shows_why_and_leaves_the_terminal_alone(daemon: Daemon, headwater: Headwater):
    body = b'{"event":"\x1b]0;owned\x07"}'
    daemon.queue.note_rejected(Rejected(1_700_000_000_000, "web", "missing_user", "", "192.0.2.1", body))
    await daemon.until_rejected()

    shown, recent = await headwater("rejects"), await headwater("rejects", "--since", "1h ago")

    assert shown.output.splitlines()[-1].split()[:4] == ["2023-11-14T22:13:20.000Z", "web", "missing_user", "192.0.2.1"]
    assert r'{"event":"\x1b]0;owned\x07"}' in shown.output
    assert "missing_user" not in recent.output


async def test_dead_letters_are_listed_shown_and_tried_again(daemon: Daemon, headwater: Headwater):
    letter_id = str(await make_dead_letter(daemon, headwater))

    listed, shown = await headwater("dead", "list"), await headwater("dead", "show", letter_id)
    retried = await headwater("dead", "retry", "crm", letter_id)
    await daemon.until_settled("crm")

    assert listed.output.splitlines()[-1].split()[:4] == [letter_id, "crm", "rejected", "1"]  # attempts
    assert json.loads(shown.output)["event"]["properties"] == {"total": 12.5}
    assert retried.output == "1 letter is tried again\n"
    assert [event["messageId"] for event in daemon.receiver.received] == ["m-1"]
    assert (await headwater("dead", "list", "--json")).output == "[]\n"
    assert (await headwater("ledger")).exit_code == 0


async def test_dropped_letters_are_gone_and_stay_counted(daemon: Daemon, headwater: Headwater):
    await make_dead_letter(daemon, headwater)

    asked = await headwater("dead", "drop", "crm", "--all", stdin="n\n")
    kept = await daemon.queue.letters("crm", "dead", 0, 10)
    dropped = await headwater("dead", "drop", "crm", "--all", "--yes")

    assert (asked.exit_code, len(kept)) == (1, 1)
    assert dropped.output == "1 letter is gone\n"
    assert await daemon.queue.letters("crm", "dead", 0, 10) == []
    account = json.loads((await headwater("ledger", "--json")).output)["destinations"][0]
    assert (account["dead"], account["fault"]) == (1, "")


@pytest.mark.parametrize("order", ["retry", "drop"])
async def test_an_order_about_letters_that_are_not_there_is_refused_and_changes_nothing(
    daemon: Daemon, headwater: Headwater, order: str
):
    letter_id = str(await make_dead_letter(daemon, headwater))
    yes = ["--yes"] if order == "drop" else []

    nowhere = await headwater("dead", order, "crn", "--all", *yes)
    nothing = await headwater("dead", order, "crm", letter_id, "998", "999", *yes)
    elsewhere = await headwater("dead", order, "warehouse", letter_id, *yes)

    assert (nowhere.exit_code, nothing.exit_code, elsewhere.exit_code) == (1, 1, 1)
    assert 'there is no destination "crn"' in nowhere.output
    assert '"crm" has no dead letter 998, 999; nothing was changed' in nothing.output
    assert len(await daemon.queue.letters("crm", "dead", 0, 10)) == 1


@pytest.mark.parametrize("order", ["retry", "drop"])
async def test_which_letters_are_meant_has_to_be_said(headwater: Headwater, order: str):
    refused = await headwater("dead", order, "crm", *(["--yes"] if order == "drop" else []))

    assert refused.exit_code == 2
    assert "--all" in refused.output


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("table", "n  t     l\n-  ----  ------\n1  a b   [1, 2]\n2  NULL  NULL\n"),
        ("csv", 'n,t,l\n1,a b,"[1, 2]"\n2,,\n'),
        ("json", '[{"n": 1, "t": "a b", "l": [1, 2]},\n {"n": 2, "t": null, "l": null}]\n'),
        ("jsonl", '{"n": 1, "t": "a b", "l": [1, 2]}\n{"n": 2, "t": null, "l": null}\n'),
    ],
)
async def test_sql_answers_in_the_form_that_is_asked_for(headwater: Headwater, form: str, expected: str):
    statement = "select * from (values (1, 'a b', [1, 2]), (2, null, null)) as v(n, t, l) order by n"

    asked = await headwater("sql", statement, "--format", form)

    assert (asked.exit_code, asked.stdout) == (0, expected)


async def test_sql_sees_what_was_delivered(daemon: Daemon, headwater: Headwater):
    await headwater("send", stdin=PAID)
    await daemon.until_settled("warehouse")

    asked = await headwater("sql", "select event, count(*) as n from tracks group by 1", "--format", "csv")

    assert asked.stdout.splitlines()[0] == "event,n"
    assert asked.stdout.splitlines()[1].lower() == "paid,1"


async def test_sql_says_that_there_are_more_rows(headwater: Headwater):
    asked = await headwater("sql", "select * from range(100) as r(n)", "--max-rows", "3", "-f", "csv")

    assert asked.stdout == "n\n0\n1\n2\n"
    assert asked.stderr == "There are more than 3 rows; --max-rows shows more of them.\n"


async def test_sql_passes_on_what_the_engine_says(headwater: Headwater):
    asked = await headwater("sql", "select * from nowhere")

    assert asked.exit_code == 1
    assert "nowhere" in asked.output


async def test_a_warehouse_is_verified_against_the_ledger(daemon: Daemon, headwater: Headwater):
    await headwater("send", stdin=PAID)
    await headwater("send", "--source", "backend", stdin='{"type":"page","userId":"u-1"}')
    await daemon.until_settled("warehouse")

    shown = await headwater("warehouse", "verify", "warehouse")
    lines = [line.split() for line in shown.output.splitlines()]

    assert shown.exit_code == 0
    assert ["warehouse", "2", "2", "2", "2", "ok"] in lines
    assert ["pages", "1"] in lines
    assert ["stored", "in", "all", "2", "ok"] in lines


async def test_rows_that_somebody_removed_are_missed(daemon: Daemon, headwater: Headwater):
    await headwater("send", stdin=PAID)
    await daemon.until_settled("warehouse")
    await daemon.delivery.apply({})
    with duckdb.connect(daemon.path.parent / "warehouse.duckdb") as file:
        file.execute("delete from tracks")
    await daemon.delivery.apply(daemon.settings.destinations)

    shown = await headwater("warehouse", "verify", "warehouse")

    assert shown.exit_code == 1
    assert "1 events that were stored have no row any more" in shown.output


async def test_what_is_no_warehouse_is_not_verified(headwater: Headwater):
    refused = await headwater("warehouse", "verify", "crm")

    assert refused.exit_code == 1
    assert '"crm" is not a warehouse that runs' in refused.output


async def test_replay_delivers_again_what_came_in_a_stretch_of_time(daemon: Daemon, headwater: Headwater):
    await headwater("send", stdin=PAID)
    await daemon.until_settled("crm")

    ordered = await headwater("replay", "--destination", "crm", "--from", "1h ago")
    await daemon.until(lambda: len(daemon.receiver.received) == 2)

    assert ordered.output == "crm#replay-1 delivers 1 event again; see `headwater status`\n"
    assert [event["messageId"] for event in daemon.receiver.received] == ["m-1", "m-1"]


async def test_a_replay_of_nothing_is_refused(headwater: Headwater):
    refused = await headwater("replay", "--destination", "crm", "--from", "2h ago", "--to", "1h ago")

    assert refused.exit_code == 1
    assert "no event of that time" in refused.output


async def test_resume_tries_a_paused_destination_again(daemon: Daemon, headwater: Headwater):
    daemon.receiver.status = 401
    await headwater("send", stdin=PAID)
    await daemon.until(lambda: daemon.delivery.status()[0].state == "paused")
    daemon.receiver.status = 200

    resumed = await headwater("resume", "crm")
    await daemon.until_settled("crm")

    assert resumed.output == "crm is tried again\n"
    assert len(daemon.receiver.received) == 1


async def test_reload_reads_the_file_again_or_says_what_is_wrong_with_it(daemon: Daemon, headwater: Headwater):
    assert (await headwater("reload")).output == "the configuration is read\n"

    daemon.restart_needed = ["queue.retention", "log.level"]
    waiting = await headwater("reload")

    assert waiting.exit_code == 4
    assert waiting.stderr == "restart the daemon for what changed in queue.retention, log.level\n"

    daemon.path.write_text("[sources]\n")
    refused = await headwater("reload")

    assert refused.exit_code == 1
    assert "sources: " in refused.output
    assert len(daemon.reloads) == 2


async def test_a_destination_is_dropped_once_it_is_out_of_the_file_and_its_loss_is_agreed(
    daemon: Daemon, headwater: Headwater
):
    daemon.receiver.status = 401
    await headwater("send", stdin=PAID)
    configured = await headwater("destinations", "drop", "crm")
    text = daemon.path.read_text()
    daemon.path.write_text(text[: text.index("[destinations.crm]")])
    await headwater("reload")

    status = await headwater("status")
    careful = await headwater("destinations", "drop", "crm")
    dropped = await headwater("destinations", "drop", "crm", "--lose")

    assert ["crm", "removed", "1", "0", *["headwater", "destinations", "drop", "crm"]] in [
        line.split() for line in status.output.splitlines()
    ]
    assert (configured.exit_code, careful.exit_code, dropped.exit_code) == (1, 1, 0)
    assert '"crm" is in the configuration' in configured.output
    assert '"crm" has 1 event that was never delivered' in careful.output
    assert dropped.output == "crm is forgotten; 1 event was never delivered to it\n"
    assert [cursor.destination for cursor in await daemon.queue.cursors()] == ["warehouse"]
