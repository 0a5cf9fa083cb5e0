// message.js: one message as people see it. What the platform shows is text; here only its parts get a look of their own.

import { h } from './dom.js';
import { ago, full } from './words.js';

// headOf takes the mode and the state out of a message's first line, or out of its second one where a card's source stands first:
// "⚠️ [SANDBOX] Running: Cart" is SANDBOX, Running, Cart.
export function headOf(text) {
  const all = text.split('\n');
  const at = all.slice(0, 2).findIndex((line) => marked.test(line));
  if (at < 0) return { title: all[0], lines: all.slice(1) };
  const [, sign, mode, rest] = all[at].match(marked);
  const state = rest.match(/^([^:：]{1,40})[:：]\s*(\S.*)$/u);
  const tone = state && toneOf(state[1]);
  return { sign: sign.trim(), mode, state: tone ? state[1] : '', tone, title: tone ? state[2] : rest, lines: all.slice(at + 1) };
}

const marked = /^((?:@\S+ )?\P{L}*)\[(SANDBOX|LIVE)\]\s*(.*)$/u;

const tones = [
  ['bad', /^(failed|refused|escalation.*|失败|已拒绝|升级.*)$/i],
  ['stop', /^(stopping.*|stopped.*|stop requested|停止中.*|已请求停止|云服务已停止)$/i],
  ['wait', /^(waiting.*|requested|scheduled|being concluded|等待.*|已申请|已排期|正在出结论)$/i],
  ['run', /^(running|started|starting|progress|approved|previewing|运行中|已开始|启动中|进展|已批准|预览中)$/i],
  ['good', /^(run completed|restored|concluded|answered|verdict amended|evidence attached|运行已完成|已恢复|已出结论|已答复|结论已修订|已补充证据)$/i],
];

// toneOf is the colour class of a state in words, "" for words that are no state.
const toneOf = (state) => tones.find(([, words]) => words.test(state))?.[0] ?? '';

// firstLine is what is read out of a message.
export function firstLine(m) {
  const { mode, state, title } = headOf(m.text);
  return [m.from, [mode, state, title].filter(Boolean).join(', ')].join(': ');
}

// drawMessage draws all of a message but its thread. Its buttons call press(place, button), unless it waits for what a press does.
export function drawMessage({ m, waits }, press) {
  const head = m.bot ? headOf(m.text) : { title: m.text, lines: [] };
  const buttons = m.buttons ?? [];
  const short = !head.state && head.lines.length === 0; // words, and no card
  const lines = head.lines.filter((line) => !buttons.some((b) => b.url && b.label === line.trim())); // such a line is the button
  return [
    h('span', { class: 'face', 'aria-hidden': 'true' }, m.bot ? '🔥' : m.from.slice(0, 1).toUpperCase()),
    h('div', { class: m.bot && !short ? 'said sheet' : 'said' },
      h('p', { class: 'by' },
        h('strong', {}, m.from), m.bot && h('span', { class: 'tag' }, 'app'), ' ', when(m.at), m.edits > 0 && h('span', { class: 'soft edited' }, ' (edited)'),
        head.mode && h('span', { class: `pill ${head.mode === 'LIVE' ? 'bad' : 'mode-mark'}` }, head.mode), head.state && h('span', { class: `pill ${head.tone}` }, head.state),
        (m.private || m.local) && h('span', { class: 'only' }, '👁 only you see this')),
      h('p', { class: short ? 'text words' : 'title' }, head.sign && `${head.sign} `, linked(head.title)),
      lines.length > 0 && h('div', { class: 'text' }, paragraphs(lines)),
      buttons.length > 0 && h('div', { class: 'presses', role: 'group', 'aria-label': 'Buttons of this message' }, buttons.map((b, i) => pressOf(m, b, i, waits, press)))),
  ];
}

export const when = (iso) => h('time', { datetime: iso, title: full(iso), dataset: { at: iso } }, ago(iso));

