/** The shop: a view for each address, and the events of Segment's e-commerce specification. */
import { describe, findProduct, PRODUCTS, reckon } from './catalog.js';
import { startPanel } from './panel.js';
import * as state from './state.js';
import * as views from './views.js';

// Calls made before the script is there wait in the array, and `push` goes on working afterwards.
const analytics = (window.analytics ??= []);
const track = (event, properties) => analytics.push(['track', event, properties]);

/** By first word of the address: the title, the view, and the event that seeing it means. */
const ROUTES = { '': listRoute, product: productRoute, cart: cartRoute, checkout: checkoutRoute, thanks: thanksRoute, account: accountRoute };

function listRoute() {
  const products = PRODUCTS.map((product, index) => ({ ...describe(product), position: index + 1 }));
  const seen = ['Product List Viewed', { list_id: 'all', category: 'All goods', products }];
  return { title: 'Shop', view: views.listView({ add }), seen };
}

function productRoute(id) {
  const product = findProduct(id);
  if (!product) return listRoute();
  const seen = ['Product Viewed', { ...describe(product), url: location.href }];
  return { title: product.name, view: views.productView({ product, add }), seen };
}

function cartRoute() {
  const lines = state.cartLines();
  const seen = ['Cart Viewed', { cart_id: state.cartId(), products: goods(lines) }];
  return { title: 'Cart', view: views.cartView({ lines, remove }), seen };
}

function checkoutRoute() {
  const lines = state.cartLines();
  if (!lines.length) return cartRoute();
  const orderId = `MP-${Date.now().toString(36).toUpperCase()}`;
  const order = { order_id: orderId, checkout_id: state.cartId(), ...reckon(lines), products: goods(lines) };
  const place = () => {
    track('Order Completed', order);
    state.emptyCart();
    location.hash = `#/thanks/${orderId}`;
  };
  const view = views.checkoutView({ lines, user: state.currentUser(), order: place });
  return { title: 'Check out', view, seen: ['Checkout Started', { ...order, value: order.total }] };
}

function thanksRoute(orderId = '') {
  return { title: 'Thank you', view: views.thanksView({ orderId }) };
}

function accountRoute() {
  return { title: 'Account', view: views.accountView({ user: state.currentUser(), signUp, signIn, signOut }) };
}

function add(product) {
  state.addToCart(product.id);
  track('Product Added', { cart_id: state.cartId(), ...describe(product) });
  showChrome();
}

function remove(product) {
  const quantity = state.removeFromCart(product.id);
  track('Product Removed', { cart_id: state.cartId(), ...describe(product, quantity) });
  show(cartRoute());
}

function signUp({ name, email }) {
  const user = state.signUp(name, email);
  if (!user) return 'This address has an account already.';
  analytics.push(['identify', user.id, { name, email }]);
  track('Signed Up', { type: 'organic', username: email });
  show(accountRoute());
}

function signIn({ email }) {
  const user = state.signIn(email);
  if (!user) return 'No account on this device has this address: sign up first.';
  analytics.push(['identify', user.id, { name: user.name, email }]);
  track('Signed In', { username: email });
  show(accountRoute());
}

function signOut() {
  track('Signed Out', { username: state.currentUser().email });
  analytics.push(['reset']);
  state.signOut();
  show(accountRoute());
}

function goods(lines) {
  return lines.map(({ product, quantity }) => describe(product, quantity));
}

function address() {
  const [name = '', argument] = location.hash.slice(2).split('/');
  return { name, argument, route: ROUTES[name] ?? listRoute };
}

function show({ title, view }) {
  document.getElementById('view').replaceChildren(view);
  document.title = `${title} · Millpond Supply`;
  showChrome();
}

/** A new address: its page view comes before what is seen there. */
function visit() {
  const { name, argument, route } = address();
  const shown = route(argument);
  show(shown);
  analytics.push(['page', 'Shop', name || 'home']);
  if (shown.seen) track(...shown.seen);
  document.getElementById('view').focus({ preventScroll: true });
  scrollTo(0, 0);
}

function showChrome() {
  const quantity = state.cartLines().reduce((sum, line) => sum + line.quantity, 0);
  document.getElementById('cart-count').textContent = quantity;
  document.getElementById('account-link').textContent = state.currentUser()?.name ?? 'Sign in';
}

function whoIs() {
  const user = analytics.user?.();
  return user?.id() ?? user?.anonymousId().slice(0, 8) ?? '…';
}

startPanel((hook, listener) => analytics.push(['on', hook, listener]), whoIs);
addEventListener('hashchange', visit);
visit();
