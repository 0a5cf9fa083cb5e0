// chat.js: a chat platform's stand-in. Who looks, what they see, and what they type and press.

import * as api from './api.js';
import { composer } from './composer.js';
import { arrange, h, keep, released, steady } from './dom.js';
import { drawMessage, firstLine, headOf } from './message.js';
import { empty, live, say } from './parts.js';
import { platformOf, roles } from './platforms.js';
import { local } from './local.js';
import { ago } from './words.js';

const every = 2000; // first messages are edited some seconds after what they tell
const remembered = 'firedrill.person';

// chatPage builds the page into main and returns the function that loads it anew.
export function chatPage(main, wanted) {
  document.body.dataset.page = 'chat';
  const box = h('div', { class: 'chat' });
  main.replaceChildren(box);
  let room = null;
  const load = async () => {
    if (room) return room();
    const all = await api.rooms();
    const at = wanted ?? all[0]?.platform;
    const info = all.find((r) => r.platform === at);
    if (info) {
      room = roomOf(box, all, info);
      return room();
    }
    box.replaceChildren(empty(...nothing(all, at)));
    return undefined;
  };
  load.every = every;
  return load;
}

function nothing(all, at) {
  if (live()) return ['With --live there is no stand-in: type in your real chat.'];
  if (all.length === 0) return ['This sandbox plays no chat platform.'];
  return [`This sandbox plays no platform ${at}. It plays `, all.map((r, i) => [i > 0 && ', ', h('a', { href: `/chat/${r.platform}` }, platformOf(r.platform).name)]), '.'];
}

// roomOf builds one platform into box and returns the function that loads its messages anew.
function roomOf(box, all, info) {
  const { name, sends, threads } = platformOf(info.platform);
  const s = { info, threads, channel: info.channels[0], person: who(info.people), said: local(), messages: [], seen: null, waits: new Map(), thread: null, last: Promise.resolve() };
  const ui = {
    list: h('ol', { class: 'messages', tabindex: 0, 'aria-label': 'Messages' }),
    first: h('div', { class: 'first' }),
    aloud: h('p', { class: 'aloud', role: 'status', 'aria-live': 'polite' }),
    moved: 0,
    newer: h('button', { type: 'button', class: 'newer', hidden: true, onclick: () => end(ui) }, '↓ New messages'),
  };
  ui.list.addEventListener('pointermove', () => { ui.moved = Date.now(); });
  ui.list.addEventListener('scroll', () => { if (atEnd(ui)) ui.newer.hidden = true; });
  const draw = async () => {
    await released();
    drawRoom(s, ui, { reply, press });
  };
  const reply = (m) => { s.thread = m; box.composer.show(s); box.composer.focus(); };
  const press = (m, i, b) => pressed(s, draw, m, i, b);
  box.composer = composer((text) => typed(s, draw, ui, text), () => { s.thread = null; box.composer.show(s); });
  const become = (person) => {
    Object.assign(s, { person, seen: null, thread: null });
    sessionStorage.setItem(remembered, person.name.toLowerCase());
    box.composer.show(s);
    document.dispatchEvent(new Event('firedrill:refresh'));
  };
  box.dataset.platform = info.platform;
  document.title = `${name} · Chat · ${document.body.dataset.mode}`;
  box.replaceChildren(
    h('p', { class: 'about' }, 'This is a stand-in for ', h('strong', {}, name), `. What you type goes to Firedrill exactly as ${name} would send it, ${sends}. Nothing leaves this machine.`),
    h('nav', { class: 'platforms', 'aria-label': 'Chat platforms' }, all.map((r) => tab(r.platform, info.platform))),
    people(info.people, s.person, become),
    h('section', { class: 'talk', 'aria-label': `Chat on ${name}` }, channelOf(s), h('div', { class: 'scroll' }, ui.list, ui.first, ui.newer), box.composer, ui.aloud));
  box.composer.show(s);
  return async () => {
    const asked = s.person;
    const messages = await api.messages(info.platform, s.channel.address, asked.id);
    if (asked !== s.person) return;
    s.messages = messages;
    await draw();
    ui.list.dataset.person = asked.id;
  };
}

