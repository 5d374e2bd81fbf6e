/** What effects do to the world around a bounded account. */

import type { Effect, SipRespond } from '../machines/effects.js';
import type { Address } from '../machines/events.js';
import { digestOf, type Origin } from './bounded-facts.js';
import { messageAtRest } from './ledger.js';
import type { Party, Scene } from './scene.js';
import { endLeg } from './world-passages.js';
import { deferHeld } from './world-submissions.js';

/** Performs an effect: its commit is done. */
export function performEffect(scene: Scene, by: Address, effect: Effect): void {
  const { peers } = scene;
  switch (effect.type) {
    case 'sip.respond':
      respond(scene, effect);
      return;
    case 'sip.invite':
      peers.invites.add(by);
      scene.say('account', 'client', `INVITE (${by})`);
      return;
    case 'sip.accept':
      hold(scene, by);
      peers.unacknowledged.add(by);
      peers.dialogs.add(by);
      scene.say('account', 'client', `200 to INVITE (${by})`);
      return;
    case 'sip.forward':
    case 'sip.pass':
    case 'message.passed':
    case 'message.defer':
      performPassage(scene, by, effect);
      return;
    case 'msrp.confirm':
      confirm(scene, effect);
      return;
    case 'sip.bye':
      if (effect.leg === undefined) endDialog(scene, by);
      else endLeg(scene, by, effect.leg);
      return;
    case 'sip.forget':
      if (effect.leg !== undefined) {
        peers.legs.delete(`${by} ${effect.leg}`);
        return;
      }
      for (const known of [peers.dialogs, peers.byes, peers.unacknowledged]) known.delete(by);
      return;
    case 'sip.notify':
      notify(scene, by, effect);
      return;
    case 'conference.notify':
      scene.say('account', 'client', `NOTIFY ${effect.state}, ${effect.client} (${by})`);
      if (effect.state === 'active') peers.notifies.set(by, effect.client);
      return;
    case 'msrp.connect':
      // The client may have bound the session before its answer to the INVITE was here.
      if (!peers.media.has(by)) peers.media.set(by, 'waiting');
      return;
    case 'msrp.release':
      peers.media.delete(by);
      peers.sends = peers.sends.filter(({ session }) => session !== by);
      return;
    case 'msrp.send':
      send(scene, effect);
      return;
    default:
      // The others are part of the turn, of the commit or of the outbox.
      return;
  }
}

type Passage = Extract<
  Effect,
  { type: 'sip.forward' | 'sip.pass' | 'message.passed' | 'message.defer' }
>;

/** What is passed on to somebody else, or kept after all. */
function performPassage(scene: Scene, by: Address, effect: Passage): void {
  const { peers } = scene;
  switch (effect.type) {
    case 'sip.forward':
      hold(scene, by);
      peers.legs.set(`${by} ${effect.leg ?? 'message'}`, 'asked');
      scene.say('account', 'client', `what ${peers.held.get(by)!.request} brings (${by})`);
      return;
    case 'sip.pass':
      pass(scene, by, effect);
      return;
    case 'message.passed':
      peers.taken.add(digestOfHeld(scene, by));
      return;
    case 'message.defer': {
      const held = peers.held.get(by)!;
      peers.held.delete(by);
      deferHeld(scene, by, held, effect.late);
      return;
    }
  }
}

/** A BYE, or a CANCEL where the INVITE has no final response. */
function endDialog(scene: Scene, by: Address): void {
  const { peers } = scene;
  const pending = peers.invites.delete(by);
  const open = peers.dialogs.delete(by);
  peers.unacknowledged.delete(by);
  // With nothing to end the port says so at once; that too is an outcome to come.
  peers.byes.add(by);
  const word = open ? 'BYE' : pending ? 'CANCEL' : 'nothing to end';
  scene.say('account', 'client', `${word} (${by})`);
}

function notify(
  scene: Scene,
  by: Address,
  { state, counts }: Extract<Effect, { type: 'sip.notify' }>,
): void {
  const { notifies, heard } = scene.peers;
  scene.say('account', 'client', `NOTIFY ${state} ${JSON.stringify(counts)} (${by})`);
  if (state === 'active') notifies.set(by, JSON.stringify(counts));
  else heard.delete(by);
}

