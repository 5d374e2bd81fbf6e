/** What may come to an account in some state: the alphabets of its machines, but for what actors tell each other. */

import type { AccountEvent, Address, Limits } from '../../../src/machines/events.js';
import { mailbox as mailboxDefinition } from '../../../src/machines/index.js';
import { alphabets, type Alphabet } from '../alphabet.js';
import { limits as facts, noon } from '../facts.js';
import { durableTimers, firstComposite, type Composite, type Sending } from './composite.js';

/** An input of an account, as generators choose it. */
export type Given =
  | { readonly type: 'event'; readonly to: Address; readonly event: AccountEvent }
  /** What may bring a message: serials and repetition are the account's to know. */
  | { readonly type: 'bring'; readonly event: AccountEvent }
  /** The next timer runs out. */
  | { readonly type: 'time' }
  /** The process dies, and the account is loaded again. */
  | { readonly type: 'restart' }
  /** An account with nothing under way leaves memory, and is loaded again. */
  | { readonly type: 'passivate' };

/** Which inputs for the mailbox a scene offers, and how many of them may come. */
export interface Scene {
  readonly name: string;
  readonly depth: number;
  offers(event: AccountEvent): boolean;
}

export const accountLimits: Limits = {
  ...facts,
  quota: { messages: 3, octets: 100_000 },
  forward: { ...facts.forward, mode: 'all' },
};

/** From peers; everything else is told by an actor of the account. */
const fromPeers: ReadonlySet<string> = new Set([
  ...['invite.answered', 'invite.failed', 'invite.cancelled', 'ack.received', 'ack.missing'],
  ...['bye.received', 'bye.answered', 'reinvite.received', 'refresh.received'],
  ...['msrp.connected', 'msrp.lost', 'msrp.progress', 'notify.answered', 'notify.failed'],
  ...['forward.answered', 'forward.failed'],
  ...['leg.progressed', 'leg.answered', 'leg.failed', 'leg.lost'],
]);

const forMailbox: ReadonlySet<string> = new Set([
  ...['register.received', 'subscribe.received', 'retrieval.requested', 'conference.requested'],
  ...['deletion.requested', 'settings.received', 'settings.published', 'account.removed'],
  ...['push.requested', 'delivery.paused', 'delivery.resumed', 'requeue.requested'],
]);

const bringing: ReadonlySet<string> = new Set([
  ...['message.received', 'message.recorded', 'message.imported', 'invitation.received'],
]);

const [mailboxAlphabet] = alphabets as [Alphabet];

/** Where every path begins. */
export const beginning: Composite = firstComposite(noon);

export function inputsOf(state: Composite, scene: Scene): Given[] {
  const inputs: Given[] = [];
  if (state.timers.size > 0 || durableTimers(state).length > 0) inputs.push({ type: 'time' });
  if (state.rows.size > 0) inputs.push({ type: isIdle(state) ? 'passivate' : 'restart' });
  for (const [address, { snapshot }] of state.actors) {
    const alphabet = alphabetOf(address);
    if (address === 'mailbox' || address.startsWith('ua/') || !alphabet) continue;
    for (const event of alphabet.events(snapshot, state.now)) {
      if (fromPeers.has(event.type)) inputs.push({ type: 'event', to: address, event });
    }
  }
  for (const sending of state.sends) inputs.push(...outcomesOf(sending, state.now));
  if (state.asked < scene.depth) inputs.push(...forTheMailbox(state, scene));
  return inputs;
}

function forTheMailbox(state: Composite, scene: Scene): Given[] {
  const snapshot = state.actors.get('mailbox')?.snapshot ?? mailboxDefinition.unborn;
  return mailboxAlphabet.events(snapshot, state.now).flatMap((event): Given[] => {
    if (!scene.offers(event)) return [];
    if (forMailbox.has(event.type)) return [{ type: 'event', to: 'mailbox', event }];
    if (!bringing.has(event.type) || 'deferred' in event) return [];
    const brought = broughtTo(state, event);
    return brought ? [{ type: 'bring', event: brought }] : [];
  });
}

/** A message of its own, or one that was there before. */
function broughtTo(state: Composite, event: AccountEvent): AccountEvent | undefined {
  const {
    block: _,
    duplicate,
    message,
    ...rest
  } = event as AccountEvent & {
    readonly block?: unknown;
    readonly duplicate?: boolean;
    readonly message?: object;
  };
  if (!message) return event;
  const digest = duplicate === true ? state.digests[0] : `d${state.asked}`;
  return digest === undefined
    ? undefined
    : ({ ...rest, message: { ...message, digest } } as unknown as AccountEvent);
}

function outcomesOf({ serial, session }: Sending, at: number): Given[] {
  const of = { at, limits: accountLimits, session };
  return [
    ...[200, 415, 408].map((status) => ({ ...of, type: 'msrp.sent', status }) as const),
    ...[200, 413].map((status) => ({ ...of, type: 'msrp.reported', status }) as const),
  ].map((event) => ({ type: 'event', to: `ua/${serial}`, event }));
}

/** ADR 0004: nothing is in memory that the store does not have. */
export function isIdle({ actors, timers }: Composite): boolean {
  if (timers.size > 0) return false;
  return [...actors.keys()].every((address) => /^(mailbox$|subscription\/)/.test(address));
}

function alphabetOf(address: Address): Alphabet | undefined {
  const kind = address.split('/')[0]!;
  return alphabets.find(({ name }) => name === (kind === 'ua' ? 'virtual-ua' : kind));
}

/** What tells accounts apart: the states of their machines, and whether there is anything stored or sent. */
export function essenceOf({ actors, rows, sends, asked }: Composite): string {
  const states = [...actors].map(([address, { snapshot }]) => {
    return `${address.split('/')[0]} ${JSON.stringify(snapshot.value)}`;
  });
  const hasMessages = [...rows.keys()].some((name) => name.startsWith('ua '));
  return JSON.stringify([[...new Set(states)].sort(), hasMessages, sends.length > 0, asked]);
}