// who is the person that was chosen before, on whichever platform: names are the same on all.
function who(people) {
  const name = sessionStorage.getItem(remembered);
  return people.find((p) => p.name.toLowerCase() === name) ?? people[0];
}

const tab = (id, current) => h('a', { href: `/chat/${encodeURIComponent(id)}`, dataset: { platform: id }, 'aria-current': id === current ? 'page' : null },
  h('span', { class: 'dot', 'aria-hidden': 'true' }), platformOf(id).name);

function people(list, chosen, become) {
  return h('fieldset', { class: 'people' }, h('legend', {}, 'You are'), list.map((p) => h('label', { title: p.who },
    h('input', { type: 'radio', name: 'person', value: p.id, checked: p === chosen, dataset: { person: p.name.toLowerCase() }, onchange: () => become(p) }),
    h('span', { class: 'face', 'aria-hidden': 'true' }, p.name.slice(0, 1).toUpperCase()),
    h('span', { class: 'name' }, p.name), h('span', { class: 'role' }, p.role), h('span', { class: 'may soft' }, roles[p.role] ?? ''))));
}

function channelOf(s) {
  const choose = (e) => {
    Object.assign(s, { channel: s.info.channels[e.target.selectedIndex], seen: null, thread: null });
    document.dispatchEvent(new Event('firedrill:refresh'));
  };
  const name = s.info.channels.length === 1 ? s.channel.name
    : h('select', { 'aria-label': 'Channel', onchange: choose }, s.info.channels.map((c) => h('option', { value: c.address }, c.name)));
  return h('header', { class: 'channel' }, h('h1', {}, name), h('code', { class: 'soft' }, s.channel.address));
}

// typed sends what was typed, in the order in which it was. Its promise tells the composer whether it went out.
async function typed(s, draw, ui, text) {
  const what = { person: s.person.id, channel: s.channel.address, thread: s.thread?.id, text };
  const entry = s.said.add(s, what);
  draw().then(() => end(ui));
  const sent = s.last.then(() => heard(entry, () => api.say(s.info.platform, what), text));
  s.last = sent.catch(() => {});
  const ok = await sent;
  if (!ok) s.said.drop(entry);
  draw();
  document.dispatchEvent(new Event('firedrill:refresh'));
  return ok;
}

// pressed presses a button. The message's buttons wait until the message has changed, or a moment has gone by.
async function pressed(s, draw, m, i, b) {
  s.waits.set(m.id, JSON.stringify(m));
  const entry = s.said.add(s, { thread: threadOf(s, m), after: s.threads ? undefined : m.id });
  draw();
  await heard(entry, () => api.press(s.info.platform, { person: s.person.id, channel: s.channel.address, message: m.id, button: i, seen: m.edits }), b.label);
  setTimeout(() => { s.waits.delete(m.id); draw(); }, every);
  document.dispatchEvent(new Event('firedrill:refresh'));
}

async function heard(entry, call, what) {
  try {
    const { status, text } = await call();
    entry.answer = text ?? '';
    if (status >= 300) Object.assign(entry, { answer: text || `Firedrill answered ${status}.`, bad: true });
    return true;
  } catch (e) {
    if (!(e instanceof api.Problem)) throw e;
    say(`Not sent: ${what}: ${e.message}`, true);
    return false;
  }
}

const threadOf = (s, m) => m.thread ?? (s.threads ? m.id : undefined);

const atEnd = ({ list }) => list.scrollHeight - list.scrollTop - list.clientHeight < 80;

// aims reports whether somebody is about to press a button: then nothing may move away under the pointer, or they would press another.
const aims = ({ list, moved }) => Date.now() - moved < every && Boolean(list.querySelector('.press:hover'));

function end({ list, newer }) {
  list.scrollTop = list.scrollHeight;
  newer.hidden = true;
}

