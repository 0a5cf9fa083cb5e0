// parts.js: small things that both pages use.

import { h } from './dom.js';
import { actor, Problem } from './api.js';
import { tone } from './words.js';

export const pill = (word) => h('span', { class: `pill ${tone(word)}` }, word);

export const time = (iso, text) => h('time', { datetime: iso }, text);

export const empty = (...text) => h('p', { class: 'empty' }, ...text);

export const section = (title, ...children) => h('section', { class: 'card', 'aria-label': title }, h('h2', {}, title), ...children);

// say shows a message at the foot of the page. An error stays until it is closed.
export function say(text, bad = false) {
  const box = document.getElementById('toast');
  const note = h('div', { class: bad ? 'note bad' : 'note', role: bad ? 'alert' : null },
    h('span', {}, text),
    h('button', { type: 'button', class: 'plain', 'aria-label': 'Close this message', onclick: () => note.remove() }, '×'));
  box.prepend(note);
  while (box.children.length > 4) box.lastElementChild.remove();
  if (!bad) setTimeout(() => note.remove(), 6000);
  return note;
}

const asked = new Map(); // ids of events that this page sent, to what they asked for

// act sends something and says so: what was sent, or what went wrong. The button cannot be pressed twice meanwhile.
export async function act(button, what, call, done) {
  if (button) button.disabled = true;
  try {
    const reply = await call();
    if (reply?.id) asked.set(reply.id, what);
    say(`Sent: ${what}`);
    if (done) await done(reply);
    return reply;
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    say(`Not sent: ${what}: ${e.message}`, true);
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

// answered shows the refusal of something that this page asked for.
export function answered(event) {
  if (event.cause && event.reason && asked.has(event.cause)) {
    say(`Refused: ${asked.get(event.cause)}: ${event.reason}`, true);
    asked.delete(event.cause);
  }
}

// button sends on a press.
export function button(label, kind, key, what, call, done) {
  const b = h('button', { type: 'button', class: kind, dataset: { key }, onclick: () => act(b, what, call, done) }, label);
  return b;
}

export const live = () => document.body.dataset.mode === 'LIVE';

// sure asks before something that injects a real fault; in the sandbox it does not ask. A stop never asks.
export function sure(text) {
  if (!live()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const close = (answer) => () => { box.close(); box.remove(); resolve(answer); };
    const box = h('dialog', { class: 'ask', oncancel: close(false) },
      h('h2', {}, 'LIVE: this is real'), h('p', {}, text),
      h('div', { class: 'row' },
        h('button', { type: 'button', onclick: close(false), autofocus: true }, 'No, go back'),
        h('button', { type: 'button', class: 'danger', onclick: close(true) }, 'Yes, do it')));
    document.body.append(box);
    box.showModal();
  });
}

// form is a form whose fields keep what is typed while the page reloads around it.
export function form(attrs, onsubmit, ...children) {
  return h('form', { ...attrs, onsubmit: (e) => { e.preventDefault(); onsubmit(e.currentTarget, e.submitter); } }, ...children);
}

export function field(label, input) {
  return h('label', { class: 'field' }, h('span', {}, label), input);
}

export { actor };
