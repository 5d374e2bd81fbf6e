/** Properties of the deferred messaging function: what has to hold in every state of an account. */

import { isDeepStrictEqual } from 'node:util';
import type { Address, Counts } from '../machines/events.js';
import type { DeliveryContext } from '../machines/delivery.js';
import { firstSerials, hasSerial } from '../machines/serial-set.js';
import { pushable, wantsPush } from '../machines/mailbox-context.js';
import type { VirtualUaContext } from '../machines/virtual-ua-context.js';
import type { OutboxRow } from '../actors/outbox.js';
import { durableTimers } from './bounded-account.js';
import type { AccountState } from './bounded-account.js';
import { boundedLimits } from './bounded-facts.js';
import {
  inventoryOf,
  isUnanswered,
  mailboxAtRest,
  mailboxOf,
  messagesOf,
  sessionsOf,
  storedSerials,
} from './account-view.js';

/** What holds in every state. */
export interface Invariant {
  readonly name: string;
  readonly statement: string;
  /** What is wrong with the state; undefined: nothing. */
  broken(state: AccountState): string | undefined;
}

/** Names and statements of what is judged while a step is made. */
export const stepProperties = {
  durable: 'What is acknowledged is in the store, with its content.',
  twice: 'A message whose delivery was confirmed is not pushed again.',
  end: 'A message leaves the store delivered, expired or deleted, and in no other way.',
  report: 'A report that is owed is decided once, with the end of its message, and no other is.',
  stops: 'An account never stops: no turn throws or goes on without an end.',
} as const;

/** Message-waiting counts, quota and serials of the mailbox are those of the store. */
const counts: Invariant = {
  name: 'counts',
  statement: 'The mailbox counts what the store has: serials, new and old, by class.',
  broken(state) {
    const inventory = inventoryOf(state);
    for (const [where, mailbox] of [
      ['at rest', mailboxAtRest(state)],
      ['in memory', mailboxOf(state)],
    ] as const) {
      if (mailbox === undefined) {
        if (inventory.stored.length === 0 || where === 'in memory') continue;
        return 'messages are stored, and there is no mailbox';
      }
      for (const field of ['stored', 'old', 'counts', 'octets'] as const) {
        if (isDeepStrictEqual(mailbox[field], inventory[field])) continue;
        const [said, real] = [mailbox[field], inventory[field]].map((one) => JSON.stringify(one));
        return `the mailbox ${where} has ${field} ${said}, the store ${real}`;
      }
    }
    return undefined;
  },
};

/** A row has its content and its timer, and there is no content without a row. */
const whole: Invariant = {
  name: 'whole',
  statement: 'A message at rest has its content and its timer; no content is left without a row.',
  broken(state) {
    const messages = messagesOf(state);
    const { contents, rows } = state.store;
    const serials = new Set(messages.map(({ serial }) => serial));
    const timed = new Set<string>();
    for (const { key } of rows.values()) if (key[0] === 'timer') timed.add(key[2]);
    for (const { serial, expiresAt } of messages) {
      if (!contents.has(serial)) return `ua/${serial} has no content`;
      if (expiresAt !== undefined && !timed.has(`ua/${serial} expiry`)) {
        return `ua/${serial} will never expire`;
      }
    }
    for (const serial of contents) if (!serials.has(serial)) return `content ${serial} is nobody's`;
    return undefined;
  },
};

/** Whoever has a session waits for a timer, for a peer, or for a message that is being sent. */
const waits: Invariant = {
  name: 'waits',
  statement: 'No session waits on nobody, and no message is lent to a session that is not there.',
  broken(state) {
    const { memory } = state;
    if (memory === undefined) return undefined;
    for (const session of sessionsOf(state)) {
      const idle = idleness(state, session);
      if (idle !== undefined) return idle;
    }
    for (const [address, { snapshot }] of memory.actors) {
      if (!address.startsWith('ua/')) continue;
      for (const { session } of (snapshot.context as VirtualUaContext).leases) {
        if (!memory.actors.has(session)) return `${address} is lent to ${session}, who is gone`;
      }
    }
    return undefined;
  },
};