/** A SEND says the same message once more to nobody who has confirmed it. */
function send(scene: Scene, effect: Extract<Effect, { type: 'msrp.send' }>): void {
  const { serial, session, successReport } = effect;
  const { peers, ledger } = scene;
  scene.say('account', 'client', `SEND ua/${serial} (${session})`);
  if (session.startsWith('push/') && ledger.confirmed.has(serial)) {
    scene.breach('twice', `ua/${serial} is pushed again although its delivery was confirmed`);
  }
  if (!scene.contents.has(serial)) {
    scene.breach('durable', `ua/${serial} is sent, but its content is not in the store`);
  }
  peers.sends.push({ serial, session, answered: false, successReport });
}

function respond(scene: Scene, { transaction, status }: SipRespond): void {
  const [kind = '', number] = transaction.split(' ');
  const message = Number(number);
  scene.say('account', whoAsked[kind] ?? 'client', `${status} (${transaction})`);
  if (kind === 'offer') scene.peers.offers[message] = 'declined';
  else if (kind === 'message') settle(scene, 'message', message, status === 202);
  else if (kind === 'import') settle(scene, 'import', message, status === 202 || status === 204);
}

const whoAsked: Readonly<Record<string, Party>> = {
  ...{ message: 'sender', offer: 'sender', import: 'operator', operation: 'operator' },
};

/** What is acknowledged is there. */
function settle(scene: Scene, origin: Origin, message: number, isTaken: boolean): void {
  const { submissions, offers, imports } = scene.peers;
  const all = { message: submissions, offer: offers, import: imports }[origin];
  all[message] = isTaken ? 'acknowledged' : 'declined';
  if (isTaken && !isKept(scene, digestOf(message, origin))) {
    scene.breach('durable', `${origin} ${message} is acknowledged, but it is not in the store`);
  }
}

/** The last SEND of a large message is answered. */
function confirm(scene: Scene, effect: Extract<Effect, { type: 'msrp.confirm' }>): void {
  const { transaction, status } = effect;
  scene.say('account', 'sender', `${status} to SEND (${transaction})`);
  settle(scene, 'offer', Number(transaction.split(' ')[1]), status === 200);
}

/** The request that an actor was made for. */
function hold(scene: Scene, by: Address): void {
  const { cause, now: at, peers } = scene;
  if (peers.held.has(by) || cause === undefined || !('transaction' in cause)) return;
  if (/^(forward|bridge|recording)/.test(by))
    peers.held.set(by, { request: cause.transaction, at });
}

function digestOfHeld({ peers }: Scene, by: Address): string {
  const [kind, number] = peers.held.get(by)!.request.split(' ');
  return digestOf(Number(number), kind as Origin);
}

/** The sender gets the answer of the client. */
function pass(scene: Scene, by: Address, { leg }: Extract<Effect, { type: 'sip.pass' }>): void {
  const { peers, ledger, cause } = scene;
  const status = cause !== undefined && 'status' in cause ? cause.status : 180;
  const [kind, number] = peers.held.get(by)!.request.split(' ');
  scene.say('account', 'sender', `${status} (${kind} ${number})`);
  if (status < 200) return;
  const all = kind === 'offer' ? peers.offers : peers.submissions;
  const isTaken = status < 300;
  all[Number(number)] = isTaken ? 'acknowledged' : 'declined';
  if (isTaken) ledger.gone.add(digestOfHeld(scene, by));
  if (isTaken && leg !== undefined) peers.legs.set(`${by} caller`, 'open');
}

/** It is in the store with its content, or it was, and its life has ended as it should. */
function isKept({ rows, contents, ledger }: Scene, digest: string): boolean {
  if (ledger.gone.has(digest)) return true;
  for (const { key, value } of rows.values()) {
    if (key[0] !== 'ua') continue;
    if (messageAtRest(value).message.digest === digest) return contents.has(key[1]);
  }
  return false;
}
