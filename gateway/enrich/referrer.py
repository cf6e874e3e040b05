"""Where a visitor came from: search, social, mail, an assistant, another site, or the site itself.

The names of hosts are facts that everybody can look up; the list holds those that send most visitors.
"""

from typing import NamedTuple
from urllib.parse import urlsplit


class Kind(NamedTuple):
    """A referrer's kind and the name that it is known by."""

    type: str
    name: str


_SITES = {
    "search": {
        "Google": "google",
        "Bing": "bing.com",
        "DuckDuckGo": "duckduckgo.com",
        "Yahoo": "search.yahoo.com",
        "Ecosia": "ecosia.org",
        "Yandex": "yandex",
        "Baidu": "baidu.com",
        "Brave Search": "search.brave.com",
        "Startpage": "startpage.com",
        "Qwant": "qwant.com",
        "Kagi": "kagi.com",
        "Naver": "search.naver.com",
        "Seznam": "search.seznam.cz",
        "Swisscows": "swisscows.com",
        "Mojeek": "mojeek.com",
    },
    "social": {
        "Facebook": "facebook.com",
        "Instagram": "instagram.com",
        "X": "x.com t.co twitter.com",
        "LinkedIn": "linkedin.com lnkd.in",
        "Reddit": "reddit.com redd.it",
        "YouTube": "youtube.com youtu.be",
        "TikTok": "tiktok.com",
        "Pinterest": "pinterest",
        "Threads": "threads.net threads.com",
        "Bluesky": "bsky.app",
        "Mastodon": "mastodon.social",
        "WhatsApp": "whatsapp.com wa.me",
        "Telegram": "t.me telegram.org",
        "Snapchat": "snapchat.com",
        "VK": "vk.com",
        "Hacker News": "news.ycombinator.com",
        "Xing": "xing.com",
        "Quora": "quora.com",
        "Discord": "discord.com",
    },
    "assistant": {
        "ChatGPT": "chatgpt.com chat.openai.com",
        "Claude": "claude.ai",
        "Perplexity": "perplexity.ai",
        "Gemini": "gemini.google.com",
        "Copilot": "copilot.microsoft.com",
        "Mistral": "chat.mistral.ai",
        "DeepSeek": "chat.deepseek.com",
    },
    "email": {
        "Gmail": "mail.google.com",
        "Outlook": "outlook.live.com outlook.office.com",
        "Yahoo Mail": "mail.yahoo.com",
        "Proton Mail": "mail.proton.me",
        "GMX": "gmx.net gmx.com",
        "Web.de": "web.de",
    },
}
_BY_HOST = {
    host: Kind(kind, name) for kind, sites in _SITES.items() for name, hosts in sites.items() for host in hosts.split()
}
_COUNTRY_PARTS = 2
_COUNTRY_LENGTH = 3


def classify(referrer: str, page: str) -> Kind | None:
    """None where the page was opened directly, or the referrer is no address."""
    host, own = _host(referrer), _host(page)
    if not host:
        return None
    if own and (host == own or host.endswith(f".{own}") or own.endswith(f".{host}")):
        return Kind("internal", host)
    labels = host.split(".")
    for start in range(len(labels)):
        parts = labels[start:]
        found = _BY_HOST.get(".".join(parts)) or (_BY_HOST.get(parts[0]) if _is_any_country(parts) else None)
        if found:
            return found
    return Kind("link", host)


def _is_any_country(parts: list[str]) -> bool:
    """Whether what follows a name that has a host in every country is such an ending: com, de, co.uk."""
    return 1 < len(parts) <= 1 + _COUNTRY_PARTS and all(len(part) <= _COUNTRY_LENGTH for part in parts[1:])


def _host(address: str) -> str:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")
