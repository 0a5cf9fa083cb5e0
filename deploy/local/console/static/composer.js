// composer.js: where a person types. Enter sends, arrow-up brings back what was typed.

import { h } from './dom.js';
import { headOf } from './message.js';
import { chips } from './platforms.js';

const remembered = 'firedrill.typed';
const most = 50;

// composer calls send(text), which tells whether it went out, and leave() to go back from a thread to the channel.
export function composer(send, leave) {
  const input = h('input', { type: 'text', id: 'say', class: 'say', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', enterkeyhint: 'send', maxlength: 2000 });
  const label = h('label', { for: 'say' });
  const where = h('div', { class: 'where' });
  const suggestions = h('div', { class: 'chips', role: 'group', 'aria-label': 'Suggestions' });
  const go = h('button', { class: 'go', disabled: true }, 'Send');
  const el = h('form', { class: 'composer' }, where, suggestions, h('div', { class: 'typing' }, input, go),
    h('div', { class: 'hints soft' }, label, h('span', { class: 'keys' }, h('kbd', {}, 'Enter'), ' sends · ', h('kbd', {}, '↑'), ' brings back what you typed · a suggestion goes into the box first')));
  const history = past(input);
  const changed = () => { go.disabled = input.value.trim() === ''; };
  input.addEventListener('input', changed);
  input.addEventListener('keydown', (e) => { if (history.key(e)) changed(); });
  el.addEventListener('submit', async (e) => {
    e.preventDefault();
    const text = input.value.trim();
    if (text === '') return;
    history.add(text);
    put('');
    if (!(await send(text)) && input.value === '') put(text);
  });
  const put = (text) => {
    input.value = text;
    input.focus();
    changed();
  };
  el.focus = () => input.focus();
  el.show = ({ person, channel, thread }) => {
    label.textContent = thread ? `As ${person.name}, in the thread` : `As ${person.name}, in ${channel.name}`;
    input.placeholder = thread ? 'status, advance, stop … the id may be left out' : '/drill help';
    where.replaceChildren(...(thread ? [h('span', {}, 'In the thread of ', h('strong', {}, headOf(thread.text).title)), h('button', { type: 'button', class: 'plain', 'aria-label': 'Leave the thread', onclick: () => { leave(); input.focus(); } }, '×')] : []));
    suggestions.replaceChildren(...(thread ? chips.thread : chips.channel).map((c) => h('button', { type: 'button', class: 'chip', onclick: () => put(c) }, c)));
  };
  return el;
}

// past is what was typed in this tab, newest last.
function past(input) {
  const read = () => JSON.parse(sessionStorage.getItem(remembered) ?? '[]');
  let at = null; // place in the list; null: what is being typed now
  let draft = '';
  return {
    add(text) {
      sessionStorage.setItem(remembered, JSON.stringify([...read().filter((t) => t !== text), text].slice(-most)));
      at = null;
    },
    // key answers the arrow keys, and reports whether the text has changed.
    key(e) {
      if ((e.key !== 'ArrowUp' && e.key !== 'ArrowDown') || e.isComposing) return false;
      const list = read();
      if (at === null) draft = input.value;
      const next = (at ?? list.length) + (e.key === 'ArrowUp' ? -1 : 1);
      if (next < 0 || next > list.length || list.length === 0) return false;
      e.preventDefault();
      at = next === list.length ? null : next;
      input.value = at === null ? draft : list[at];
      input.setSelectionRange(input.value.length, input.value.length);
      return true;
    },
  };
}
