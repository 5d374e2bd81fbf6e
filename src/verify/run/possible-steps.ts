/** The steps that a path may go on with: what the wire can say, and a server must understand. */

import type { MailboxContext } from '../../machines/mailbox-context.js';
import { mailboxOf } from '../account-view.js';
import type { AccountState } from '../bounded-account.js';
import { messagesIn, nextTimer } from './model.js';
import type { Path } from './play.js';
import { publicationOf, sessionOf, subscriptionOf } from './step-facts.js';
import type { ListEntry, RetrievalFault, Step } from './step.js';

export const retrievalFaults: readonly RetrievalFault[] = [
  'tag',
  'identity',
  'uri',
  'media',
  'account',
];

/** What one path has at most: it stays small enough to be told. */
const most = { submit: 2, register: 3, subscribe: 2, retrieve: 3, publish: 2, delete: 2 } as const;
/** Steps between a message that expires soon and its end: a slow server has to keep up. */
const briefSteps = 3;

/**
 * Left out is what the standard leaves to a server: when a failed push is tried again, what becomes
 * of a message for a user who is available (he may get it at once), and of a retrieval where nothing
 * is stored.
 */
export function possibleSteps(state: AccountState, path: Path): readonly Step[] {
  const mailbox = mailboxOf(state);
  const isBusy = isUnderWay(state);
  const brief = path.findIndex((step) => step.do === 'submit' && step.kind === 'brief');
  const waited = path.some((step) => step.do === 'wait');
  const steps: Step[] = [...answers(state)];
  if (nextTimer(state) && !waited && brief >= 0) {
    if (path.length - brief > briefSteps) return [{ do: 'wait' }];
    steps.push({ do: 'wait' });
  }
  if (hasTrouble(path)) return steps;
  if (!isBusy) steps.push(...submissions(path, mailbox), ...requests(state, path));
  steps.push(...registrations(state, path, mailbox));
  return steps.filter((step) => isLeft(step, path));
}

function isLeft({ do: kind }: Step, path: Path): boolean {
  const limit = (most as Readonly<Record<string, number>>)[kind];
  return limit === undefined || path.filter((step) => step.do === kind).length < limit;
}

/** The tester has refused something: what a server does next is its own affair. */
function hasTrouble(path: Path): boolean {
  return path.some(
    ({ do: kind }) =>
      kind === 'refuse' || kind === 'hang-up' || kind === 'disconnect' || kind === 'reject',
  );
}

function isUnderWay({ peers }: AccountState): boolean {
  return peers.invites.size > 0 || peers.dialogs.size > 0;
}

function answers(state: AccountState): Step[] {
  const { invites, sends } = state.peers;
  if (invites.size > 0) {
    return [
      { do: 'accept', role: 'active' },
      { do: 'accept', role: 'passive' },
      { do: 'refuse', status: 486 },
      { do: 'refuse', status: 603 },
    ];
  }
  if (sessionOf(state) === undefined) return [];
  const ends: Step[] = [{ do: 'hang-up' }, { do: 'disconnect' }];
  if (sends.length === 0) return ends;
  return [{ do: 'take' }, { do: 'reject', status: 413 }, { do: 'reject', status: 415 }, ...ends];
}

/** Only for a user who is away. */
function submissions(path: Path, mailbox: MailboxContext | undefined): Step[] {
  const message = path.filter((step) => step.do === 'submit').length;
  if (mailbox?.bindings.some(({ im }) => im !== false) === true) return [];
  const kinds = message === 0 ? (['plain', 'reports', 'brief', 'zero'] as const) : [];
  const all = [...kinds, ...(message === 1 ? (['urgent', 'reports'] as const) : [])];
  return all.map((kind) => ({ do: 'submit', message, kind }));
}

function registrations(
  { peers }: AccountState,
  path: Path,
  mailbox: MailboxContext | undefined,
): Step[] {
  const isBound = (mailbox?.bindings.length ?? 0) > 0;
  if (peers.dialogs.size > 0) return isBound ? [{ do: 'register', client: 'none' }] : [];
  if (peers.invites.size > 0) return [{ do: 'register', client: 'none' }];
  const last = path.at(-1);
  if (last?.do === 'register' && isBound && last.client === 'im') {
    return [{ do: 'register', client: 'none' }];
  }
  return [
    { do: 'register', client: 'im' },
    { do: 'register', client: 'other' },
    ...(isBound ? [{ do: 'register', client: 'none' } as const] : []),
  ];
}

function requests(state: AccountState, path: Path): Step[] {
  const isWatching = subscriptionOf(state) !== undefined;
  const steps: Step[] = [{ do: 'publish', deliver: false }];
  if (path.some((step) => step.do === 'publish')) {
    steps.push({ do: 'publish', deliver: true });
    if (publicationOf(state) !== undefined) steps.push({ do: 'unpublish' });
  }
  if (isWatching) steps.push({ do: 'refresh' }, { do: 'unsubscribe' });
  else {
    steps.push({ do: 'subscribe' });
    for (const fault of ['event', 'accept', 'identity', 'brief'] as const) {
      steps.push({ do: 'subscribe', fault });
    }
  }
  const stored = messagesIn(state).map(({ message }) => message);
  if (stored.length === 0) return steps;
  const named = stored.filter((message) => isNamed(path, message));
  const lists: (readonly ListEntry[] | undefined)[] = [undefined, ['unknown']];
  for (const message of named) lists.push([message], [message, 'unknown']);
  for (const list of lists) steps.push({ do: 'retrieve', faults: [], ...(list && { list }) });
  for (const fault of retrievalFaults) steps.push({ do: 'retrieve', faults: [fault] });
  for (const entry of [...named, 'unknown' as const]) steps.push({ do: 'delete', entry });
  return steps;
}

/** Its Message-ID is told by the NOTIFY of its arrival: the user was subscribed then. */
function isNamed(path: Path, message: number): boolean {
  let isWatching = false;
  for (const step of path) {
    if (step.do === 'subscribe' && step.fault === undefined) isWatching = true;
    if (step.do === 'unsubscribe') isWatching = false;
    if (step.do === 'submit' && step.message === message) return isWatching;
  }
  return false;
}
