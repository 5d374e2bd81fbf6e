/** What the world does with a bounded account: a choice becomes an input of the account. */

import type { AccountEvent, Address } from '../machines/events.js';
import type { OutboxRow } from '../actors/outbox.js';
import type { AccountState, DefinitionOf } from './bounded-account.js';
import { durableTimers, expiryEvent } from './bounded-account.js';
import {
  boundedLimits as limits,
  clientSdp,
  registerFacts,
  retrievalFacts,
  subscribeFacts,
  watchFacts,
  unusableSdp,
} from './bounded-facts.js';
import type { Choice, Option } from './choice.js';
import { Scene, type Ends } from './scene.js';
import { actOnPassage } from './world-passages.js';
import { bringFromElsewhere, offer, record, submit } from './world-submissions.js';

type Of<Do extends Choice['do']> = Extract<Choice, { readonly do: Do }>;

/** Makes a choice. The scene is open: whoever asked closes it. Throws what the account throws. */
export function choose(
  state: AccountState,
  { choice, spends }: Option,
  definitionOf?: DefinitionOf,
): Scene {
  const scene = new Scene(state, definitionOf);
  const { left } = scene.peers;
  if (spends) scene.peers.left = { ...left, [spends]: left[spends] - 1 };
  if ('passed' in choice) {
    scene.peers.left = { ...scene.peers.left, passages: left.passages - 1 };
  }
  if (choice.then) {
    scene.peers.left = { ...scene.peers.left, crashes: scene.peers.left.crashes - 1 };
  }
  act(scene, choice, state);
  return scene;
}

function act(scene: Scene, choice: Choice, state: AccountState): void {
  const ends = choice.then;
  const tell: Tell = (to, event) => scene.take(to, event, endsOf(ends));
  switch (choice.do) {
    case 'send':
      submit(scene, choice, ends);
      return;
    case 'offer':
      offer(scene, choice, ends);
      return;
    case 'record':
      record(scene, choice.of, ends);
      return;
    case 'import':
      bringFromElsewhere(scene, choice, ends);
      return;
    case 'pass':
    case 'ring':
    case 'leg-hang-up':
    case 'leg-lost':
    case 'leg-bye-answered':
    case 'cancel':
      actOnPassage(scene, choice, tell);
      return;
    case 'register':
    case 'deregister':
    case 'subscribe':
    case 'watch':
    case 'retrieve':
      ask(scene, choice, tell);
      return;
    case 'delete':
      remove(scene, choice);
      return;
    case 'pause':
    case 'resume':
    case 'push-at-once':
    case 'requeue':
      operate(scene, choice);
      return;
    case 'timer':
      expire(scene, state, choice);
      return;
    case 'outbox':
      deliver(scene, choice.number, ends);
      return;
    case 'load':
      if (choice.later) scene.now = nextDurable(state);
      scene.say('account', 'account', 'comes into memory: session.lost');
      scene.load();
      return;
    case 'crash':
    case 'passivate':
      scene.say('account', 'account', choice.do === 'crash' ? 'the process DIES' : 'passivated');
      scene.forget();
      return;
    default:
      answer(scene, choice, tell);
  }
}

type Tell = (to: Address, event: AccountEvent) => void;

/** What a client asks for outside of every dialog, or inside that of a retrieval. */
function ask(
  scene: Scene,
  choice: Of<'register' | 'deregister' | 'subscribe' | 'watch' | 'retrieve'>,
  tell: Tell,
): void {
  const of = { at: scene.now, limits };
  switch (choice.do) {
    case 'watch': {
      const subscribe = watchFacts(++scene.ledger.requests);
      const focus = Number(choice.of.split('/')[1]);
      scene.say('client', 'account', `SUBSCRIBE conference (${choice.of})`);
      const asked = { transaction: 'watch', focus, subscribe };
      tell('mailbox', { type: 'conference.requested', ...of, ...asked });
      return;
    }
    case 'register':
    case 'deregister': {
      const register = registerFacts(++scene.ledger.requests, choice.do === 'register' ? 240 : 0);
      scene.say('client', 'account', choice.do.toUpperCase());
      if (choice.then !== 'fail') scene.ledger.refused.clear();
      tell('mailbox', { type: 'register.received', ...of, transaction: 'register', register });
      return;
    }
    case 'subscribe': {
      const subscribe = subscribeFacts(++scene.ledger.requests);
      scene.say('client', 'account', 'SUBSCRIBE message-summary');
      tell('mailbox', { type: 'subscribe.received', ...of, transaction: 'subscribe', subscribe });
      return;
    }
    case 'retrieve':
      scene.say('client', 'account', 'INVITE Deferred@');
      tell('mailbox', {
        ...{ type: 'retrieval.requested', ...of, transaction: 'retrieve' },
        retrieval: retrievalFacts,
      });
      return;
  }
}

