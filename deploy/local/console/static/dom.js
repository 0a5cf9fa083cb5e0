// dom.js: building and replacing elements. Text is only ever set as text, never as HTML.

const SVG = 'http://www.w3.org/2000/svg';

// h makes an element. Attributes: on… adds a listener, dataset and boolean values as one expects; children may be nodes, texts,
// lists, or nothing.
export function h(tag, attrs = {}, ...children) {
  return build(document.createElement(tag), attrs, children);
}

// svg makes an SVG element in the same way.
export function svg(tag, attrs = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attrs, children);
}

function build(el, attrs, children) {
  for (const [name, value] of Object.entries(attrs)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else if (name === 'dataset') Object.assign(el.dataset, value);
    else el.setAttribute(name, value === true ? '' : String(value));
  }
  add(el, children);
  return el;
}

function add(el, child) {
  if (Array.isArray(child)) child.forEach((c) => add(el, c));
  else if (child instanceof Node) el.append(child);
  else if (child !== null && child !== undefined && child !== false) el.append(String(child));
}

const pressable = 'button, summary, a';
const tooLong = 5000;

// released is a promise of the moment when nothing is held down: what is drawn before would take a button away from under the finger, and
// the press would be lost.
export function released() {
  if (!document.querySelector(`:is(${pressable}):active`)) return Promise.resolve();
  return new Promise((resolve) => {
    const over = new AbortController();
    const done = () => { over.abort(); setTimeout(resolve); }; // the click comes first
    for (const kind of ['pointerup', 'pointercancel', 'keyup', 'blur']) window.addEventListener(kind, done, { capture: true, signal: over.signal });
    setTimeout(done, tooLong);
  });
}

// steady draws, and keeps what the pointer is on under the pointer, by scrolling box.
export function steady(box, draw) {
  const on = [...document.querySelectorAll(`:is(${pressable}):hover`)].filter((el) => box.contains(el)).at(-1);
  const top = on?.getBoundingClientRect().top;
  draw();
  const still = on?.isConnected ? on : on?.dataset.key && keyed(box).find((k) => k.dataset.key === on.dataset.key);
  if (still) box.scrollTop += still.getBoundingClientRect().top - top;
}

// keep draws data into el, and only when data changed. What a person has typed, opened or focused in it stays: such elements
// carry data-key.
export function keep(el, data, draw) {
  const now = JSON.stringify(data);
  if (el.drawn === now) return;
  el.drawn = now;
  const before = remember(el);
  el.replaceChildren();
  add(el, draw(data));
  restore(el, before);
}

// arrange keeps one element in el for each item, by item.key and in the items' order: make(item) where there is none yet, then draw(element,
// item). What is there stays the same element where it is, so that focus, selection and what was opened are not lost.
export function arrange(el, items, make, draw) {
  const wanted = new Set(items.map((i) => i.key));
  for (const c of [...el.children]) if (!wanted.has(c.item)) c.remove();
  const there = new Map([...el.children].map((c) => [c.item, c]));
  let at = el.firstElementChild;
  for (const item of items) {
    const c = there.get(item.key) ?? Object.assign(make(item), { item: item.key });
    if (c === at) at = at.nextElementSibling;
    else el.insertBefore(c, at);
    draw(c, item);
  }
}

const keyed = (el) => [...el.querySelectorAll('[data-key]')];

function remember(el) {
  const values = new Map(keyed(el).map((k) => [k.dataset.key, { value: k.value, open: k.open }]));
  const focus = el.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  return { values, focus };
}

function restore(el, { values, focus }) {
  for (const k of keyed(el)) {
    const old = values.get(k.dataset.key);
    if (old?.open) k.open = true;
    if (old && k.matches('input, textarea, select')) k.value = old.value;
    if (focus && k.dataset.key === focus) k.focus({ preventScroll: true });
  }
}
