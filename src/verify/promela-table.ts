/**
 * The one table by which machines become Promela: which actors take part, which bounded variables
 * stand for their contexts, what is left out of them, and what the world may say.
 */

import type { FocusContext } from '../machines/focus.js';
import {
  focus,
  mailbox,
  push,
  virtualUa,
  type AccountEvent,
  type Definition,
} from '../machines/index.js';
import type { MailboxContext } from '../machines/mailbox-context.js';
import type { PushContext } from '../machines/push-context.js';
import { noOutcomes } from '../machines/focus-conference.js';
import { hasSerial } from '../machines/serial-set.js';
import type { VirtualUaContext } from '../machines/virtual-ua-context.js';
import { early, late, messages } from './promela-bounds.js';
import { mailboxWorld, sessionWorld, virtualUaWorld, wordOf } from './promela-events.js';
import type { Scenario } from './promela-scenarios.js';

export type ActorName = 'mailbox' | 'push' | 'focus' | 'ua';

export interface ActorTable {
  readonly name: ActorName;
  readonly definition: Definition;
  /** The bounded variables that stand for the context. */
  readonly variables: (context: never) => Readonly<Record<string, number>>;
  /** The same context without what grows, such as numbers of sessions that are never used twice. */
  readonly canonical: (context: never) => object;
  /** What the world may tell it, by its context. */
  readonly world: (context: never, now: number) => readonly AccountEvent[];
}

const dayMs = 86_400_000;

const bit = (holds: boolean): number => (holds ? 1 : 0);

function countBySerial(name: string, count: (serial: number) => number): Record<string, number> {
  return Object.fromEntries(messages.map((serial) => [`${name}${serial}`, count(serial)]));
}

function bySerial(name: string, holds: (serial: number) => boolean): Record<string, number> {
  return countBySerial(name, (serial) => bit(holds(serial)));
}

/** A timer is set or it is not: the world lets it run out whenever it likes. */
function whenSet(at: number | undefined): number | undefined {
  return at === undefined ? undefined : early;
}

const mailboxTable: ActorTable = {
  name: 'mailbox',
  definition: mailbox,
  variables: (context: MailboxContext) => ({
    taken: context.block.next - 1,
    ...bySerial('stored', (serial) => hasSerial(context.stored, serial)),
    ...bySerial('old', (serial) => hasSerial(context.old, serial)),
    ...bySerial('untaken', (serial) => hasSerial(context.untaken, serial)),
    ...bySerial('deleting', (serial) => hasSerial(context.deleting, serial)),
    ...bySerial('postponed', (serial) => hasSerial(context.postponed, serial)),
    bound: bit(context.bindings.length > 0),
    push: bit(context.push !== undefined),
    renewed: bit(context.renewed),
    focus: bit(context.foci.length > 0),
    retry: bit(context.retryAt !== undefined),
    deletion: bit(context.deletionAt !== undefined),
  }),
  canonical: (context: MailboxContext) => ({
    ...context,
    failures: 0,
    number: 3,
    push: context.push === undefined ? undefined : 1,
    foci: context.foci.length === 0 ? [] : [2],
    retryAt: whenSet(context.retryAt),
    deletionAt: whenSet(context.deletionAt),
    registrationAt: context.registrationAt === undefined ? undefined : late + dayMs,
    bindings: context.bindings.map((binding) => ({
      ...binding,
      ...{ callId: 'before', cseq: 1, at: early, expiresAt: late + dayMs },
    })),
  }),
  world: mailboxWorld,
};

const virtualUaTable: ActorTable = {
  name: 'ua',
  definition: virtualUa,
  variables: ({ leases = [], read, doomed }: Partial<VirtualUaContext>) => {
    const lease = (kind: string): number => {
      const found = leases.find(({ session }) => session.startsWith(kind));
      if (found === undefined) return 0;
      return found.graceAt === undefined ? 1 : 2;
    };
    return {
      lease_push: lease('push'),
      lease_focus: lease('focus'),
      read: bit(read === true),
      doomed: ['none', 'user', 'delivered'].indexOf(doomed ?? 'none'),
    };
  },
  canonical: (context: Partial<VirtualUaContext>) => ({
    ...context,
    ...(context.timerAt !== undefined && { timerAt: early }),
    ...(context.leases !== undefined && {
      leases: context.leases
        .map((lease) => ({
          ...lease,
          session: lease.session.startsWith('push') ? 'push/1' : 'focus/2',
          graceAt: whenSet(lease.graceAt),
        }))
        .sort((one, other) => (one.session < other.session ? -1 : 1)),
    }),
  }),
  world: virtualUaWorld,
};

function session({ todo = [], invited = [], failed = [], waitAt }: Partial<PushContext>) {
  return {
    ...bySerial('todo', (serial) => hasSerial(todo, serial)),
    // Told of one message twice, a session would invite it twice.
    ...countBySerial('invited', (serial) => invited.filter((other) => other === serial).length),
    ...bySerial('failed', (serial) => hasSerial(failed, serial)),
    wait: bit(waitAt !== undefined),
  };
}

function canonicalSession(context: Partial<PushContext>) {
  if (context.invited === undefined) return context;
  const invited = [...context.invited].sort((one, other) => one - other);
  return { ...context, delivered: 0, invited, waitAt: whenSet(context.waitAt) };
}

const pushTable: ActorTable = {
  name: 'push',
  definition: push,
  variables: (context: Partial<PushContext>) => ({
    ...session(context),
    bound: bit(context.bound === true),
    outcome: bit(context.outcome === 'failed'),
  }),
  canonical: canonicalSession,
  world: (_context: Partial<PushContext>, now) => sessionWorld('push', now),
};

const focusTable: ActorTable = {
  name: 'focus',
  definition: focus,
  variables: (context: Partial<FocusContext>) => ({
    ...session(context),
    empty: bit(context.empty === true),
  }),
  // What its watchers are told is theirs; the model has none.
  canonical: (context: Partial<FocusContext>) => ({
    ...canonicalSession(context),
    ...(context.answered !== undefined && { answered: [] }),
    ...(context.outcomes !== undefined && { outcomes: noOutcomes }),
  }),
  world: (_context: Partial<FocusContext>, now) => sessionWorld('focus', now),
};

/** Who takes part. A mutated definition may stand in for its actor. */
export function actorTables(
  scenario: Scenario,
  replaced: Partial<Record<ActorName, Definition>> = {},
): readonly ActorTable[] {
  return [mailboxTable, virtualUaTable, pushTable, focusTable].map((table) => ({
    ...table,
    definition: replaced[table.name] ?? table.definition,
    world: (context, now) =>
      table.world(context, now).filter((event) => isPartOf(scenario, table.name, event)),
  }));
}

/** What the world does not do in this scenario need not be met. */
function isPartOf(
  { messages: count, retrievals, deletions }: Scenario,
  actor: ActorName,
  event: AccountEvent,
): boolean {
  if (retrievals === 0 && actor === 'focus') return false;
  switch (event.type) {
    case 'message.received':
      return wordOf(event).argument <= count;
    case 'retrieval.requested':
      return retrievals > 0;
    case 'deletion.requested':
      return deletions > 0;
    case 'timer.expired':
      return event.name !== 'deletion' || deletions > 0;
    case 'msrp.sent':
    case 'msrp.reported':
      return retrievals > 0 || event.session.startsWith('push/');
    default:
      return true;
  }
}
