/** A bounded account as a value: what the store has, what memory has, and the world around it. */

import type { AccountEvent, Address } from '../machines/events.js';
import type { Definition } from '../machines/index.js';
import type { Row } from '../ports.js';
import type { Actor } from '../actors/turn.js';
import { beginning, boundedLimits } from './bounded-facts.js';

/** How often the world may do what nobody obliges it to. */
export interface Bounds {
  /** Messages that are submitted. */
  readonly messages: number;
  /** REGISTERs, those that end a registration included. */
  readonly registrations: number;
  /** Retrievals by the client. */
  readonly sessions: number;
  readonly subscriptions: number;
  readonly deletions: number;
  /** What an operator does: pause, resume, push at once, requeue. */
  readonly operations: number;
  /** The process dies, a commit fails, or an idle account leaves memory. */
  readonly crashes: number;
  /** A peer refuses, is slow, or is not heard of any more. */
  readonly faults: number;
  /** Submissions that come again although they were answered, durable effects done twice. */
  readonly repeats: number;
  /** Submissions and offers that may be passed on to a user who is there. */
  readonly passages: number;
  /** Large messages that somebody offers. */
  readonly offers: number;
  /** Subscriptions to the conference of a retrieval. */
  readonly watchers: number;
  /** Messages that come from another store. */
  readonly imports: number;
}

export const defaultBounds: Bounds = {
  messages: 2,
  registrations: 2,
  sessions: 1,
  subscriptions: 0,
  deletions: 1,
  operations: 0,
  crashes: 1,
  faults: 1,
  repeats: 1,
  passages: 0,
  offers: 0,
  watchers: 0,
  imports: 0,
};

/** Where the machine behind an address comes from. */
export type DefinitionOf = (address: Address) => Definition;

/** Rows by their key as text, and the serials whose content is kept. */
export interface StoreImage {
  readonly rows: ReadonlyMap<string, Row>;
  readonly contents: ReadonlySet<number>;
}

export interface VolatileTimer {
  readonly of: Address;
  readonly name: string;
  readonly at: number;
}

/** The account in memory. */
export interface Memory {
  readonly actors: ReadonlyMap<Address, Actor>;
  readonly timers: ReadonlyMap<string, VolatileTimer>;
}

/** A SEND that the client has. */
export interface Sending {
  readonly serial: number;
  readonly session: Address;
  /** Answered 200; the REPORT is to come. */
  readonly answered: boolean;
  readonly successReport: boolean;
}

/** What the sender of a message knows of it. */
export type Submission = 'unsent' | 'unanswered' | 'acknowledged' | 'declined';

/** A request that an actor was made for, by its transaction, and when it came. */
export interface Held {
  readonly request: string;
  readonly at: number;
}

/** What goes on in a dialog of a request that was passed on. */
export type LegState = 'asked' | 'open' | 'ending';

/** Whoever talks to the account, and what they have heard from it. */
export interface Peers {
  readonly submissions: readonly Submission[];
  /** The same of large messages. */
  readonly offers: readonly Submission[];
  /** Messages from another store. */
  readonly imports: readonly Submission[];
  readonly held: ReadonlyMap<Address, Held>;
  /** By actor and leg; a MESSAGE has the leg `message`. */
  readonly legs: ReadonlyMap<string, LegState>;
  /** Digests of messages that the user has taken; nobody knows of them after a crash. */
  readonly taken: ReadonlySet<string>;
  /** INVITEs of ours without a final response. */
  readonly invites: ReadonlySet<Address>;
  readonly dialogs: ReadonlySet<Address>;
  /** 2xx of ours without ACK. */
  readonly unacknowledged: ReadonlySet<Address>;
  readonly media: ReadonlyMap<Address, 'waiting' | 'bound'>;
  readonly sends: readonly Sending[];
  /** BYEs of ours without a final response. */
  readonly byes: ReadonlySet<Address>;
  /** NOTIFYs under way, with the counts in them. */
  readonly notifies: ReadonlyMap<Address, string>;
  /** The counts that a subscriber has been told last. */
  readonly heard: ReadonlyMap<Address, string>;
  /** Serials in the document of an external XDMS. */
  readonly document: ReadonlySet<number>;
  /** Reports that the senders have got, by their token. */
  readonly reports: ReadonlySet<string>;
  /** What is left of the bounds. */
  readonly left: Bounds;
}

/** What really happened, kept beside the account to judge it by. */
export interface Ledger {
  /** Messages whose delivery was confirmed, durably. */
  readonly confirmed: ReadonlySet<number>;
  /** Messages whose deletion was accepted, durably. */
  readonly deleted: ReadonlySet<number>;
  /** Messages that the client would not take in this registration (D-47). */
  readonly refused: ReadonlySet<number>;
  /** Reports that were decided, durably, by serial and disposition. */
  readonly reports: ReadonlyMap<string, number>;
  /** Submissions whose message has left the store, by digest. */
  readonly gone: ReadonlySet<string>;
  /** Blocks of serials that were taken. */
  readonly blocks: number;
  /** REGISTERs and SUBSCRIBEs that were sent. */
  readonly requests: number;
  /** Numbers of outbox rows that were given. */
  readonly outbox: number;
}

export interface AccountState {
  readonly now: number;
  readonly store: StoreImage;
  /** Undefined: the process has died, or the account was passivated. */
  readonly memory: Memory | undefined;
  readonly peers: Peers;
  readonly ledger: Ledger;
}

/** Before anything has happened. */
export function firstState(bounds: Bounds): AccountState {
  return {
    now: beginning,
    store: { rows: new Map(), contents: new Set() },
    memory: { actors: new Map(), timers: new Map() },
    peers: {
      submissions: Array.from({ length: bounds.messages }, () => 'unsent'),
      offers: Array.from({ length: bounds.offers }, () => 'unsent'),
      imports: Array.from({ length: bounds.imports }, () => 'unsent'),
      held: new Map(),
      legs: new Map(),
      taken: new Set(),
      invites: new Set(),
      dialogs: new Set(),
      unacknowledged: new Set(),
      media: new Map(),
      sends: [],
      byes: new Set(),
      notifies: new Map(),
      heard: new Map(),
      document: new Set(),
      reports: new Set(),
      left: bounds,
    },
    ledger: {
      confirmed: new Set(),
      deleted: new Set(),
      refused: new Set(),
      reports: new Map(),
      gone: new Set(),
      blocks: 0,
      requests: 0,
      outbox: 0,
    },
  };
}

/** A durable timer that is set. */
export function durableTimers({ store }: AccountState): VolatileTimer[] {
  const timers: VolatileTimer[] = [];
  for (const { key } of store.rows.values()) {
    if (key[0] !== 'timer') continue;
    const [of = '', name = ''] = key[2].split(' ');
    timers.push({ of: of as Address, name, at: key[1] });
  }
  return timers;
}

/** The event that says that a timer has run out; names of timers belong to who has set them. */
export function expiryEvent(name: string, at: number): AccountEvent {
  return { type: 'timer.expired', at, name, limits: boundedLimits } as AccountEvent;
}
