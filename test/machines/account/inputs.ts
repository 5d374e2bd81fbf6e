/** What may come to an account in some state: the alphabets of its machines, but for what actors tell each other. */

import type { AccountEvent, Address, Limits, MailboxEvent } from '../../../src/machines/events.js';
import { mailbox as mailboxDefinition, type ActorSnapshot } from '../../../src/machines/index.js';
import { alphabetOf } from '../alphabet.js';
import { limits as facts, noneAccepted, noon, offer } from '../facts.js';
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

/** What may come in a scene. */
export interface Scene {
  readonly name: string;
  /** Instead of those of `accountLimits`. */
  readonly limits?: Partial<Limits>;
  /** How many inputs for the mailbox may come. */
  readonly depth: number;
  /** Which of them may come to a mailbox in this state. */
  asks(mailbox: ActorSnapshot, at: number): readonly MailboxEvent[];
  /** What comes at each step; absent: whatever may come. */
  readonly way?: readonly Step[];
}

/** `push invite.answered`, `time`, `message.received` to the mailbox; `*` at its end for any. */
export interface Step {
  readonly word: string;
  fits(event: AccountEvent, state: Composite): boolean;
}

export const accountLimits: Limits = {
  ...facts,
  quota: { messages: 3, octets: 100_000 },
  forward: { ...facts.forward, mode: 'all' },
};

/** From peers, and from the node; everything else is told by an actor of the account. */
const fromPeers: ReadonlySet<string> = new Set([
  ...['invite.answered', 'invite.failed', 'invite.cancelled', 'ack.received', 'ack.missing'],
  ...['bye.received', 'bye.answered', 'reinvite.received', 'refresh.received'],
  ...['msrp.connected', 'msrp.lost', 'msrp.progress', 'notify.answered', 'notify.failed'],
  ...['forward.answered', 'forward.failed'],
  ...['leg.progressed', 'leg.answered', 'leg.failed', 'leg.lost', 'subscription.withdrawn'],
]);

const forMailbox: ReadonlySet<string> = new Set([
  ...['register.received', 'subscribe.received', 'retrieval.requested', 'conference.requested'],
  ...['deletion.requested', 'settings.received', 'settings.published', 'account.removed'],
  ...['push.requested', 'delivery.paused', 'delivery.resumed', 'requeue.requested'],
]);

const bringing: ReadonlySet<string> = new Set([
  ...['message.received', 'message.recorded', 'message.imported', 'invitation.received'],
]);

/** Where every path begins. */
export const beginning: Composite = firstComposite(noon);

export function inputsOf(state: Composite, scene: Scene): Given[] {
  const step = scene.way?.[state.given];
  if (scene.way && !step) return [];
  const inputs: Given[] = [];
  if (state.timers.size > 0 || durableTimers(state).length > 0) inputs.push({ type: 'time' });
  if (state.rows.size > 0) inputs.push({ type: isIdle(state) ? 'passivate' : 'restart' });
  for (const [address, { snapshot }] of state.actors) {
    const alphabet = alphabetOf(address);
    if (address === 'mailbox' || address.startsWith('ua/') || !alphabet) continue;
    for (const event of [...alphabet.events(snapshot, state.now), ...unwilling(address, state.now)])
      if (fromPeers.has(event.type)) inputs.push({ type: 'event', to: address, event });
  }
  for (const sending of state.sends) inputs.push(...outcomesOf(sending, state.now));
  if (state.asked < scene.depth) inputs.push(...forTheMailbox(state, scene));
  return inputs
    .filter((input) => !step || fits(step, input, state))
    .map((input) => limited(input, scene.limits));
}

function fits({ word, fits: isFit }: Step, input: Given, state: Composite): boolean {
  const words = wordsOfInput(input);
  const isWord = word.endsWith('*') ? words.startsWith(word.slice(0, -1)) : words === word;
  if (!isWord || !('event' in input)) return isWord;
  return isFit(input.event, state);
}

/** The word of a step. */
export function wordsOfInput(input: Given): string {
  if (input.type === 'bring') return input.event.type;
  if (input.type !== 'event') return input.type;
  const kind = input.to.split('/')[0]!;
  return kind === 'mailbox' ? input.event.type : `${kind} ${input.event.type}`;
}

function limited(input: Given, limits: Partial<Limits> | undefined): Given {
  if (limits === undefined || !('event' in input)) return input;
  const { event } = input;
  const more = { ...event, limits: { ...event.limits, ...limits } } as AccountEvent;
  return { ...input, event: more };
}

/** A client that takes none of what we have. */
function unwilling(address: Address, at: number): AccountEvent[] {
  if (!address.startsWith('push/')) return [];
  const answer = { ...offer, ...noneAccepted };
  return [{ type: 'invite.answered', at, limits: accountLimits, status: 200, answer }];
}

function forTheMailbox(state: Composite, scene: Scene): Given[] {
  const snapshot = state.actors.get('mailbox')?.snapshot ?? mailboxDefinition.unborn;
  return scene.asks(snapshot, state.now).flatMap((event): Given[] => {
    if (event.type === 'subscribe.received') return subscriptionsOf(event, state);
    if (forMailbox.has(event.type)) return [{ type: 'event', to: 'mailbox', event }];
    if (!bringing.has(event.type) || 'deferred' in event) return [];
    const brought = broughtTo(state, event);
    return brought ? [{ type: 'bring', event: brought }] : [];
  });
}

/** In the dialog of the alphabet, and in one of its own. */
function subscriptionsOf(
  event: Extract<MailboxEvent, { type: 'subscribe.received' }>,
  { asked }: Composite,
): Given[] {
  const dialog = { ...event.subscribe.dialog, callId: `own${asked}` };
  const own: AccountEvent = { ...event, subscribe: { ...event.subscribe, dialog } };
  return [event, own].map((one) => ({ type: 'event', to: 'mailbox', event: one }));
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

const numbers = new WeakMap<Composite, string>();
let number = 0;

/**
 * What tells accounts apart: the states of their machines, and whether there is anything stored or
 * sent. On a way no two are the same.
 */
export function essenceOf(state: Composite, { way }: Scene): string {
  const { actors, rows, sends, asked } = state;
  if (way) {
    const known = numbers.get(state) ?? String(number++);
    numbers.set(state, known);
    return known;
  }
  const states = [...actors].map(([address, { snapshot }]) => {
    return `${address.split('/')[0]} ${JSON.stringify(snapshot.value)}`;
  });
  const hasMessages = [...rows.keys()].some((name) => name.startsWith('ua '));
  return JSON.stringify([[...new Set(states)].sort(), hasMessages, sends.length > 0, asked]);
}
