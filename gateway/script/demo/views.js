/** What the visitor sees. Each view is an element; what a visitor does there is the caller's. */
import { money, PRODUCTS, reckon } from './catalog.js';
import { field, form, h } from './elements.js';

export function listView({ add }) {
  const cards = PRODUCTS.map((product) =>
    h('article', { class: 'card' },
      h('a', { href: `#/product/${product.id}` }, picture(product)),
      h('div', {},
        h('span', { class: 'tag' }, product.category),
        h('h3', {}, h('a', { href: `#/product/${product.id}` }, product.name)),
        h('div', { class: 'row' }, price(product.price), addButton(product, add, 'small')))));
  return h('section', {},
    h('h1', {}, 'Good things for a day by the water'),
    h('p', { class: 'lead' }, 'A small shop that is not real. What you do here becomes events: watch them on the panel.'),
    h('div', { class: 'grid' }, ...cards));
}

export function productView({ product, add }) {
  return h('section', {},
    h('a', { class: 'back', href: '#/' }, '← All goods'),
    h('div', { class: 'product' },
      picture(product),
      h('div', {},
        h('span', { class: 'tag' }, product.category),
        h('h1', {}, product.name),
        h('p', {}, product.text),
        price(product.price),
        addButton(product, add, 'large'))));
}

export function cartView({ lines, remove }) {
  if (!lines.length) {
    return h('section', {}, h('h1', {}, 'Your cart is empty'), h('p', { class: 'lead' }, 'There is a mug that would like to meet you.'), h('a', { class: 'button', href: '#/' }, 'Back to the shop'));
  }
  const items = lines.map(({ product, quantity }) =>
    h('li', {},
      picture(product),
      h('span', {}, `${product.name} × ${quantity}`),
      price(product.price * quantity),
      h('button', { class: 'quiet-button', 'data-remove': product.id, onclick: () => remove(product) }, 'remove')));
  return h('section', {},
    h('h1', {}, 'Your cart'),
    h('ul', { class: 'lines' }, ...items),
    ...sums(lines),
    h('p', { class: 'end' }, h('a', { class: 'button', href: '#/checkout' }, 'Check out')));
}

export function checkoutView({ lines, user, order }) {
  return h('section', {},
    h('h1', {}, 'Check out'),
    h('p', { class: 'lead' }, 'Nothing is bought and nothing is charged.'),
    h('div', { class: 'pair' },
      form({ class: 'box', id: 'checkout' }, order,
        field('Name', { name: 'name', autocomplete: 'name', value: user?.name ?? '' }),
        field('Street and town', { name: 'address', autocomplete: 'street-address' }),
        h('button', {}, 'Place the order')),
      h('div', {}, ...sums(lines))));
}

export function thanksView({ orderId }) {
  return h('section', { class: 'thanks' },
    h('img', { src: 'mark.svg', alt: '' }),
    h('h1', {}, 'Thank you'),
    h('p', {}, `Order ${orderId} is on its way downstream.`),
    h('a', { class: 'button', href: '#/' }, 'Keep looking'));
}

export function accountView({ user, signUp, signIn, signOut }) {
  if (user) {
    return h('section', {},
      h('h1', {}, `Hello, ${user.name}`),
      h('p', { class: 'lead' }, `${user.email} is known here as ${user.id}.`),
      h('button', { id: 'sign-out', onclick: signOut }, 'Sign out'));
  }
  return h('section', {},
    h('h1', {}, 'Your account'),
    h('div', { class: 'pair' },
      form({ class: 'box', id: 'sign-up' }, signUp,
        h('h2', {}, 'New here?'),
        field('Name', { name: 'name', autocomplete: 'name' }),
        field('E-mail', { name: 'email', type: 'email', autocomplete: 'email' }),
        field('Password', { name: 'password', type: 'password', autocomplete: 'new-password' }),
        h('button', {}, 'Sign up')),
      form({ class: 'box', id: 'sign-in' }, signIn,
        h('h2', {}, 'Welcome back'),
        field('E-mail', { name: 'email', type: 'email', autocomplete: 'email' }),
        field('Password', { name: 'password', type: 'password', autocomplete: 'current-password' }),
        h('button', {}, 'Sign in'))));
}

function sums(lines) {
  const { subtotal, shipping, tax, total } = reckon(lines);
  const line = (label, amount, kind = '') => h('p', { class: `sum ${kind}` }, h('span', {}, label), h('span', {}, money(amount)));
  return [line('Goods', subtotal), line('Shipping', shipping), line('Total', total, 'total'), line('of which tax', tax)];
}

function picture({ id, name }) {
  return h('img', { src: `${id}.svg`, alt: name, width: '400', height: '300' });
}

function price(amount) {
  return h('span', { class: 'price' }, money(amount));
}

function addButton(product, add, size) {
  return h('button', { class: size, 'data-add': product.id, onclick: () => add(product) }, 'Add to cart');
}
