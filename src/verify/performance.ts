/** What effects do to the world around a bounded account. */

import type { Effect, SipRespond } from '../machines/effects.js';
import type { Address } from '../machines/events.js';
import { digestOf } from './bounded-facts.js';
import { messageAtRest } from './ledger.js';
import type { Scene } from './scene.js';

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
      peers.unacknowledged.add(by);
      peers.dialogs.add(by);
      scene.say('account', 'client', `200 to INVITE (${by})`);
      return;
    case 'sip.bye':
      endDialog(scene, by);
      return;
    case 'sip.forget':
      for (const known of [peers.dialogs, peers.byes, peers.unacknowledged]) known.delete(by);
      return;
    case 'sip.notify':
      notify(scene, by, effect);
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
  const [kind, number] = transaction.split(' ');
  const isMessage = kind === 'message';
  scene.say('account', isMessage ? 'sender' : 'client', `${status} (${transaction})`);
  if (!isMessage) return;
  const message = Number(number);
  scene.peers.submissions[message] = status === 202 ? 'acknowledged' : 'declined';
  if (status === 202 && !isKept(scene, digestOf(message))) {
    scene.breach('durable', `message ${message} is acknowledged, but it is not in the store`);
  }
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
