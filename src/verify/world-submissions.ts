/** How messages come to a bounded account: as MESSAGE, over MSRP, from another store. */

import type { AccountEvent, Address, MailboxEvent } from '../machines/events.js';
import type { Held } from './bounded-account.js';
import {
  boundedLimits as limits,
  digestOf,
  importFacts,
  invitationFacts,
  largeFacts,
  messageFacts,
  type Origin,
} from './bounded-facts.js';
import type { Choice } from './choice.js';
import { messageAtRest } from './ledger.js';
import type { Ends, Scene } from './scene.js';

/** Serials that a mailbox takes at a time. */
const blockSize = 64;

type Of<Do extends Choice['do']> = Extract<Choice, { readonly do: Do }>;

/** A submission: known as one that came before when the store remembers it (D-18). */
export function submit(
  scene: Scene,
  { message, passed }: Omit<Of<'send' | 'offer'>, 'do'>,
  ends: Ends | undefined,
): void {
  scene.say('sender', 'account', `MESSAGE ${message}`);
  scene.peers.submissions[message] = 'unanswered';
  receive(scene, message, { ...(passed && { forward: { hops: 9 } }) }, ends);
}

type Received = Extract<MailboxEvent, { readonly type: 'message.received' }>;

function receive(
  scene: Scene,
  message: number,
  more: Pick<Received, 'forward' | 'deferred'>,
  ends: Ends | undefined,
): void {
  const event: AccountEvent = {
    ...{ type: 'message.received', at: scene.now, limits, transaction: `message ${message}` },
    ...numbered(scene, message, 'message'),
    ...{ message: messageFacts(message), ...more },
  };
  take(scene, event, digestOf(message), ends);
}

/** INVITE of a sender who has a large message. */
export function offer(
  scene: Scene,
  { message, passed }: Omit<Of<'send' | 'offer'>, 'do'>,
  ends: Ends | undefined,
): void {
  scene.say('sender', 'account', `INVITE ${message}, large message`);
  scene.peers.offers[message] = 'unanswered';
  invite(scene, `offer ${message}`, passed === true, ends);
}

function invite(scene: Scene, transaction: string, passed: boolean, ends: Ends | undefined): void {
  const event: AccountEvent = {
    ...{ type: 'invitation.received', at: scene.now, limits, transaction },
    ...{ invitation: invitationFacts, ...(passed && { forward: { hops: 9, offer: 'o' } }) },
  };
  scene.take('mailbox', event, ends === undefined ? {} : { ends });
}

/** The last octet has come. */
export function record(scene: Scene, of: Address, ends: Ends | undefined): void {
  const message = Number(scene.peers.held.get(of)!.request.split(' ')[1]);
  scene.say('sender', 'account', `the last SEND (${of})`);
  const event: AccountEvent = {
    ...{ type: 'message.recorded', at: scene.now, limits, transaction: `large ${message}` },
    ...{ recording: Number(of.split('/')[1]), message: largeFacts(message) },
    ...numbered(scene, message, 'offer'),
  };
  take(scene, event, digestOf(message, 'offer'), ends);
}

/** U26: the operator moves a mailbox here. */
export function bringFromElsewhere(
  scene: Scene,
  { message, read }: Of<'import'>,
  ends: Ends | undefined,
): void {
  const imported = importFacts(message, read, scene.now);
  scene.say('operator', 'account', `import ${message}${read ? ', read' : ''}`);
  scene.peers.imports[message] = 'unanswered';
  const event: AccountEvent = {
    ...{ type: 'message.imported', at: scene.now, limits, transaction: `import ${message}` },
    ...{ imported, message: imported.message, ...numbered(scene, message, 'import') },
  };
  take(scene, event, digestOf(message, 'import'), ends);
}

/** D-12: nobody was reached, so that it is kept here after all. */
export function deferHeld(scene: Scene, by: Address, { request, at }: Held, late: boolean): void {
  const [kind, number] = request.split(' ') as [string, string];
  scene.say('account', 'account', `kept here after all: ${request}`);
  if (kind === 'offer') {
    invite(scene, request, false, undefined);
    return;
  }
  const forward = Number(by.slice(by.indexOf('/') + 1));
  const deferred = { receivedAt: at, ...(late && { forward }) };
  receive(scene, Number(number), { deferred }, undefined);
}

function take(scene: Scene, event: AccountEvent, octets: string, ends: Ends | undefined): void {
  const payload = Buffer.from(octets);
  scene.take('mailbox', event, { payload, ...(ends !== undefined && { ends }) });
}

/** What the account finds out about a submission. */
function numbered(scene: Scene, message: number, origin: Origin) {
  const from = 1 + scene.ledger.blocks * blockSize;
  const block = { from, to: from + blockSize - 1 };
  return { duplicate: isRemembered(scene, digestOf(message, origin)), block };
}

function isRemembered({ rows, peers }: Scene, digest: string): boolean {
  if (peers.taken.has(digest)) return true;
  for (const { key, value } of rows.values()) {
    if (key[0] === 'seen' && key[2] === digest) return true;
    if (key[0] === 'ua' && messageAtRest(value).message.digest === digest) return true;
  }
  return false;
}
