"""Tools that keep a record of each person: what is said of one again, and what one is refused."""

from typing import Any

from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Run
from tests.integration.destinations.conftest import Serve, settled, store
from tests.vendors.events import event
from tests.vendors.hubspot import HubSpot
from tests.vendors.intercom import Intercom
from tests.vendors.simulator import POISON


def identify(n: int, **traits: Any) -> dict[str, Any]:
    """The n-th event, of one of five people."""
    who = n % 5
    return event(n, type="identify", userId=f"user-{who}", traits={"email": f"p{who}@shop.example", **traits})


async def test_hubspot_has_the_last_of_what_was_said_of_each_contact(queue: Queue, run: Run, serve: Serve):
    hubspot = HubSpot()
    address = await serve(hubspot)
    events = [identify(n, plan=f"plan-{n}") for n in range(20)]
    events[7] = identify(7, plan=POISON)
    await store(queue, events)

    async with run({"crm": HubSpot.settings(f"{address}/hubspot", contact_properties=["plan"])}) as gateway:
        ledger = await settled(gateway, "crm")
        letters = await gateway.letters("crm")

    records = {each["id"]: each["properties"]["plan"] for got in hubspot.received for each in got.body["inputs"]}
    assert records == {f"p{n}@shop.example": f"plan-{15 + n}" for n in range(5)}
    assert ledger == {"delivered": 19, "dead": 1}
    assert letters == [("msg-000007", "dead", "rejected")]


async def test_intercom_has_one_contact_of_each_user_with_what_was_said_last(queue: Queue, run: Run, serve: Serve):
    intercom = Intercom()
    address = await serve(intercom)
    await store(queue, [identify(n, plan=f"plan-{n}") for n in range(20)])

    async with run({"crm": Intercom.settings(f"{address}/intercom", contact_attributes=["plan"])}) as gateway:
        ledger = await settled(gateway, "crm")

    plans = {each["external_id"]: each["custom_attributes"]["plan"] for each in intercom.contacts.values()}
    assert plans == {f"user-{n}": f"plan-{15 + n}" for n in range(5)}
    assert len(intercom.contacts) == 5
    assert ledger == {"delivered": 20}
