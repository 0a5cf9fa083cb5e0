// drill.js: one drill, as it happens.

import * as api from './api.js';
import { h, keep, released, steady } from './dom.js';
import { empty, pill, section, time } from './parts.js';
import { alarms, claims, conclude, gates, noteForm, stopForm } from './acts.js';
import { steps } from './steps.js';
import { clock, full, hasEnded, services, zone } from './words.js';

// drillPage builds the page into main and returns the function that loads it anew.
export function drillPage(main, id) {
  const part = (name) => h('div', { id: name });
  const p = Object.fromEntries(['head', 'verdict', 'stop', 'facts', 'gates', 'alarms', 'claims', 'steps', 'timeline'].map((n) => [n, part(n)]));
  const forms = { stop: stopForm(id), note: noteForm(id), conclude: conclude(id) };
  const waiting = h('p', { class: 'empty' }, `Looking for drill ${id} …`);
  const body = h('div', { hidden: true },
    p.head, p.verdict, p.gates,
    section('Stop', forms.stop, p.facts, p.alarms),
    section('Steps', p.steps),
    section('Claims', p.claims),
    section('Write it down', forms.note, forms.conclude),
    section('Timeline', p.timeline));
  main.replaceChildren(h('p', { class: 'back' }, h('a', { href: '/' }, '← All drills')), waiting, body);
  let stopOn = null;
  return async () => {
    const d = await find(id, waiting);
    if (!d) return;
    stopOn ??= await alarmsOf(d.plan);
    await released();
    waiting.remove();
    body.hidden = false;
    document.title = `${d.title || d.plan} · ${d.status} · ${d.mode}`;
    steady(document.scrollingElement, () => draw(d));
  };
  function draw(d) {
    keep(p.head, headOf(d), drawHead);
    keep(p.verdict, verdictOf(d), drawVerdict);
    keep(p.gates, { id: d.id, actor: d.actor, gates: d.gates ?? [] }, gates);
    keep(p.facts, { stop: d.stop ?? {}, status: d.status, outcome: d.outcome }, drawFacts);
    keep(p.alarms, { names: stopOn, ended: hasEnded(d) }, alarms);
    keep(p.claims, { id: d.id, claims: d.claims ?? [], status: d.status }, claims);
    keep(p.steps, { steps: d.steps ?? [], until: lastTime(d), status: d.status }, steps);
    keep(p.timeline, d.timeline ?? [], drawTimeline);
    forms.stop.update(d);
    forms.conclude.update(d);
  }
}

// find loads the drill. One that was asked for a moment ago may not be recorded yet: that is no error.
async function find(id, waiting) {
  try {
    return await api.drill(id);
  } catch (e) {
    if (e.status !== 404) throw e;
    waiting.textContent = `There is no drill ${id} yet. If you have just started it, it appears here by itself; otherwise go back and choose one.`;
    return null;
  }
}

async function alarmsOf(plan) {
  const all = await api.plans();
  return all.find((p) => p.name === plan)?.stop_on ?? [];
}

// lastTime is the newest time in the drill: the sandbox's clock may run faster than the browser's.
const lastTime = (d) => (d.timeline ?? []).reduce((t, m) => (m.at > t ? m.at : t), d.requested_at ?? '');

const headOf = (d) => ({
  id: d.id, title: d.title || d.plan, plan: d.plan, service: d.service, run: d.run, environment: d.environment, mode: d.mode, status: d.status,
  actor: d.actor, at: d.requested_at, started: d.started_at, ended: d.ended_at, error: d.last_error, escalations: d.escalations,
});

function drawHead(d) {
  const report = `/r/${encodeURIComponent(d.id)}`;
  return [
    h('div', { class: 'pills' }, pill(d.status), h('span', { class: `pill ${d.mode === 'LIVE' ? 'bad' : 'idle'}` }, d.mode),
      h('span', { class: 'pill idle' }, services[d.service] ?? d.service), h('span', { class: 'pill idle' }, d.environment)),
    h('h1', {}, d.title),
    h('p', { class: 'soft' }, 'Drill ', h('code', {}, d.id), ' of plan ', h('code', {}, d.plan), ` · asked for by ${d.actor} at `, time(d.at, full(d.at)),
      d.started && [' · started ', time(d.started, clock(d.started, d.at))], d.ended && [' · ended ', time(d.ended, clock(d.ended, d.at))],
      d.run && [' · run ', h('code', {}, d.run)]),
    d.escalations > 0 && h('p', { class: 'warn', role: 'alert' }, `Escalated ${d.escalations} time${d.escalations > 1 ? 's' : ''}: a person should look.`),
    d.error && h('p', { class: 'soft' }, `Last error: ${d.error}`),
    h('p', { class: 'links' }, h('a', { href: report }, 'Report'), h('a', { href: `${report}?format=json` }, 'Report as JSON'),
      h('a', { href: `/api/drills/${encodeURIComponent(d.id)}` }, 'State'), h('a', { href: `/api/drills/${encodeURIComponent(d.id)}/journal` }, 'Journal')),
  ];
}

