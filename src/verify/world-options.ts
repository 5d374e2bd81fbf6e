/** What the world may do next with a bounded account: choices, and the bounds they take from. */

import type { Address } from '../machines/events.js';
import type { AccountState, Bounds, Submission, VolatileTimer } from './bounded-account.js';
import { durableTimers } from './bounded-account.js';
import { isBound, isUnanswered, mailboxOf, storedSerials } from './account-view.js';
import type { OutboxRow } from '../actors/outbox.js';
import type { Act, Option } from './choice.js';
import { passagesOf } from './world-passages.js';

/** Every choice in this state. */
export function optionsOf(state: AccountState): Option[] {
  if (state.memory === undefined) return withoutMemory(state);
  const asked = [...submittedTo(state), ...askedFor(state)];
  const options: Option[] = [...asked, ...answersOf(state), ...timersOf(state)];
  options.push(...outboxOf(state));
  const possible = options.filter(({ spends }) => isLeft(state, spends));
  if (state.peers.left.crashes === 0) return possible;
  const cut = possible.flatMap((option) => cutShort(state, option));
  const idle: Act[] = isIdle(state) ? [{ do: 'passivate' }] : [];
  const ends = [{ do: 'crash' } as const, ...idle];
  return [...possible, ...cut, ...ends.map((choice): Option => ({ choice, spends: 'crashes' }))];
}

function isLeft({ peers }: AccountState, bound: keyof Bounds | undefined): boolean {
  return bound === undefined || peers.left[bound] > 0;
}

/** The process dies right behind the commit, or the commit fails. */
function cutShort(state: AccountState, { choice, spends }: Option): Option[] {
  if (choice.do === 'disconnect' || choice.do === 'bind') return [];
  // Both together have to be left.
  const { left } = state.peers;
  if (spends === 'crashes' && left.crashes < 2) return [];
  return (['crash', 'fail'] as const).map((then): Option => ({
    choice: { ...choice, then },
    ...(spends && { spends }),
  }));
}

function withoutMemory(state: AccountState): Option[] {
  const options: Option[] = [{ choice: { do: 'load', later: false } }];
  const due = durableTimers(state).some(({ at }) => at > state.now);
  if (due) options.push({ choice: { do: 'load', later: true } });
  return options;
}

/** What a sender without an answer does again, and otherwise nobody is obliged to. */
function submittedTo({ peers }: AccountState): Option[] {
  const { submissions, offers, imports, held, left } = peers;
  const options: Option[] = [];
  const under = new Set([...held.values()].map(({ request }) => request));
  const each = (all: readonly Submission[], bound: keyof Bounds, act: (n: number) => Act[]) => {
    // Which of those that were not sent comes next makes no difference.
    const first = all.indexOf('unsent');
    all.forEach((submission, n) => {
      if (submission === 'unsent' && n !== first) return;
      const again = submission === 'unanswered' ? {} : { spends: 'repeats' as const };
      const spends = submission === 'unsent' ? { spends: bound } : again;
      for (const choice of act(n)) options.push({ choice, ...spends });
    });
  };
  const passable = (act: Extract<Act, { readonly do: 'send' | 'offer' }>): Act[] =>
    left.passages > 0 ? [act, { ...act, passed: true }] : [act];
  each(submissions, 'messages', (message) => passable({ do: 'send', message }));
  each(offers, 'offers', (message) =>
    under.has(`offer ${message}`) ? [] : passable({ do: 'offer', message }),
  );
  each(imports, 'imports', (message) =>
    [true, false].map((read) => ({ do: 'import', message, read })),
  );
  return options;
}

/** What nobody is obliged to do. */
function askedFor(state: AccountState): Option[] {
  const { heard } = state.peers;
  const options: Option[] = [];
  options.push({ choice: { do: 'register' }, spends: 'registrations' });
  if (isBound(state)) options.push({ choice: { do: 'deregister' }, spends: 'registrations' });
  if (heard.size < 2) options.push({ choice: { do: 'subscribe' }, spends: 'subscriptions' });
  options.push({ choice: { do: 'retrieve' }, spends: 'sessions' });
  for (const serial of storedSerials(state)) {
    options.push({ choice: { do: 'delete', serial }, spends: 'deletions' });
    options.push({ choice: { do: 'requeue', serial }, spends: 'operations' });
  }
  const isPaused = mailboxOf(state)?.paused === true;
  const others = [isPaused ? 'resume' : 'pause', 'push-at-once'] as const;
  for (const operation of others) options.push({ choice: { do: operation }, spends: 'operations' });
  for (const of of mailboxOf(state)?.foci ?? []) {
    options.push({ choice: { do: 'watch', of: `focus/${of}` }, spends: 'watchers' });
  }
  return options;
}

