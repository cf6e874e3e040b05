/** What the shop remembers between visits: the cart, and the accounts that were made on this device. */
import { findProduct } from './catalog.js';

function recall(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? fallback;
  } catch {
    return fallback; // storage is denied: the shop works for as long as the page is open
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // as above
  }
}

const cart = recall('shop_cart', { id: crypto.getRandomValues(new Uint32Array(1))[0].toString(36), quantities: {} });
const accounts = recall('shop_accounts', {});
let current = recall('shop_user', null);

export function cartId() {
  return cart.id;
}

export function cartLines() {
  return Object.entries(cart.quantities).map(([id, quantity]) => ({ product: findProduct(id), quantity }));
}

export function addToCart(id) {
  cart.quantities[id] = (cart.quantities[id] ?? 0) + 1;
  remember('shop_cart', cart);
}

/** The quantity that was taken out. */
export function removeFromCart(id) {
  const quantity = cart.quantities[id] ?? 0;
  delete cart.quantities[id];
  remember('shop_cart', cart);
  return quantity;
}

export function emptyCart() {
  cart.quantities = {};
  remember('shop_cart', cart);
}

export function currentUser() {
  return current;
}

/** The new account, or null when the address has one already. */
export function signUp(name, email) {
  if (accounts[email]) return null;
  accounts[email] = { id: `customer-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`, name, email };
  remember('shop_accounts', accounts);
  return signIn(email);
}

/** The account, or null when there is none. This shop knows no passwords. */
export function signIn(email) {
  current = accounts[email] ?? null;
  remember('shop_user', current);
  return current;
}

export function signOut() {
  current = null;
  remember('shop_user', null);
}