function endsOf(ends: Ends | undefined): { ends?: Ends } {
  return ends === undefined ? {} : { ends };
}

/** The answers of peers, and what they do in a dialog. */
function answer(
  scene: Scene,
  choice: Of<
    | 'invite'
    | 'ack'
    | 'no-ack'
    | 'bind'
    | 'disconnect'
    | 'answer'
    | 'report'
    | 'hang-up'
    | 'bye-answered'
    | 'notify'
  >,
  tell: (to: Address, event: AccountEvent) => void,
): void {
  const { peers } = scene;
  const timed = { at: scene.now, limits };
  const { of } = choice;
  switch (choice.do) {
    case 'invite':
      answerInvite(scene, choice, tell);
      return;
    case 'ack':
    case 'no-ack':
      peers.unacknowledged.delete(of);
      if (choice.do === 'no-ack') peers.dialogs.delete(of);
      scene.say('client', 'account', choice.do === 'ack' ? `ACK (${of})` : `no ACK (${of})`);
      tell(of, { type: choice.do === 'ack' ? 'ack.received' : 'ack.missing', ...timed });
      return;
    case 'bind':
      peers.media.set(of, 'bound');
      scene.say('client', 'account', `MSRP bound (${of})`);
      tell(of, { type: 'msrp.connected', ...timed });
      return;
    case 'disconnect':
      peers.media.delete(of);
      peers.sends = peers.sends.filter(({ session }) => session !== of);
      scene.say('client', 'account', `MSRP lost (${of})`);
      tell(of, { type: 'msrp.lost', ...timed });
      return;
    case 'hang-up':
      peers.dialogs.delete(of);
      scene.say('client', 'account', `BYE (${of})`);
      tell(of, { type: 'bye.received', ...timed, transaction: 'bye' });
      return;
    case 'bye-answered':
      peers.byes.delete(of);
      scene.say('client', 'account', `200 to BYE (${of})`);
      tell(of, { type: 'bye.answered', ...timed });
      return;
    case 'notify':
      answerNotify(scene, choice, tell);
      return;
    default:
      answerSend(scene, choice, tell);
  }
}

function answerInvite(
  scene: Scene,
  { of, outcome }: Of<'invite'>,
  tell: (to: Address, event: AccountEvent) => void,
): void {
  const { peers, now: at } = scene;
  peers.invites.delete(of);
  const words = { accepted: '200', refused: '486', failed: 'no answer', unusable: '200, inactive' };
  scene.say('client', 'account', `${words[outcome]} to INVITE (${of})`);
  if (outcome === 'failed') {
    tell(of, { type: 'invite.failed', at, limits });
    return;
  }
  const accepted = outcome !== 'refused';
  if (accepted) peers.dialogs.add(of);
  const given = outcome === 'accepted' ? clientSdp : unusableSdp;
  tell(of, {
    ...{ type: 'invite.answered', at, limits, status: accepted ? 200 : 486 },
    ...(accepted && { answer: given }),
  });
}

function answerNotify(
  scene: Scene,
  { of, outcome }: Of<'notify'>,
  tell: (to: Address, event: AccountEvent) => void,
): void {
  const { peers, now: at } = scene;
  scene.say('client', 'account', `${outcome} NOTIFY (${of})`);
  const counts = peers.notifies.get(of);
  peers.notifies.delete(of);
  if (outcome !== 'answered') peers.heard.delete(of);
  else if (counts !== undefined) peers.heard.set(of, counts);
  if (outcome === 'failed') tell(of, { type: 'notify.failed', at, limits });
  else
    tell(of, { type: 'notify.answered', at, limits, status: outcome === 'answered' ? 200 : 481 });
}

