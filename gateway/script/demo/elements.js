/** Elements without markup in strings, so that the shop runs under the strictest content security policy. */

/** `h('a', {href: '#/'}, 'Shop')`; a key that starts with "on" is a listener. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A labelled input. */
export function field(label, attributes) {
  return h('label', {}, label, h('input', { required: '', ...attributes }));
}

/** A form whose values go to `act`; what `act` returns is shown as a complaint. */
export function form(attributes, act, ...children) {
  const note = h('p', { class: 'note', role: 'alert' });
  const submit = (event) => {
    event.preventDefault();
    note.textContent = act(Object.fromEntries(new FormData(event.target))) ?? '';
  };
  return h('form', { ...attributes, onsubmit: submit }, ...children, note);
}