/** What peers owe an answer to, and how else they may answer. */
function answersOf(state: AccountState): Option[] {
  const { peers } = state;
  const options = passagesOf(state);
  const fair = (choice: Act): unknown => options.push({ choice });
  const fault = (choice: Act): unknown => options.push({ choice, spends: 'faults' });
  for (const of of peers.invites) {
    fair({ do: 'invite', of, outcome: 'accepted' });
    for (const outcome of ['refused', 'failed', 'unusable'] as const) {
      fault({ do: 'invite', of, outcome });
    }
    if (!peers.media.has(of)) fault({ do: 'bind', of });
  }
  for (const of of peers.unacknowledged) {
    fair({ do: 'ack', of });
    fault({ do: 'no-ack', of });
  }
  for (const [of, media] of peers.media) {
    if (media === 'waiting') fair({ do: 'bind', of });
    else if (isSending(state, of)) fair({ do: 'record', of });
    fault({ do: 'disconnect', of });
  }
  for (const of of peers.dialogs) fault({ do: 'hang-up', of });
  for (const of of peers.byes) fair({ do: 'bye-answered', of });
  for (const { serial, session: of, answered, successReport } of peers.sends) {
    const message = { serial, of };
    if (!answered) {
      fair({ do: 'answer', ...message, status: 200 });
      for (const status of [408, 413, 415]) fault({ do: 'answer', ...message, status });
    } else if (successReport) {
      fair({ do: 'report', ...message, status: 200 });
      fault({ do: 'report', ...message, status: 413 });
    }
  }
  for (const of of peers.notifies.keys()) {
    fair({ do: 'notify', of, outcome: 'answered' });
    fault({ do: 'notify', of, outcome: 'refused' });
    fault({ do: 'notify', of, outcome: 'failed' });
  }
  return options;
}

/** A large message is coming in. */
function isSending({ peers }: AccountState, of: Address): boolean {
  const [kind, offer] = peers.held.get(of)?.request.split(' ') ?? [];
  return kind === 'offer' && peers.offers[Number(offer)] === 'unanswered';
}

/** Time goes on while nobody owes an answer; while somebody does, that is a fault. */
function timersOf(state: AccountState): Option[] {
  const all = timersAt(state);
  const due = all.filter(({ at }) => at <= state.now);
  const first = Math.min(...all.map(({ at }) => at));
  const next = due.length > 0 ? due : all.filter(({ at }) => at === first);
  const isSlow = due.length === 0 && isOwed(state);
  return next.map(({ of, name }): Option => ({
    choice: { do: 'timer', of, name },
    ...(isSlow && { spends: 'faults' as const }),
  }));
}

/** Every timer that is set. */
export function timersAt(state: AccountState): VolatileTimer[] {
  return [...durableTimers(state), ...(state.memory?.timers.values() ?? [])];
}

/** Somebody owes the account an answer, or it owes something to somebody. */
function isOwed(state: AccountState): boolean {
  const { invites, unacknowledged, media, byes, sends, notifies, legs } = state.peers;
  if (isUnanswered(state)) return true;
  if ([...legs.values()].some((leg) => leg !== 'open')) return true;
  if ([invites, unacknowledged, byes, notifies].some(({ size }) => size > 0)) return true;
  if ([...media.values()].includes('waiting')) return true;
  if (sends.some(({ answered, successReport }) => !answered || successReport)) return true;
  return heads(state).length > 0;
}

/** Effects of one target are done in order: reports, and the document of metadata. */
function heads({ store }: AccountState): number[] {
  const numbers: number[] = [];
  const targets = new Set<string>();
  const rows = [...store.rows.values()].filter(({ key }) => key[0] === 'outbox');
  rows.sort((one, other) => Number(one.key[1]) - Number(other.key[1]));
  for (const { key, value } of rows) {
    const { effect } = value as OutboxRow;
    const target = effect.type === 'report.send' ? 'report' : 'history';
    if (targets.has(target)) continue;
    targets.add(target);
    numbers.push(Number(key[1]));
  }
  return numbers;
}

function outboxOf(state: AccountState): Option[] {
  return heads(state).map((number): Option => ({ choice: { do: 'outbox', number } }));
}

/** Nothing is here that the store does not have. */
function isIdle({ memory }: AccountState): boolean {
  if (memory === undefined || memory.timers.size > 0) return false;
  return [...memory.actors.keys()].every(
    (address: Address) => address === 'mailbox' || address.startsWith('subscription/'),
  );
}
