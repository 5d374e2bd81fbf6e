/** The mailbox: the front door of an account. It knows availability, quota and who may what. */

import { setup } from 'xstate';
import { effectActions } from './declaration.js';
import type { MailboxEvent } from './events.js';
import {
  availabilityChanges,
  availabilityGuards,
  backOff,
  bindContacts,
  endRetry,
  expireBindings,
  loseClient,
  pushAgain,
  rearmRetry,
  rebindInBurst,
  registerRefusals,
  rest,
  startPush,
} from './mailbox-availability.js';
import { endBridge, endForward, forwardChanges, forwardGuards } from './mailbox-forward.js';
import { emptyMailbox, isVacant, type MailboxContext } from './mailbox-context.js';
import {
  continueDeletion,
  deletionChanges,
  deletionEvents,
  deletionGuards,
} from './mailbox-deletion.js';
import {
  importChanges,
  importGuards,
  importRefusals,
  keepImported,
  tellImportAdded,
} from './mailbox-import.js';
import {
  operationChanges,
  operationEvents,
  operationGuards,
  pushEvents,
  countUnread,
  tellRequeued,
} from './mailbox-operation.js';
import {
  keepRecorded,
  recordedRefusals,
  recordingChanges,
  recordingEvents,
  recordingGuards,
} from './mailbox-recordings.js';
import {
  continueRemoval,
  removalChanges,
  removalEvents,
  removalGuards,
} from './mailbox-removal.js';
import { sessionChanges, sessionEvents, sessionGuards } from './mailbox-sessions.js';
import {
  expirePublications,
  settingsChanges,
  settingsEvents,
  settingsGuards,
} from './mailbox-settings.js';
import {
  ageMessage,
  dropMessage,
  keepMessage,
  refusals,
  refusalsWhenAvailable,
  storageChanges,
  storageGuards,
  tellMessageAdded,
} from './mailbox-storage.js';
import { snapshotAt, unborn, type ActorSnapshot, type AtRest, type Definition } from './step.js';

const mailboxSetup = setup({
  types: { context: {} as MailboxContext, events: {} as MailboxEvent },
  actions: {
    ...effectActions,
    ...storageChanges,
    ...availabilityChanges,
    ...sessionChanges,
    ...deletionChanges,
    ...settingsChanges,
    ...operationChanges,
    ...forwardChanges,
    ...recordingChanges,
    ...removalChanges,
    ...importChanges,
  },
  guards: {
    ...storageGuards,
    ...availabilityGuards,
    ...sessionGuards,
    ...deletionGuards,
    ...settingsGuards,
    ...operationGuards,
    ...forwardGuards,
    ...recordingGuards,
    ...removalGuards,
    ...importGuards,
  },
});

const offline = mailboxSetup.createStateConfig({
  on: {
    'push.requested': pushEvents.offline,
    'message.received': [...refusals, { actions: keepMessage }],
    'message.recorded': [...recordedRefusals, { actions: keepRecorded }],
    'register.received': [...registerRefusals, { actions: bindContacts, target: 'judging' }],
    'timer.expired': { guard: 'isRegistrationTimer', actions: expireBindings },
  },
});

/** Available, and nothing is being pushed. */
const idle = mailboxSetup.createStateConfig({
  on: {
    'message.received': [
      ...refusalsWhenAvailable,
      { actions: keepMessage, target: '#mailbox.judging' }, // D-41: pushed at once
    ],
    'message.recorded': [
      ...recordedRefusals,
      { actions: keepRecorded, target: '#mailbox.judging' },
    ],
    'message.imported': [...importRefusals, { actions: keepImported, target: '#mailbox.judging' }],
    'message.unread': { guard: 'isOld', actions: countUnread, target: '#mailbox.judging' },
  },
});

const pushing = mailboxSetup.createStateConfig({
  on: {
    'push.requested': pushEvents.pushing,
    'message.received': [...refusalsWhenAvailable, { actions: [...keepMessage, tellMessageAdded] }],
    'message.recorded': [...recordedRefusals, { actions: [...keepRecorded, tellMessageAdded] }],
    'message.imported': [...importRefusals, { actions: [...keepImported, tellImportAdded] }],
    'message.unread': { guard: 'isOld', actions: [...countUnread, tellRequeued] },
    'register.received': [
      ...registerRefusals,
      { guard: 'staysAvailable', actions: [...bindContacts, 'renewChance'] },
      { actions: [...bindContacts, ...loseClient], target: '#mailbox.offline' },
    ],
    'push.ended': [
      { guard: 'isOtherPush' },
      { guard: 'isPushFailed', actions: backOff, target: 'backoff' },
      { guard: 'isPushDue', actions: pushAgain },
      { actions: rest, target: 'idle' },
    ],
    'timer.expired': { guard: 'isPushTimer', actions: rearmRetry },
    'session.lost': { actions: ['losePush', 'dropSessions'], target: 'backoff' },
    undelivered: [
      { guard: 'isPushAddressee', actions: 'losePush', target: 'backoff' },
      { actions: 'dropAddressee' },
    ],
  },
});

