// acts.js: what a person can do to a drill.

import * as api from './api.js';
import { h } from './dom.js';
import { act, button, empty, field, form, section, sure } from './parts.js';
import { clock, hasEnded } from './words.js';

// stopForm never asks back: a stop is sent at once.
export function stopForm(id) {
  const reason = h('input', { name: 'reason', type: 'text', autocomplete: 'off', maxlength: 1000, placeholder: 'why (optional)' });
  const stop = h('button', { class: 'danger big' }, 'Stop this drill');
  const el = form({ class: 'row wide' }, () => act(stop, 'stop', () => api.command('stop', id, { reason: reason.value.trim() })), stop, field('Reason', reason));
  el.update = (d) => {
    el.hidden = hasEnded(d);
    stop.textContent = d.status === 'stopping' ? 'Stop again' : 'Stop this drill';
  };
  return el;
}

// gates shows what the drill waits for, with a button for each choice.
export function gates({ id, actor, gates: list }) {
  return list.map((g) => {
    const key = `gate-${g.id}`;
    const note = h('input', { type: 'text', autocomplete: 'off', maxlength: 1000, dataset: { key: `${key}-note` } });
    return h('section', { class: 'card gate', 'aria-label': `Waits: ${g.name || g.id}` },
      h('h2', {}, 'Waits for you: ', g.name || g.step || g.id),
      h('p', { class: 'soft' }, `${gateWord(g.kind)} · open since ${clock(g.opened_at)}`),
      g.kind === 'approval' && actor === api.actor && h('p', { class: 'soft' },
        'You asked for this drill on this page. Where the plan wants another person’s approval, somebody else gives it: ', h('code', {}, `firedrill send approve ${id}`)),
      h('div', { class: 'row wide' },
        (g.choices ?? []).map((c) => choice(id, g, c, note, key)),
        field('Note', note)));
  });
}

const gateWord = (kind) => ({
  approval: 'an approval', manual: 'a step that is advanced by hand', failed: 'a step failed: retry it or skip it', paused: 'the run is paused',
  debug: 'debug mode: choose the next task', risk: 'a risky action to be confirmed',
}[kind] ?? kind);

const injects = ['execute', 'retry', 'approve', 'resume'];

function choice(id, g, c, note, key) {
  const label = c.label || (c.step && c.step !== g.step ? `${c.action} ${c.step}` : c.action);
  const kind = { execute: 'go', approve: 'go', resume: 'go', reject: 'danger', cancel: 'danger' }[c.action] ?? '';
  const data = { gate: g.id };
  const b = h('button', { type: 'button', class: kind, dataset: { key: `${key}-${c.action}-${c.step ?? ''}` } }, label.charAt(0).toUpperCase() + label.slice(1));
  b.addEventListener('click', async () => {
    if (injects.includes(c.action) && !(await sure(`${label}: ${g.name || g.id}?`))) return;
    if (note.value.trim()) data.note = note.value.trim();
    const what = `${label} (${g.name || g.id})`;
    if (c.action === 'approve' || c.action === 'reject') {
      act(b, what, () => api.command(c.action, id, data));
      return;
    }
    if (c.step) data.step = c.step;
    act(b, what, () => api.command('advance', id, { ...data, action: c.action }));
  });
  return b;
}

// alarms lets a person raise and clear the alarms that stop this drill.
export function alarms({ names, ended }) {
  if (names.length === 0) return h('p', { class: 'soft' }, 'No alarm stops this plan’s drills: stop_on names none.');
  return [
    h('h3', {}, 'Alarms that stop it'),
    h('ul', { class: 'alarms' }, names.map((name) => h('li', { class: 'row' },
      h('code', {}, name),
      button('Raise this alarm', ended ? '' : 'warn', `alarm-${name}`, `alarm ${name} fires`, () => api.alarm(name, 'firing')),
      button('Clear', '', `clear-${name}`, `alarm ${name} resolved`, () => api.alarm(name, 'resolved'))))),
    h('p', { class: 'soft' }, 'While an alarm fires, drills that name it are refused: clear it before the next start.'),
  ];
}

// claims shows what the drill is to show, and asks for what only a person can say.
export function claims({ id, claims: list, status }) {
  if (list.length === 0) return empty('The plan claims nothing, so its verdict cannot be better than inconclusive. Add expect: to the plan.');
  return h('ul', { class: 'claims' }, list.map((c) => {
    const key = `claim-${c.id}`;
    const note = h('input', { type: 'text', autocomplete: 'off', maxlength: 1000, dataset: { key: `${key}-note` } });
    const say = (holds) => button(holds ? 'Yes, it holds' : 'No', holds ? 'go' : 'danger', `${key}-${holds}`, `${c.id}: ${holds ? 'yes' : 'no'}`, () => {
      const data = { claim: c.id, holds };
      if (note.value.trim()) data.note = note.value.trim();
      return api.command('answer', id, data);
    });
    const open = c.ask && !c.answer && status !== 'concluded' && status !== 'refused';
    return h('li', {},
      h('p', {}, h('strong', {}, c.claim), ' ', h('span', { class: 'soft' }, c.ask ? `asks ${c.ask}` : 'measured')),
      c.answer && h('p', {}, c.answer === 'yes' ? '✓ answered: yes, it holds' : '✗ answered: no'),
      c.last && h('p', { class: 'soft' }, `last sample: ${c.last}`),
      open && h('div', { class: 'row wide' }, say(true), say(false), field('Note', note)),
      c.ask && !c.answer && !open && h('p', { class: 'soft' }, '? nobody answered'));
  }));
}

// noteForm leaves a remark in the drill's record.
export function noteForm(id) {
  const text = h('textarea', { name: 'text', rows: 2, maxlength: 4000, required: true });
  const b = h('button', {}, 'Add note');
  return form({ class: 'stack' }, () => act(b, 'note', () => api.command('note', id, { text: text.value.trim() }), () => { text.value = ''; }),
    field('Note for the record', text), h('div', { class: 'row' }, b));
}

// conclude gives a verdict; after the first one it amends.
export function conclude(id) {
  const verdict = h('select', { name: 'verdict' }, ['expected', 'unexpected', 'inconclusive'].map((v) => h('option', { value: v }, v)));
  const summary = h('textarea', { name: 'summary', rows: 2, maxlength: 4000, required: true });
  const issue = h('input', { name: 'issue', type: 'text', maxlength: 1000, autocomplete: 'off' });
  const b = h('button', {}, 'Conclude');
  const hint = h('p', { class: 'soft' });
  const title = h('summary', {}, 'Give the verdict yourself');
  const el = h('details', {}, title, hint, form({ class: 'stack' }, () => {
    const data = { verdict: verdict.value, summary: summary.value.trim() };
    if (issue.value.trim()) data.issue = issue.value.trim();
    act(b, `${b.textContent.toLowerCase()}: ${verdict.value}`, () => api.command('conclude', id, data), () => { summary.value = ''; });
  }, field('Verdict', verdict), field('Summary', summary), field('Issue (link or number)', issue), h('div', { class: 'row' }, b)));
  el.update = (d) => {
    const done = Boolean(d.verdict);
    title.textContent = done ? 'Amend the verdict' : 'Give the verdict yourself';
    b.textContent = done ? 'Amend' : 'Conclude';
    b.disabled = !hasEnded(d) || d.status === 'refused';
    hint.textContent = done ? 'The first verdict stays; yours is recorded beside it.' : hasEnded(d) ? 'Without one, the rules decide.' : 'Possible once the run is over.';
  };
  return el;
}

export { section };