// paragraphs draws the lines of a message: the three facts of a stop as such, names and values side by side, all else as it stands.
function paragraphs(lines) {
  const out = [];
  let open = null; // the list that the last line stands in
  const within = (kind, make) => {
    if (open?.kind !== kind) out.push((open = { kind, el: make() }).el);
    return open.el;
  };
  for (const line of lines) {
    const fact = line.match(/^([123])\. ([^:：]+)[:：]\s*(.*)$/u);
    const pair = line.match(twoSpaces) ?? line.match(named);
    const more = line.match(/^(?:\s{2,}|(?=Evidence: |依据：))(\S.*)$/u);
    if (fact) {
      within('facts', () => h('ol', { class: 'three', 'aria-label': 'The three facts of a stop' })).append(factOf(fact));
    } else if (more && open?.kind === 'facts') {
      open.el.lastElementChild.lastElementChild.append(h('span', { class: 'soft' }, linked(more[1])));
    } else if (pair) {
      within('pairs', () => h('dl', { class: 'pairs' })).append(h('div', {}, h('dt', {}, pair[1]), ' ', h('dd', {}, linked(pair[2]))));
    } else {
      open = null;
      out.push(more ? h('p', { class: 'soft more' }, linked(more[1])) : lineOf(line));
    }
  }
  return out;
}

function lineOf(line) {
  const done = line.match(/^\[([^[\]]{1,40})\]$/u); // what became of a press, in a card's last line
  if (done) return h('p', {}, h('span', { class: 'pill idle' }, done[1]));
  return h('p', { class: foot.test(line) ? 'soft foot' : 'line' }, linked(line));
}

const twoSpaces = /^(\S.{0,22}?)(?: {2,}|\t)(\S.*)$/u;
const named = /^(Drill|Where|Time|Parameters|Targets|Runbook|Verdict|Journal head|Report|演练|位置|时间|参数|目标|运行手册|结论|日志链头|报告)(?:[:：]\s*|\s)(\S.*)$/u;
const foot = /^\P{L}*(SANDBOX|LIVE) · /u;

const signs = { yes: '✓', no: '✗', notyet: '…', none: '–' };

function factOf([, number, name, value]) {
  let kind = 'none';
  if (/^\d{4}-\d\d-\d\d/.test(value)) kind = 'yes';
  else if (/FAILED|失败/.test(value)) kind = 'no';
  else if (/not confirmed|尚未确认|cannot prove|无法证明/.test(value)) kind = 'notyet';
  return h('li', { class: kind }, h('span', { class: 'mark', 'aria-hidden': 'true' }, signs[kind]),
    h('span', { class: 'what' }, `${number}. ${name}: `), h('span', { class: 'says' }, linked(value)));
}

// linked makes links of the addresses in a text; each opens in a new tab. Of "Open the drill (address)" the words are the link.
export function linked(text) {
  const out = [];
  let from = 0;
  for (const m of text.matchAll(address)) {
    out.push(text.slice(from, m.index), m[1] ? link(m[2], `${m[1]} ↗`, { title: m[2] }) : link(m[0], m[0]));
    from = m.index + m[0].length;
  }
  return [...out, text.slice(from)];
}

const url = String.raw`https?:\/\/[^\s<>"'()（）【】]+[^\s<>"'()（）【】.,;:!?。，；：！？]`;
const address = new RegExp(`(?<=^| {2}|· )([^()\\s]+(?: [^()\\s]+){0,4}) \\((${url})\\)|${url}`, 'g');

const link = (href, text, attrs = {}) => h('a', { ...attrs, href, target: '_blank', rel: 'noopener noreferrer' }, text);

// isPage reports whether an address may be opened: only pages of the web.
function isPage(url) {
  try {
    return ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

// pressOf is a button, or a link where a button only opens a page. Its key has its label: what has the focus never becomes another button.
function pressOf(m, b, i, waits, press) {
  const key = `${m.id} ${i} ${b.label}`;
  const opens = /\p{L}/u.test(b.label) ? b.label : 'Open'; // some platforms show a mere arrow
  if (b.url) return isPage(b.url) ? link(b.url, `${opens} ↗`, { class: 'press', dataset: { key } }) : h('span', { class: 'press soft' }, b.label);
  return h('button', { type: 'button', class: `press ${{ primary: 'go', danger: 'danger' }[b.style] ?? ''}`, disabled: waits, dataset: { key }, onclick: () => press(i, b) }, b.label);
}
