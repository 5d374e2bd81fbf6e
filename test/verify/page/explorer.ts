/** How far the explorer has gone, and what held. */

import { explore } from '../../../src/verify/explorer.js';
import { defaultBounds } from '../../../src/verify/bounded-account.js';
import { goals, invariants, stepProperties } from '../../../src/verify/invariants.js';
import { table, type Section } from './section.js';

const none = { ...defaultBounds, sessions: 0, deletions: 0, repeats: 0, subscriptions: 0 };

const searches = {
  'two messages, registrations, a fault, a crash': { ...none, registrations: 2 },
  'a retrieval beside a push, a crash': { ...none, messages: 1, registrations: 1, sessions: 1 },
  'a retrieval, a push, two operations, a crash': {
    ...none,
    ...{ messages: 1, registrations: 1, sessions: 1, operations: 2, faults: 0 },
  },
  'a subscription, a deletion, a crash': {
    ...none,
    ...{ messages: 1, registrations: 0, subscriptions: 1, deletions: 1 },
  },
  'a message passed on, a crash': {
    ...none,
    ...{ messages: 1, registrations: 1, passages: 1, repeats: 1 },
  },
  'a large message passed on, or taken in, a crash': {
    ...none,
    ...{ messages: 0, registrations: 1, passages: 1, offers: 1 },
  },
  'a watched retrieval, a crash': {
    ...none,
    ...{ messages: 1, registrations: 0, sessions: 1, watchers: 2 },
  },
  'an import of two messages, a crash': {
    ...none,
    ...{ messages: 0, registrations: 1, imports: 2, repeats: 1 },
  },
};

export const explorerSection: Section = {
  title: 'Explorer',
  write: () => {
    const rows = Object.entries(searches).map(([name, bounds]) => {
      const { statistics, complete, counterexample } = explore({ bounds, statesMax: 2_000_000 });
      const { states, transitions, crashes, seconds } = statistics;
      const verdict = counterexample ? `violated: ${counterexample.property}` : 'holds';
      const counts = [states, transitions, crashes].map(String);
      return [name, ...counts, `${seconds.toFixed(0)} s`, complete ? verdict : 'cut off'];
    });
    const names: string[] = Object.values(stepProperties);
    for (const { statement } of [...invariants, ...goals]) names.push(statement);
    const head = ['what happens', 'states', 'transitions', 'crashes', 'time', 'verdict'];
    return `\`poste-restante verify explore\` goes through every reachable state of a bounded account: the
production machines and turn, with everything that may happen to them as choices. A counterexample
is the shortest there is; it prints as a ladder and replays from its file.

${table(head, rows)}

In every state:

${names.map((name) => `- ${name}`).join('\n')}`;
  },
};
