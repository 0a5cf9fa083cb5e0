// api.js: all that the page reads and sends.

export const actor = 'local:console/you';
const source = '/firedrill/local/console';
const prefix = 'dev.firedrill.';

export class Problem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options) {
  let reply;
  try {
    reply = await fetch(path, { cache: 'no-store', ...options });
  } catch {
    throw new Problem('no answer: is “firedrill up” still running?', 0);
  }
  const text = await reply.text();
  let body;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(`${reply.status}: the answer is not JSON`, reply.status);
  }
  if (!reply.ok) throw new Problem(body?.error ?? `the console answered ${reply.status}`, reply.status);
  return body;
}

export const plans = () => ask('/api/plans');
export const drills = () => ask('/api/drills?limit=100');
export const rooms = () => ask('/api/rooms');
export const messages = (platform, channel, person) => ask(`/api/rooms/${encodeURIComponent(platform)}?${new URLSearchParams({ channel, person })}`);
export const drill = (id) => ask(`/api/drills/${encodeURIComponent(id)}`);

// newID is 120 random bits; it names the event, and a repeated one is the same event.
function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}

// send posts one CloudEvent, such as send('command.stop', {drill, reason}), and returns {id, type, drill?}.
export async function send(name, data, subject) {
  const event = {
    specversion: '1.0', id: newID(), source, type: `${prefix}${name}.v1`, time: new Date().toISOString(),
    datacontenttype: 'application/json', data,
  };
  if (subject) event.subject = subject;
  return ask('/events', {
    method: 'POST',
    headers: { 'Content-Type': 'application/cloudevents+json' },
    body: JSON.stringify(event),
  });
}

const post = (path, body) => ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

// say lets a person of a stand-in platform type {person, channel, thread?, text}, and press lets them press {person, channel, message,
// button, seen: its edits}. Both return {status, text?}: how Firedrill answered at once.
export const say = (platform, what) => post(`/api/rooms/${encodeURIComponent(platform)}/say`, what);
export const press = (platform, what) => post(`/api/rooms/${encodeURIComponent(platform)}/press`, what);

// command sends a command on a drill in our own name.
export const command = (name, drill, data = {}) => send(`command.${name}`, { ...data, drill, actor }, drill);

// alarm raises or clears an alarm of the catalogue.
export const alarm = (name, state) =>
  send('signal.alarm', { source: 'local', name, state, reason: `${state === 'firing' ? 'raised' : 'cleared'} on the console`, at: new Date().toISOString() }, name);

// follow calls changed({type, drill, cause, check, reason}) for every event, and online(bool) when the stream comes and goes.
export function follow(changed, online) {
  const stream = new EventSource('/api/stream');
  stream.onopen = () => online(true);
  stream.onerror = () => online(false);
  stream.onmessage = (m) => {
    try {
      changed(JSON.parse(m.data));
    } catch {
      changed({});
    }
  };
  return stream;
}
