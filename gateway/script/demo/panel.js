/** The panel at the side: every event that the script made, and what became of it. */
import { h } from './elements.js';

const STATES = {
  waiting: 'waiting',
  retrying: 'will retry',
  stored: 'stored',
  lost: 'lost',
};

/** `listen(hook, listener)` subscribes to the script's hooks; `whoIs()` names the visitor. */
export function startPanel(listen, whoIs) {
  const rows = new Map();

  listen('queued', (event) => {
    const row = makeRow(event);
    rows.set(event.messageId, row);
    document.getElementById('events').prepend(row.element);
    refresh();
  });
  listen('retrying', (ids, waitS) => move(ids, 'retrying', `in ${Math.ceil(waitS)} s`));
  listen('delivered', (ids) => move(ids, 'stored'));
  listen('dropped', (ids, reason) => move(ids, 'lost', reason));
  listen('reset', refresh);

  function move(ids, state, detail = '') {
    for (const id of ids) rows.get(id)?.show(state, detail);
    refresh();
  }

  function refresh() {
    const count = (state) => [...rows.values()].filter((row) => row.state === state).length;
    const [made, stored, lost] = [rows.size, count('stored'), count('lost')];
    const shown = { made, stored, lost, pending: made - stored - lost, who: whoIs() };
    for (const [id, text] of Object.entries(shown)) document.getElementById(id).textContent = text;
  }
}

function makeRow(event) {
  const label = h('span', { class: 'state' });
  const name = event.event ?? event.name ?? event.userId ?? event.groupId ?? '';
  const summary = h('summary', {}, h('span', { class: 'kind' }, event.type), h('span', { class: 'name', title: name }, name), label);
  const row = {
    element: h('li', {}, h('details', {}, summary, h('pre', {}, JSON.stringify(event, null, 2)))),
    state: 'waiting',
    show(state, detail) {
      row.state = state;
      label.className = `state ${state}`;
      label.textContent = STATES[state] + (detail && ` ${detail}`);
    },
  };
  row.show('waiting', '');
  return row;
}