function idleness(state: AccountState, session: Address): string | undefined {
  const { memory, peers } = state;
  if (memory?.timers.has(`${session} wait`) === true) return undefined;
  // The transaction of a MESSAGE ends by itself.
  if (peers.legs.get(`${session} message`) === 'asked') return undefined;
  const { invited = [] } = memory!.actors.get(session)!.snapshot
    .context as Partial<DeliveryContext>;
  if (invited.length === 0) return `${session} has no timer, and nothing is being sent in it`;
  for (const serial of invited) {
    const actor = memory!.actors.get(`ua/${serial}`);
    const { leases = [] } = (actor?.snapshot.context ?? {}) as Partial<VirtualUaContext>;
    if (!leases.some((lease) => lease.session === session)) {
      return `${session} waits for ua/${serial}, which is not lent to it`;
    }
    const isSent = peers.sends.some((send) => send.serial === serial && send.session === session);
    if (!isSent && !memory!.timers.has(`ua/${serial} grace`)) {
      return `${session} waits for ua/${serial}, which nobody will answer`;
    }
  }
  return undefined;
}

/** What the mailbox believes of its sessions is so; after `session.lost` it believes in none. */
const believes: Invariant = {
  name: 'believes',
  statement:
    'Mailbox and focus know the sessions and watchers there are, and no others, also after ' +
    'session.lost.',
  broken(state) {
    const { memory } = state;
    const mailbox = mailboxOf(state);
    if (memory === undefined || mailbox === undefined) return undefined;
    const { push, foci, subscriptions, recordings, forwards, bridges } = mailbox;
    const known: Address[] = [
      ...(push === undefined ? [] : [`push/${push}` as const]),
      ...foci.map((focus) => `focus/${focus}` as const),
      ...subscriptions.map((subscription) => `subscription/${subscription}` as const),
      ...recordings.map((recording) => `recording/${recording}` as const),
      ...forwards.map((forward) => `forward/${forward}` as const),
      ...bridges.map((bridge) => `bridge/${bridge}` as const),
      ...watchersIn(state),
    ];
    for (const address of known) {
      if (!memory.actors.has(address)) return `the mailbox believes in ${address}, who is gone`;
    }
    const value = memory.actors.get('mailbox')!.snapshot.value as { available?: string } | string;
    const isPushing = typeof value === 'object' && value.available === 'pushing';
    if (isPushing && push === undefined) return 'the mailbox is pushing without a push';
    for (const address of memory.actors.keys()) {
      if (!/^(mailbox|push|ua)(\/|$)/.test(address) && !known.includes(address)) {
        return `nobody knows of ${address}`;
      }
    }
    return undefined;
  },
};

/** Whom the focuses tell how their conferences go on. */
function watchersIn({ memory }: AccountState): Address[] {
  return [...memory!.actors].flatMap(([address, { snapshot }]) => {
    if (!address.startsWith('focus/')) return [];
    const { watchers = [] } = snapshot.context as { readonly watchers?: readonly number[] };
    return watchers.map((watcher) => `conference/${watcher}` as const);
  });
}

/** Nothing of the document is under way, so that it has to say what the store has. */
const metadata: Invariant = {
  name: 'metadata',
  statement: 'When no change of metadata is under way, the document names what is stored.',
  broken(state) {
    for (const { key, value } of state.store.rows.values()) {
      if (key[0] === 'outbox' && (value as OutboxRow).effect.type !== 'report.send') {
        return undefined;
      }
    }
    const stored = storedSerials(state).sort((one, other) => one - other);
    const named = [...state.peers.document].sort((one, other) => one - other);
    if (isDeepStrictEqual(stored, named)) return undefined;
    return `the document names ${JSON.stringify(named)}, the store has ${JSON.stringify(stored)}`;
  },
};