// drawRoom brings the list to what is there now, and tells of what is new.
function drawRoom(s, ui, acts) {
  const follow = (atEnd(ui) && !aims(ui)) || !s.seen;
  for (const m of s.messages) if (s.waits.get(m.id) && s.waits.get(m.id) !== JSON.stringify(m)) s.waits.delete(m.id);
  const roots = s.said.among(s);
  steady(ui.list, () => arrange(ui.list, roots, makeRoot, (el, r) => drawRoot(el, r, s, acts)));
  keep(ui.first, { none: roots.length === 0, threads: s.threads, people: s.info.people }, firstSteps);
  for (const t of ui.list.querySelectorAll('time')) if (t.textContent !== ago(t.dataset.at)) t.textContent = ago(t.dataset.at);
  const fresh = tell(s, ui);
  if (follow) end(ui);
  else if (fresh) ui.newer.hidden = false;
}

// tell reads out what others have said or changed since, and reports whether anything is new.
function tell(s, ui) {
  const now = new Map(s.messages.map((m) => [m.id, m.text]));
  const news = s.seen ? s.messages.filter((m) => s.seen.get(m.id) !== m.text && m.from !== s.person.name) : [];
  const more = s.seen && s.messages.some((m) => !s.seen.has(m.id));
  s.seen = now;
  if (news.length > 0) ui.aloud.textContent = news.slice(-3).map(firstLine).join('. ');
  return more;
}

function makeRoot() {
  const el = h('li', { class: 'root' });
  el.message = h('article', { class: 'message', tabindex: -1 });
  el.replies = h('ol', { class: 'replies' });
  el.count = h('summary', {});
  el.answer = h('button', { type: 'button', class: 'answer' }, 'Reply in thread');
  el.thread = h('details', { class: 'thread' }, el.count, el.replies);
  el.append(el.message, el.thread, el.answer);
  return el;
}

const isOpen = (m) => (m.buttons ?? []).some((b) => !b.url);

function drawRoot(el, { m, replies }, s, acts) {
  drawOne(el.message, m, s, acts);
  el.answer.hidden = !s.threads || !m.bot || Boolean(m.private || m.local) || (replies.length === 0 && !headOf(m.text).state);
  el.answer.onclick = () => acts.reply(m);
  el.thread.hidden = replies.length === 0;
  if (replies.length === 0) return;
  if (el.replies.childElementCount === 0) el.thread.open = [m, ...replies].some((r) => isOpen(r) || r.local);
  const count = `${replies.length} ${replies.length === 1 ? 'reply' : 'replies'}`;
  if (el.count.textContent !== count) el.count.textContent = count;
  arrange(el.replies, replies.map((r) => ({ key: r.id, m: r })), () => h('li', { class: 'message', tabindex: -1 }), (li, r) => drawOne(li, r.m, s, acts));
}

// drawOne draws a message where it changed. The focus stays in it, even if what had it is gone.
function drawOne(el, m, s, acts) {
  const had = el.contains(document.activeElement);
  el.classList.toggle('bot', m.bot);
  el.classList.toggle('urgent', Boolean(m.urgent));
  el.classList.toggle('private', Boolean(m.private || m.local));
  el.classList.toggle('bad', Boolean(m.bad));
  el.classList.toggle('mine', m.from === s.person.name);
  keep(el, { m, waits: s.waits.has(m.id) }, (data) => drawMessage(data, (i, b) => acts.press(m, i, b)));
  if (had && !el.contains(document.activeElement)) el.focus({ preventScroll: true });
}

// firstSteps is what an empty channel says.
function firstSteps({ none, people: list }) {
  if (!none) return null;
  const name = (role) => h('strong', {}, list.find((p) => p.role === role)?.name ?? role);
  return h('div', { class: 'empty' },
    h('h2', {}, 'Nothing here yet. Three first steps:'),
    h('ol', { class: 'steps123' },
      h('li', {}, 'As ', name('operator'), ', type ', h('code', {}, '/drill start checkout-az-outage-production'), ' and press Enter. It asks for approval, because it is in production.'),
      h('li', {}, 'Become ', name('approver'), ' and press ', h('strong', {}, 'Approve'), '. The message changes as the drill goes on.'),
      h('li', {}, 'Press ', h('strong', {}, 'Stop'), ' at any time, as anybody: even ', name('stranger'), ' may. Watch the three facts of the stop come in.')));
}
