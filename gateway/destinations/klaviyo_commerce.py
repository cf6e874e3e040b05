"""What Klaviyo calls the e-commerce events of the Segment spec, and the words in which its flows read them.

Source: Klaviyo's guide "Integrate an ecommerce platform without a pre-built Klaviyo integration" (names of metrics and
of their properties), and "Events API overview" (Ordered Product).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gateway.destinations import commerce
from gateway.destinations.commerce import Product
from gateway.destinations.fields import number, present, properties, text, url, without
from gateway.model.event import Event

PLACED_ORDER = "Placed Order"
ORDERED_PRODUCT = "Ordered Product"
"""Told of each line of an order, beside the order."""

_OF_AN_ORDER = frozenset({"products", "order_id", "orderId", "coupon", "discount"})
_OF_A_PRODUCT = frozenset(
    {"product_id", "productId", "sku", "id", "name", "product_name", "title", "price", "quantity"}
    | {"category", "brand", "url", "product_url", "image_url", "imageUrl"}
)


class Metric(NamedTuple):
    """Klaviyo's kind of event."""

    name: str
    words: Callable[[Event, Sequence[Product]], dict[str, Any]]
    """The properties that Klaviyo gives a meaning to."""
    replaces: frozenset[str]
    """Properties of the event that those words hold already; all others go along as they are."""
    has_value: bool = True
    """Products without a stated amount are worth what they cost; otherwise only a stated amount counts."""


def metric(event: Event) -> Metric | None:
    """What Klaviyo calls the event; None where it has no name of its own for it."""
    return _METRICS.get(commerce.spec_name(event))


def told(event: Event, kind: Metric) -> dict[str, Any]:
    """The event's properties, in Klaviyo's words as far as there are any."""
    return kind.words(event, commerce.products(event)) | without(properties(event), kind.replaces)


def ordered_product(event: Event, product: Product) -> dict[str, Any]:
    """One line of an order, as an event of its own: what a product-level segment asks for."""
    return present(
        OrderId=commerce.order_id(event),
        ProductID=product.id,
        SKU=text(product.raw, "sku"),
        ProductName=product.name,
        Quantity=product.quantity or 1,
        ProductURL=product.url,
        ImageURL=product.image_url,
        Categories=_listed(product.category),
        ProductBrand=product.brand,
    ) | without(product.raw, _OF_A_PRODUCT)


def _viewed(event: Event, products: Sequence[Product]) -> dict[str, Any]:
    if not products:
        return {}
    product = products[0]
    return present(
        ProductName=product.name,
        ProductID=product.id,
        SKU=text(product.raw, "sku"),
        Categories=_listed(product.category),
        ImageURL=product.image_url,
        URL=product.url or url(event),
        Brand=product.brand,
        Price=product.price,
    )


def _added(_event: Event, products: Sequence[Product]) -> dict[str, Any]:
    if not products:
        return {}
    product = products[0]
    return present(
        AddedItemProductName=product.name,
        AddedItemProductID=product.id,
        AddedItemSKU=text(product.raw, "sku"),
        AddedItemCategories=_listed(product.category),
        AddedItemImageURL=product.image_url,
        AddedItemURL=product.url,
        AddedItemPrice=product.price,
        AddedItemQuantity=product.quantity or 1,
        ItemNames=_listed(*(each.name for each in products)),
        Items=[_item(each) for each in products],
    )


def _checkout(event: Event, products: Sequence[Product]) -> dict[str, Any]:
    return present(CheckoutURL=url(event)) | _items(products)


def _order(event: Event, products: Sequence[Product]) -> dict[str, Any]:
    return (
        present(
            OrderId=commerce.order_id(event),
            DiscountCode=text(event, "properties.coupon"),
            DiscountValue=number(event, "properties.discount"),
        )
        | _items(products)
        | present(Brands=_listed(*(each.brand for each in products)))
    )


def _items(products: Sequence[Product]) -> dict[str, Any]:
    return present(
        ItemNames=_listed(*(each.name for each in products)),
        Categories=_listed(*(each.category for each in products)),
        Items=[_item(each) for each in products],
    )


def _item(product: Product) -> dict[str, Any]:
    return present(
        ProductID=product.id,
        SKU=text(product.raw, "sku"),
        ProductName=product.name,
        Quantity=product.quantity or 1,
        ItemPrice=product.price,
        RowTotal=commerce.cost([product]),
        ProductURL=product.url,
        ImageURL=product.image_url,
        ProductCategories=_listed(product.category),
    )


def _listed(*values: str | None) -> list[str]:
    """Those that say something, each once."""
    return list(dict.fromkeys(value for value in values if value))


_METRICS = {
    "Product Viewed": Metric("Viewed Product", _viewed, _OF_A_PRODUCT, has_value=False),
    "Product Added": Metric("Added to Cart", _added, _OF_A_PRODUCT | {"products"}),
    "Checkout Started": Metric("Started Checkout", _checkout, frozenset({"products"})),
    "Order Completed": Metric(PLACED_ORDER, _order, _OF_AN_ORDER),
    "Order Refunded": Metric("Refunded Order", _order, _OF_AN_ORDER),
    "Order Cancelled": Metric("Cancelled Order", _order, _OF_AN_ORDER),
}
