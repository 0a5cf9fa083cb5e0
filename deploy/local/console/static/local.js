// local.js: what the platform shows to one person at the moment of typing or pressing, and does not keep: their own slash command,
// and our answer to it.

const most = 20;

// local keeps such lines for as long as the page is open.
export function local() {
  const lines = [];
  let n = 0;
  return {
    // add notes that something was typed or pressed now. Its answer is filled in when it comes.
    add(s, { text, thread, after }) {
      const before = s.messages.filter((m) => (thread ? m.thread === thread || m.id === thread : !m.thread));
      const entry = {
        id: `local ${n += 1}`, text, thread, at: new Date().toISOString(), person: s.person, channel: s.channel.address,
        known: new Map(s.messages.map((m) => [m.id, m.text])), after: after ?? before.at(-1)?.id, answer: '',
      };
      lines.push(entry);
      if (lines.length > most) lines.shift();
      return entry;
    },
    drop(entry) {
      const i = lines.indexOf(entry);
      if (i >= 0) lines.splice(i, 1);
    },
    // among returns the roots with their replies, our lines in their places.
    among: (s) => threads(s.messages, lines.filter((l) => l.person === s.person && l.channel === s.channel.address)),
  };
}

// shown makes messages of a line: what was typed and what was answered, each unless the platform shows it itself.
function shown(line, messages) {
  const since = messages.filter((m) => line.known.get(m.id) !== m.text);
  const out = [];
  const base = { at: line.at, thread: line.thread, local: true };
  if (line.text && !since.some((m) => !m.bot && m.text.includes(line.text))) {
    out.push({ ...base, id: `${line.id} typed`, from: line.person.name, bot: false, text: line.text });
  }
  if (line.answer && !since.some((m) => m.bot && m.text.includes(line.answer))) {
    out.push({ ...base, id: `${line.id} answered`, from: 'Firedrill', bot: true, text: line.answer, bad: line.bad });
  }
  return out;
}

// threads groups messages under their roots. A message whose root is not there stands by itself.
function threads(messages, lines) {
  const ids = new Set(messages.map((m) => m.id));
  const all = [...messages];
  for (const l of lines) all.splice(placeOf(l, all), 0, ...shown(l, messages));
  const roots = new Map();
  for (const m of all) if (!m.thread || !ids.has(m.thread)) roots.set(m.id, { key: m.id, m, replies: [] });
  for (const m of all) if (!roots.has(m.id)) roots.get(rootOf(m, all, roots))?.replies.push(m);
  return [...roots.values()];
}

// placeOf is behind what a line was the answer to, or by its time where that cannot be seen: whoever looks was somebody else then.
function placeOf(line, all) {
  let at = all.findIndex((m) => m.id === line.after) + 1;
  if (at === 0) at = all.findIndex((m) => new Date(m.at) > new Date(line.at));
  while (at > 0 && at < all.length && all[at].local) at += 1;
  return at < 0 ? all.length : at;
}

// rootOf follows threads to a root, though a platform may name a reply as what is replied to.
function rootOf(m, all, roots) {
  let id = m.thread;
  for (let i = 0; i < 5 && id && !roots.has(id); i += 1) id = all.find((o) => o.id === id)?.thread;
  return id;
}
