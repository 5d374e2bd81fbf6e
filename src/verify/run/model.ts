/** What a step of the tester means to an account of the production machines, and what that owes. */

import type { Effect } from '../../machines/effects.js';
import type { AccountEvent, Address, Limits } from '../../machines/events.js';
import type { Asked } from '../../actors/turn.js';
import { firstState, expiryEvent, durableTimers } from '../bounded-account.js';
import type { AccountState, Bounds, VolatileTimer } from '../bounded-account.js';
import { boundedLimits, digestOf } from '../bounded-facts.js';
import { messagesOf } from '../account-view.js';
import { Scene } from '../scene.js';
import { eventOf, sessionOf } from './step-facts.js';
import type { Step } from './step.js';

/** Of the product as it is delivered, except where a server of others may wait for less. */
export const modelLimits: Limits = {
  ...boundedLimits,
  push: { ...boundedLimits.push, window: 16 },
  retrieval: { ...boundedLimits.retrieval, count: 8 },
  subscribe: { ...boundedLimits.subscribe, count: 8, headers: 10 },
  deletion: { batch: 64, removalMs: 1000 },
  publish: { ...boundedLimits.publish, count: 8 },
};

/** Timers of the account up to this are waited for; seconds of a `brief` message are below it. */
export const shortMs = 4000;
/** Timers that run out by themselves, behind a step: throttles and the work of the mailbox. */
const byThemselvesMs = 1000;
const settlingMax = 1000;

const bounds: Bounds = {
  ...{ messages: 8, registrations: 8, sessions: 8, subscriptions: 8, deletions: 8 },
  ...{ operations: 0, crashes: 0, faults: 0, repeats: 0 },
  ...{ passages: 0, offers: 0, watchers: 0, imports: 0 },
};

/** An effect that somebody outside sees. */
export interface Owed {
  readonly by: Address;
  readonly effect: Extract<
    Effect,
    {
      readonly type:
        | 'sip.respond'
        | 'sip.accept'
        | 'sip.invite'
        | 'sip.bye'
        | 'sip.notify'
        | 'msrp.send'
        | 'report.send';
    }
  >;
}

export interface Advance {
  readonly state: AccountState;
  readonly owed: readonly Owed[];
  /** What the machines were told, with the state before: what transitions were taken is in it. */
  readonly told: Scene['told'];
}

export function beginning(): AccountState {
  return firstState(bounds);
}

/** Takes a step, and everything that a good peer does behind it without being asked. */
export function advance(state: AccountState, step: Step, number: number): Advance {
  const scene = new Scene(state);
  take(scene, state, step, number);
  settle(scene);
  return { state: scene.close(), owed: visible(scene), told: scene.told };
}

function take(scene: Scene, state: AccountState, step: Step, number: number): void {
  const timed = { at: scene.now, limits: modelLimits };
  switch (step.do) {
    case 'wait': {
      const timer = nextTimer(state);
      if (timer) expire(scene, timer);
      return;
    }
    case 'take':
    case 'reject':
      answerSend(scene, step.do === 'take' ? 200 : step.status);
      return;
    case 'disconnect': {
      const of = sessionOf(state);
      if (of === undefined) return;
      scene.peers.media.delete(of);
      scene.peers.sends = scene.peers.sends.filter(({ session }) => session !== of);
      scene.take(of, { type: 'msrp.lost', ...timed });
      return;
    }
    default: {
      const { to, event } = eventOf(state, step, number, timed);
      if (step.do === 'submit') {
        scene.peers.submissions[step.message] = 'unanswered';
        scene.take(to, event, { payload: Buffer.from(digestOf(step.message)) });
        return;
      }
      noteOutcome(scene, step, to);
      scene.take(to, event);
    }
  }
}

/** What the peer has said changes what it may say next. */
function noteOutcome(scene: Scene, { do: kind }: Step, to: Address): void {
  const { invites, dialogs } = scene.peers;
  if (kind === 'accept' || kind === 'refuse') invites.delete(to);
  if (kind === 'accept') dialogs.add(to);
  if (kind === 'hang-up') dialogs.delete(to);
}

