"""HTTP in: takes events from browsers, SDKs and servers, and answers once they are durable. Serves the browser script.

What always holds: a 200 is sent after the commit; each event is judged alone; what is stored keeps the promise at the
top of normalise.py; nothing is refused in silence; every answer carries complete CORS headers; a client can make us
hold or do only so much. docs/http-api.md says what a client sees of it.

`server` accepts and stops; a `connection` turns bytes into an `exchange`; a `site`, one for each configuration, finds
its route. An event's way: ingest -> digest (pure: inflate, fields, settle_batch, normalise, judge, and for odd ones
rewrite and lenient) -> admission (consent, identity, privacy rules, tracking plan) -> the queue -> answers.

Imports model, config, observe, script, govern, enrich and queue.
"""
