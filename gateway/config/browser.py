"""What a source's pages do by themselves, and what they must not: settings of the browser script and its cookie."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from gateway.config.section import Section
from gateway.config.texts import OR_EMPTY, like

Host = Annotated[
    str,
    like(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", 'write a host in lower case, without scheme or port, like "shop.example"'),
    Field(max_length=253),
]
Word = Annotated[str, like(r"[A-Za-z0-9_]+", 'write letters, digits and _ alone, like "pdf"'), Field(max_length=64)]


class BrowserSettings(Section):
    """`[sources.NAME.browser]`. Every feature can be switched."""

    mode: Literal["full", "cookieless", "consent"] = "full"
    """`cookieless` keeps nothing on the device before the visitor agrees, `consent` does nothing at all before."""
    gpc: bool = True
    """Global Privacy Control switches the category `marketing` off, whatever the page says."""
    dnt: bool = False
    """Do Not Track: nothing is recorded."""
    cookie_domain: Annotated[Host, OR_EMPTY] = ""
    """The domain whose hosts share the visitor, like "shop.example"; empty: the page's own host alone."""
    build: Literal["core", "lite"] = "core"
    page_views: bool = True
    history: bool = True
    links: bool = True
    downloads: tuple[Word, ...] = (
        "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "csv", "txt", "zip", "rar", "7z", "gz", "tgz", "dmg", "pkg",
        "exe", "msi", "apk", "mp3", "mp4", "mov", "epub",
    )  # fmt: skip
    """Extensions of files whose links are downloads; empty switches them off."""
    forms: bool = True
    attributes: bool = True
    engagement: bool = True
    session: bool = True
    attribution: bool = True
    click_ids: tuple[Word, ...] = (
        "gclid", "gbraid", "wbraid", "dclid", "fbclid", "ttclid", "msclkid", "li_fat_id", "twclid", "rdt_cid", "epik",
        "ScCid", "yclid", "irclickid", "mc_eid", "_kx",
    )  # fmt: skip
    """Query parameters that name a click on an advertisement."""
    client_hints: bool = True
    vitals: bool = False
    errors: bool = False
    query_calls: bool = False
    """Segment's `ajs_*` parameters. Whoever makes a link can then say who its visitor is."""
    own_hosts: tuple[Host, ...] = ()
    """Hosts that are no referrers, with their subdomains: your other sites, payment pages that visitors return from."""
    linker_hosts: tuple[Host, ...] = ()
    """Hosts of your other sites: links there take the visitor's identity along."""
    linker_secret: SecretStr = SecretStr("")
    """Signs what those links carry; the same on every gateway that takes them in."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.linker_hosts and not self.linker_secret.get_secret_value():
            raise ValueError(
                "linker_hosts needs linker_secret, the same on each site's gateway; draw a long random one"
            )
        if self.build == "lite" and self.mode == "consent":
            raise ValueError('build = "lite" cannot wait for consent; use "core"')
        return self