/** What holds in every state of an account; a tool may add its own. */
export const invariants: readonly Invariant[] = [counts, whole, waits, believes, metadata];

// ------------------------------------------------------------------------------- liveness

/** What a fair world brings about from every state. */
export interface Goal {
  readonly name: string;
  readonly statement: string;
  reached(state: AccountState): boolean;
  /** Timers that are no way to reach it, for they end what was to be reached. */
  readonly without: (state: AccountState, timer: { of: Address; name: string }) => boolean;
}

/** Any timer may help to reach it. */
const noTimer = (): boolean => false;

export const goals: readonly Goal[] = [
  {
    name: 'ends',
    statement: 'Every message ends: delivered and gone, expired or deleted, and reported.',
    reached: (state) => {
      if (messagesOf(state).length > 0 || isUnanswered(state)) return false;
      return [...state.store.rows.values()].every(({ key }) => key[0] !== 'outbox');
    },
    without: noTimer,
  },
  {
    name: 'closes',
    statement: 'Every session ends, and no message stays lent.',
    reached: (state) => sessionsOf(state).length === 0 && !hasLease(state),
    without: noTimer,
  },
  {
    name: 'pushes',
    statement: 'What is stored while the user is registered is pushed without a new REGISTER.',
    reached: (state) => {
      const mailbox = mailboxOf(state);
      if (mailbox === undefined) return mailboxAtRest(state) === undefined;
      if (!wantsPush(mailbox, state.now, boundedLimits)) return true;
      return firstToPush(state) === undefined || isBeingPushed(state);
    },
    // While a retry is to come, a registration may end before that.
    without: (state, { of, name }) => {
      const ends = name === 'registration' || (name === 'expiry' && of.startsWith('ua/'));
      return ends && !willRetry(state);
    },
  },
  {
    name: 'tells',
    statement: 'Whoever subscribes to message waiting is told the counts as they are.',
    reached: (state) => {
      const mailbox = mailboxOf(state);
      if (mailbox === undefined) return mailboxAtRest(state) === undefined;
      const told = JSON.stringify(mailbox.counts satisfies Counts);
      const over = overdue(state);
      return mailbox.subscriptions.every((number) => {
        const subscription = `subscription/${number}` as const;
        return over.has(subscription) || state.peers.heard.get(subscription) === told;
      });
    },
    without: (_state, { name }) => name === 'expiry',
  },
];

function willRetry(state: AccountState): boolean {
  return durableTimers(state).some(({ of, name }) => of === 'mailbox' && name === 'push');
}

/** Whose time is over, although nobody has looked at the timer yet. */
function overdue(state: AccountState): Set<Address> {
  const due = durableTimers(state).filter(({ name, at }) => name === 'expiry' && at <= state.now);
  return new Set(due.map(({ of }) => of));
}

function hasLease({ memory }: AccountState): boolean {
  for (const [address, { snapshot }] of memory?.actors ?? []) {
    if (!address.startsWith('ua/')) continue;
    if ((snapshot.context as VirtualUaContext).leases.length > 0) return true;
  }
  return false;
}

/** The oldest message that waits to be pushed, those left out that the client would not take. */
function firstToPush(state: AccountState): number | undefined {
  const serials = firstSerials(pushable(mailboxOf(state)!), Infinity);
  return serials.find((serial) => !state.ledger.refused.has(serial));
}

/** That message is in a push, or the push comes to it. */
function isBeingPushed(state: AccountState): boolean {
  const first = firstToPush(state);
  for (const [address, { snapshot }] of state.memory!.actors) {
    if (!address.startsWith('push/') || first === undefined) continue;
    const { todo, invited } = snapshot.context as DeliveryContext;
    if (hasSerial(todo, first) || invited.includes(first)) return true;
  }
  return false;
}