/** The last word on a SEND takes it off; a 200 to one that wants a REPORT does not. */
function answerSend(
  scene: Scene,
  { do: kind, serial, of: session, status }: Of<'answer' | 'report'>,
  tell: (to: Address, event: AccountEvent) => void,
): void {
  const { peers, now: at } = scene;
  const known = peers.sends.find((send) => send.serial === serial && send.session === session);
  const others = peers.sends.filter((send) => send !== known);
  const waits = known && kind === 'answer' && status === 200 && known.successReport;
  peers.sends = waits ? [...others, { ...known, answered: true }] : others;
  scene.say('client', 'account', `${kind === 'answer' ? '' : 'REPORT '}${status} ua/${serial}`);
  if (session.startsWith('push/') && status !== 200) scene.ledger.refused.add(serial);
  const type = kind === 'answer' ? 'msrp.sent' : 'msrp.reported';
  tell(`ua/${serial}`, { type, at, session, status, limits });
}

function remove(scene: Scene, { serial, then }: Of<'delete'>): void {
  const serials = [serial, serial] as const;
  scene.say('client', 'account', `delete ua/${serial}`);
  const event: AccountEvent = {
    ...{ type: 'deletion.requested', at: scene.now, limits, transaction: 'delete' },
    ...{ serials, foreign: [] },
  };
  scene.take('mailbox', event, endsOf(then));
}

/** The operator (U25). */
function operate(scene: Scene, choice: Of<'pause' | 'resume' | 'push-at-once' | 'requeue'>): void {
  const { ledger, now: at } = scene;
  const asked = { at, limits, transaction: 'operation' };
  const tell = (event: AccountEvent): void => scene.take('mailbox', event, endsOf(choice.then));
  const { do: what } = choice;
  scene.say('operator', 'account', what === 'requeue' ? `requeue ua/${choice.serial}` : what);
  switch (what) {
    case 'pause':
    case 'resume':
      tell({ ...asked, type: what === 'pause' ? 'delivery.paused' : 'delivery.resumed' });
      return;
    case 'push-at-once':
      if (choice.then !== 'fail') ledger.refused.clear();
      tell({ ...asked, type: 'push.requested' });
      return;
    case 'requeue':
      if (choice.then !== 'fail') ledger.refused.delete(choice.serial);
      tell({ ...asked, type: 'requeue.requested', serial: choice.serial });
  }
}

function expire(scene: Scene, state: AccountState, { of, name, then }: Of<'timer'>): void {
  const key = `${of} ${name}`;
  const brief = scene.timers.get(key);
  const durable = durableTimers(state).filter((one) => one.of === of && one.name === name);
  const first = brief ?? durable.reduce((one, other) => (other.at < one.at ? other : one));
  scene.now = Math.max(scene.now, first.at);
  scene.say('account', 'account', `timer ${name} (${of})`);
  if (brief) {
    scene.timers.delete(key);
    scene.take(of, expiryEvent(name, scene.now), endsOf(then));
    return;
  }
  const removes = ['timer', first.at, key] as const;
  scene.take(of, expiryEvent(name, scene.now), { removes, ...endsOf(then) });
}

/** A durable effect is done; whoever dies before the row is gone does it again. */
function deliver(scene: Scene, number: number, ends: Ends | undefined): void {
  const key = ['outbox', number] as const;
  const row = scene.rows.get(`outbox ${number}`);
  if (!row) return;
  const { effect, token } = row.value as OutboxRow;
  switch (effect.type) {
    case 'report.send':
      scene.say('account', 'sender', `report ${effect.disposition} of ua/${effect.serial}`);
      scene.peers.reports.add(token);
      break;
    case 'history.put':
      scene.say('account', 'store', `XDMS: +history ${effect.serial}`);
      scene.peers.document.add(effect.serial);
      break;
    case 'history.delete':
      scene.say('account', 'store', `XDMS: -history ${effect.serial}`);
      scene.peers.document.delete(effect.serial);
      break;
    default:
      break;
  }
  if (ends === 'crash' || ends === 'fail') scene.forget();
  else scene.remove(key);
}

function nextDurable(state: AccountState): number {
  const later = durableTimers(state).flatMap(({ at }) => (at > state.now ? [at] : []));
  return Math.min(...later);
}