const verdictOf = (d) => ({
  status: d.status, verdict: d.verdict, summary: d.summary, reason: d.reason, amendments: d.amendments ?? [],
  open: d.status === 'concluding' ? (d.claims ?? []).filter((c) => c.ask && !c.answer).length : 0,
});

function drawVerdict(d) {
  if (d.verdict) {
    return [
      h('section', { class: `verdict ${d.verdict}`, 'aria-label': 'Verdict' }, h('h2', {}, 'Verdict: ', d.verdict), h('p', {}, d.summary)),
      d.amendments.map((a) => h('section', { class: `verdict ${a.verdict}`, 'aria-label': 'Amended verdict' },
        h('h2', {}, 'Amended: ', a.verdict), h('p', {}, a.summary, a.issue && ` (issue ${a.issue})`), h('p', { class: 'soft' }, `${a.by} `, time(a.at, full(a.at))))),
    ];
  }
  if (d.open > 0) {
    return h('section', { class: 'card gate', 'aria-label': 'Asked of you' }, h('h2', {}, 'The run is over: did it hold?'),
      h('p', {}, d.open === 1 ? 'One claim waits' : `${d.open} claims wait`, ' for an answer before the verdict. ', h('a', { href: '#claims' }, 'Answer')));
  }
  if (d.status === 'refused') {
    return h('section', { class: 'verdict unexpected', 'aria-label': 'Refused' }, h('h2', {}, 'Refused: nothing was started'), h('p', {}, d.reason));
  }
  return d.reason ? h('p', { class: 'soft' }, d.reason) : null;
}

// drawFacts shows the three facts of a stop. None is ever shown for another.
function drawFacts({ stop, status, outcome }) {
  const ended = hasEnded({ status });
  const asked = stop.requested_at;
  let stopped = 'not yet';
  if (!asked) stopped = '–';
  else if (ended && !stop.stopped_at) stopped = `no: the run had already ended${outcome ? ` (${outcome})` : ''}`;
  const restored = {
    needless: 'not needed: nothing was injected', failed: 'recovery FAILED: a person must act',
    unproven: 'not proven: the service cannot show it',
  }[stop.restoration] ?? (asked || ended ? 'not yet' : '–');
  return h('ol', { class: 'facts' },
    fact('Stop requested', asked, asked ? [stop.by && `by ${stop.by}`, stop.reason].filter(Boolean).join(': ') : '', 'nobody has asked'),
    fact('Stopped at the service', stop.stopped_at, '', stopped),
    fact('Restored', stop.restoration === 'done' ? stop.restored_at : null, '', restored, stop.restoration));
}

function fact(name, at, extra, otherwise, restoration) {
  const state = at ? 'yes' : otherwise === 'not yet' ? 'notyet' : restoration === 'failed' ? 'no' : 'none';
  return h('li', { class: state },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, { yes: '✓', notyet: '…', no: '✗', none: '–' }[state]),
    h('span', { class: 'what' }, name),
    h('span', { class: 'says' }, at ? time(at, full(at)) : otherwise, extra && h('span', { class: 'soft' }, ` ${extra}`)));
}

function drawTimeline(list) {
  if (list.length === 0) return empty('Nothing is recorded yet.');
  return [
    h('p', { class: 'soft' }, `Newest first. Times in ${zone()}.`),
    h('ol', { class: 'moments', reversed: true }, [...list].reverse().map((m) => h('li', {},
      h('span', { class: 'rev' }, `rev ${m.rev}`), time(m.at, clock(m.at)), h('span', { class: 'change' }, m.change, h('span', { class: 'soft' }, ` ${m.actor}`))))),
  ];
}
