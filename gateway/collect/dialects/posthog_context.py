"""The `context` of the Segment spec, lifted from PostHog's properties, which keep their own copy.

Source: posthog.com/docs/data/events (default properties), segment.com/docs/connections/spec/common (context).
"""

from gateway.collect.dialects.pages import page_of
from gateway.collect.dialects.values import Fields, object_of, said, text_of

NO_REFERRER = "$direct"

_PLAIN = {"timezone": "$timezone", "sessionId": "$session_id", "groupType": "$group_type", "ip": "$ip"}
_NESTED = {
    "library": {"name": "$lib", "version": "$lib_version"},
    "screen": {"width": "$screen_width", "height": "$screen_height"},
    "campaign": {
        "source": "utm_source",
        "medium": "utm_medium",
        "name": "utm_campaign",
        "term": "utm_term",
        "content": "utm_content",
    },
}
_OF_THE_VISITOR = {
    "os": {"name": "$os", "version": "$os_version"},
    "device": {"type": "$device_type", "manufacturer": "$device_manufacturer", "model": "$device_model"},
    "app": {"name": "$app_name", "version": "$app_version", "build": "$app_build", "namespace": "$app_namespace"},
}
"""What an SDK on a server says of the server."""


def page_in(properties: Fields) -> Fields:
    """The page on which an event happened; empty where it happened on none."""
    return _page(properties, "")


def page_of_view(properties: Fields) -> Fields:
    """The page that was viewed. Other events' `title` is their own."""
    return _page(properties, text_of(properties.get("title")))


def context_of(properties: Fields, page: Fields, *, is_identify: bool) -> Fields:
    """What an event happened in, without what it does not say. An identify's traits are its own."""
    nested = _NESTED if properties.get("$is_server") is True else {**_NESTED, **_OF_THE_VISITOR}
    context = {name: properties.get(key) for name, key in _PLAIN.items()}
    context |= {name: said({part: properties.get(key) for part, key in keys.items()}) for name, keys in nested.items()}
    context["page"] = page
    context["locale"] = properties.get("$browser_language") or properties.get("$locale")
    context["userAgent"] = properties.get("$raw_user_agent") or properties.get("$user_agent")
    context["traits"] = {} if is_identify else object_of(properties.get("$set"))
    return said(context)


def _page(properties: Fields, title: str) -> Fields:
    referrer = text_of(properties.get("$referrer"))
    page = page_of(text_of(properties.get("$current_url")), "" if referrer == NO_REFERRER else referrer, title)
    path = text_of(properties.get("$pathname"))
    return {**page, "path": path} if path else page
