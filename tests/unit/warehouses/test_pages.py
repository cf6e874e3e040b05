"""Every kind of warehouse has a page in docs, with its settings as the classes have them."""

from pathlib import Path

import pytest

from gateway.config import DestinationSettings
from gateway.config.describe import with_table
from gateway.warehouses.registry import warehouse_pages
from gateway.warehouses.settings import TableSettings

DOCS = Path(__file__).parents[3] / "docs"
PAGES = list(warehouse_pages())


@pytest.mark.parametrize(("name", "settings", "base"), PAGES, ids=[name for name, _, _ in PAGES])
def test_the_page_has_the_settings_of_the_class(
    name: str, settings: type[DestinationSettings], base: type[DestinationSettings]
) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")

    assert page == with_table(page, settings, base), "run make docs"


def test_the_overview_lists_every_page() -> None:
    overview = (DOCS / "warehouses/README.md").read_text(encoding="utf-8")

    kinds = [Path(name).name for name, _, base in PAGES if base is TableSettings]
    assert [name for name in kinds if f"]({name})" not in overview] == []
