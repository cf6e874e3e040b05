/** What the shop sells, and how goods look in events: the properties of Segment's e-commerce specification. */

export const CURRENCY = 'EUR';
const SHIPPING = 4.9;
const TAX_RATE = 0.19;

export const PRODUCTS = [
  { id: 'mug', name: 'Enamel mug', category: 'Kitchen', price: 14, text: 'Steel, dipped twice. Keeps its shape on a stone and its coffee warm for a chapter.' },
  { id: 'kettle', name: 'Camp kettle', category: 'Kitchen', price: 48, text: 'One litre, boils in four minutes over a small fire, pours without dripping.' },
  { id: 'lantern', name: 'Boat lantern', category: 'Light', price: 62, text: 'A warm light for forty hours, and a hook for the tent, the mast or the porch.' },
  { id: 'blanket', name: 'Wool blanket', category: 'Home', price: 95, text: 'Woven from one flock beside one river. Heavy enough for October.' },
  { id: 'pack', name: 'Canvas pack', category: 'Bags', price: 120, text: 'Waxed canvas, two straps, no zips. Eighteen litres for a day that may become two.' },
  { id: 'notebook', name: 'Field notebook', category: 'Paper', price: 9.5, text: 'Forty-eight pages that take pencil in the rain.' },
];

export function findProduct(id) {
  return PRODUCTS.find((product) => product.id === id);
}

export function money(amount) {
  return new Intl.NumberFormat('en-IE', { style: 'currency', currency: CURRENCY }).format(amount);
}

/** A product as a property. */
export function describe(product, quantity = 1) {
  const { id, name, category, price } = product;
  return { product_id: id, sku: `MP-${id.toUpperCase()}`, name, category, brand: 'Millpond', price, currency: CURRENCY, quantity };
}

/** What the lines of a cart cost, in the words of an order event. Prices hold the tax. */
export function reckon(lines) {
  const goods = round(lines.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0));
  const shipping = goods ? SHIPPING : 0;
  const tax = round(goods - goods / (1 + TAX_RATE));
  return { total: round(goods + shipping), subtotal: goods, revenue: round(goods - tax), shipping, tax, currency: CURRENCY };
}

function round(amount) {
  return Math.round(amount * 100) / 100;
}