/** The last push failed, or was lost with the process: the timer `push` brings the next. */
const backoff = mailboxSetup.createStateConfig({
  on: {
    'timer.expired': [
      { guard: 'isRetry', actions: startPush, target: 'pushing' },
      { guard: 'isPushTimer', actions: endRetry, target: 'idle' },
    ],
  },
});

const machine = mailboxSetup.createMachine({
  id: 'mailbox',
  context: emptyMailbox,
  initial: 'offline',
  states: {
    offline,
    available: {
      initial: 'idle',
      states: { idle, pushing, backoff },
      on: {
        'push.requested': pushEvents.available,
        'message.received': [...refusalsWhenAvailable, { actions: keepMessage }],
        'message.recorded': [...recordedRefusals, { actions: keepRecorded }],
        'register.received': [
          ...registerRefusals,
          rebindInBurst,
          { actions: bindContacts, target: '#mailbox.judging' },
        ],
        'timer.expired': [
          { guard: 'isOutlived', actions: expireBindings },
          {
            guard: 'isRegistrationTimer',
            actions: [...expireBindings, ...loseClient],
            target: 'offline',
          },
        ],
      },
    },
    /** D-40, D-41: what the registrations and the messages amount to. */
    judging: {
      always: [
        { guard: 'wantsPush', actions: startPush, target: 'available.pushing' },
        { guard: 'isAvailable', actions: endRetry, target: 'available.idle' },
        { actions: loseClient, target: 'offline' },
      ],
    },
  },
  on: {
    ...sessionEvents,
    ...recordingEvents,
    ...deletionEvents,
    ...settingsEvents,
    ...removalEvents,
    ...operationEvents,
    'message.imported': [...importRefusals, { actions: keepImported }],
    'message.unread': { guard: 'isOld', actions: countUnread },
    'timer.expired': [continueDeletion, expirePublications, ...continueRemoval],
    'forward.ended': endForward,
    'bridge.ended': endBridge,
    'message.gone': dropMessage,
    'message.read': ageMessage,
    'session.lost': { actions: 'dropSessions' },
    undelivered: { actions: 'dropAddressee' },
  },
});

/** The mailbox; a push under way is at rest a back-off, and other sessions are gone by then. */
export const mailbox: Definition = {
  machine,
  unborn: unborn(machine),
  birth: [
    'message.received',
    'invitation.received',
    'message.recorded',
    'register.received',
    'subscribe.received',
    'retrieval.requested',
    'deletion.requested',
    'settings.received',
    'settings.published',
    'conference.requested',
    'delivery.paused',
    'message.imported',
  ],
  rest: restOf,
  revive,
};

const schema = 1;

/** Numbers are stored in steps, so that not every session costs a row; a restart skips the rest. */
const numberStep = 32;

const values = {
  offline: 'offline',
  idle: { available: 'idle' },
  backoff: { available: 'backoff' },
} as const;

type RestState = keyof typeof values;

type RestContext = { -readonly [Name in keyof MailboxContext]?: MailboxContext[Name] };

function restOf(snapshot: ActorSnapshot): AtRest | undefined {
  const context = snapshot.context as MailboxContext;
  const { block, stored, old, counts, octets, bindings, registrationAt } = context;
  const { failures, retryAt, subscriptions } = context;
  const { deleting, postponed, publications } = context;
  if (context === emptyMailbox) return undefined;
  if (context.vacated && block.end === 0 && isVacant(context)) return undefined;
  const number = Math.ceil(context.number / numberStep) * numberStep;
  // Every turn asks for it, and most of the rest is absent most of the time.
  const rest: RestContext = {
    block,
    stored,
    old,
    counts,
    octets,
    bindings,
    registrationAt,
    failures,
    retryAt,
    subscriptions,
    number,
  };
  if (deleting.length > 0) rest.deleting = deleting;
  if (postponed.length > 0) rest.postponed = postponed;
  if (context.deletionAt !== undefined) rest.deletionAt = context.deletionAt;
  if (context.settings.offlineDelivery !== undefined) rest.settings = context.settings;
  if (publications.length > 0) rest.publications = publications;
  if (context.publicationAt !== undefined) rest.publicationAt = context.publicationAt;
  if (context.vacated) rest.vacated = true;
  if (context.paused) rest.paused = true;
  if (context.moved) rest.moved = true;
  if (context.removalAt !== undefined) rest.removalAt = context.removalAt;
  return { schema, state: restState(snapshot), context: rest };
}

function restState(snapshot: ActorSnapshot): RestState {
  const value = snapshot.value as 'offline' | { readonly available: string };
  if (value === 'offline') return 'offline';
  return value.available === 'idle' ? 'idle' : 'backoff';
}

function revive(atRest: AtRest): ActorSnapshot {
  if (atRest.schema !== schema) {
    throw new Error(`MACHINE_SCHEMA_UNKNOWN: mailbox ${atRest.schema}`);
  }
  const context = atRest.context as unknown as Omit<
    MailboxContext,
    'push' | 'foci' | 'recordings' | 'forwards' | 'bridges' | 'untaken' | 'renewed'
  >;
  return snapshotAt(machine, values[atRest.state as RestState], {
    ...emptyMailbox,
    ...context,
    registrationAt: context.registrationAt ?? undefined,
    retryAt: context.retryAt ?? undefined,
  });
}