/** The answer to a SEND, and the REPORT that goes with it. */
function answerSend(scene: Scene, status: number): void {
  const [send, ...others] = scene.peers.sends;
  if (send === undefined) return;
  scene.peers.sends = others;
  const { serial, session, successReport } = send;
  const outcome = { at: scene.now, session, status, limits: modelLimits };
  scene.take(`ua/${serial}`, { type: 'msrp.sent', ...outcome });
  if (status === 200 && successReport) {
    scene.take(`ua/${serial}`, { type: 'msrp.reported', ...outcome });
  }
}

/** A good peer acknowledges, binds, and answers NOTIFY and BYE; the outbox goes. */
function settle(scene: Scene): void {
  for (let i = 0; i < settlingMax; i++) if (!settleOne(scene)) return;
  throw new Error('MODEL_UNSETTLED: the account does not come to rest');
}

function settleOne(scene: Scene): boolean {
  const { peers, now: at } = scene;
  const timed = { at, limits: modelLimits };
  for (const of of peers.unacknowledged) {
    peers.unacknowledged.delete(of);
    scene.take(of, { type: 'ack.received', ...timed });
    return true;
  }
  for (const [of, media] of peers.media) {
    if (media !== 'waiting') continue;
    peers.media.set(of, 'bound');
    scene.take(of, { type: 'msrp.connected', ...timed });
    return true;
  }
  for (const of of peers.notifies.keys()) {
    peers.notifies.delete(of);
    scene.take(of, { type: 'notify.answered', ...timed, status: 200 });
    return true;
  }
  for (const of of peers.byes) {
    peers.byes.delete(of);
    scene.take(of, { type: 'bye.answered', ...timed });
    return true;
  }
  for (const { key } of scene.rows.values()) {
    if (key[0] !== 'outbox') continue;
    scene.remove(key);
    return true;
  }
  const timer = timersOf(scene.close()).find((one) => isByItself(one, at));
  if (timer) expire(scene, timer);
  return timer !== undefined;
}

function isByItself({ name, at }: VolatileTimer, now: number): boolean {
  return (name === 'throttle' || name === 'deletion') && at <= now + byThemselvesMs;
}

/** The timer that runs out next, where that is worth waiting for. */
export function nextTimer(state: AccountState): VolatileTimer | undefined {
  const [first] = timersOf(state);
  return first && first.at <= state.now + shortMs ? first : undefined;
}

/** A push that has failed is tried again when a server thinks fit: nobody waits for that. */
function timersOf(state: AccountState): VolatileTimer[] {
  const all = [...durableTimers(state), ...(state.memory?.timers.values() ?? [])];
  return all.filter(({ name }) => name !== 'push').sort((one, other) => one.at - other.at);
}

function expire(scene: Scene, { of, name, at }: VolatileTimer): void {
  const key = `${of} ${name}`;
  scene.now = Math.max(scene.now, at);
  const event = { ...expiryEvent(name, scene.now), limits: modelLimits } as AccountEvent;
  if (scene.timers.delete(key)) scene.take(of, event);
  else scene.take(of, event, { removes: ['timer', at, key] });
}

function visible({ asked }: Scene): Owed[] {
  return asked.filter((one): one is Asked & Owed => seen.has(one.effect.type));
}

const seen: ReadonlySet<string> = new Set<Owed['effect']['type']>([
  'sip.respond',
  'sip.accept',
  'sip.invite',
  'sip.bye',
  'sip.notify',
  'msrp.send',
  'report.send',
]);

/** The messages in the store, by their serial and by the order of submission. */
export function messagesIn(state: AccountState): readonly {
  readonly serial: number;
  readonly message: number;
}[] {
  return messagesOf(state).map(({ serial, message: { digest } }) => ({
    serial,
    message: Number(digest.slice(1)),
  }));
}
