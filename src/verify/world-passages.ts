/** What the world does with requests that are passed on: choices, and what becomes of them. */

import type { AccountEvent, Address, Leg } from '../machines/events.js';
import type { AccountState } from './bounded-account.js';
import { boundedLimits as limits } from './bounded-facts.js';
import type { Act, Choice, Option, PassedLeg } from './choice.js';
import type { Scene } from './scene.js';

type Passing = Extract<
  Choice,
  { readonly do: 'pass' | 'ring' | 'leg-hang-up' | 'leg-lost' | 'leg-bye-answered' | 'cancel' }
>;
type Outcome = Extract<Choice, { readonly do: 'pass' }>['outcome'];
type Told = (to: Address, event: AccountEvent) => void;

/** A client answers in the end; whoever speaks to it hangs up in the end. */
export function passagesOf({ peers }: AccountState): Option[] {
  const options: Option[] = [];
  const fair = (choice: Act): unknown => options.push({ choice });
  const fault = (choice: Act): unknown => options.push({ choice, spends: 'faults' });
  for (const [key, state] of peers.legs) {
    const [of, leg] = key.split(' ') as [Address, PassedLeg];
    if (state === 'asked') {
      fair({ do: 'pass', of, leg, outcome: 'accepted' });
      for (const outcome of ['refused', 'unreachable', 'failed'] as const) {
        fault({ do: 'pass', of, leg, outcome });
      }
      if (leg === 'message') continue;
      fault({ do: 'pass', of, leg, outcome: 'unusable' });
      fault({ do: 'ring', of, leg });
      fault({ do: 'cancel', of });
    } else if (leg === 'message') continue;
    else if (state === 'open') {
      const hangUp = { do: 'leg-hang-up', of, leg } as const;
      if (leg === 'caller') fair(hangUp);
      else fault(hangUp);
      fault({ do: 'leg-lost', of, leg });
    } else fair({ do: 'leg-bye-answered', of, leg });
  }
  return options;
}

const statuses: Readonly<Record<Exclude<Outcome, 'failed'>, number>> = {
  ...{ accepted: 200, unusable: 200, refused: 603, unreachable: 480 },
};

export function actOnPassage(scene: Scene, choice: Passing, tell: Told): void {
  const { peers, now: at } = scene;
  const { of } = choice;
  if (choice.do === 'cancel') {
    const request = peers.held.get(of)?.request ?? '';
    scene.say('sender', 'account', `CANCEL (${request})`);
    const offer = Number(request.split(' ')[1]);
    peers.offers[offer] = 'declined';
    tell(of, { type: 'invite.cancelled', at, limits });
    return;
  }
  if (choice.do === 'pass') {
    answer(scene, choice, tell);
    return;
  }
  const { leg } = choice;
  const key = `${of} ${leg}`;
  const from = leg === 'caller' ? 'sender' : 'client';
  switch (choice.do) {
    case 'ring':
      scene.say(from, 'account', `180 (${key})`);
      tell(of, { type: 'leg.progressed', at, leg, limits });
      return;
    case 'leg-hang-up':
      scene.say(from, 'account', `BYE (${key})`);
      tell(of, { type: 'bye.received', at, transaction: 'bye', leg, limits });
      return;
    case 'leg-lost':
      peers.legs.delete(key);
      scene.say(from, 'account', `not heard of any more (${key})`);
      tell(of, { type: 'leg.lost', at, leg, limits });
      return;
    case 'leg-bye-answered':
      peers.legs.delete(key);
      scene.say(from, 'account', `200 to BYE (${key})`);
      tell(of, { type: 'bye.answered', at, leg, limits });
  }
}

function answer(
  scene: Scene,
  { of, leg, outcome }: Extract<Choice, { readonly do: 'pass' }>,
  tell: Told,
): void {
  const { peers, now: at } = scene;
  const key = `${of} ${leg}`;
  const status = outcome === 'failed' ? undefined : statuses[outcome];
  scene.say('client', 'account', `${status ?? 'no answer'} to what was passed on (${key})`);
  if (outcome === 'accepted' && leg !== 'message') peers.legs.set(key, 'open');
  else if (outcome === 'unusable') peers.legs.set(key, 'open');
  else peers.legs.delete(key);
  if (leg === 'message') {
    if (status === undefined) tell(of, { type: 'forward.failed', at, limits });
    else tell(of, { type: 'forward.answered', at, status, limits });
    return;
  }
  if (status === undefined) tell(of, { type: 'leg.failed', at, leg, limits });
  else {
    const accepted = outcome === 'accepted' && { answer: 'a' };
    tell(of, { type: 'leg.answered', at, leg, status, ...accepted, limits });
  }
}

/** Our BYE, or CANCEL while there is no final response. */
export function endLeg(scene: Scene, by: Address, leg: Leg): void {
  const state = scene.peers.legs.get(`${by} ${leg}`);
  scene.peers.legs.set(`${by} ${leg}`, 'ending');
  const to = leg === 'caller' ? 'sender' : 'client';
  scene.say('account', to, `${state === 'asked' ? 'CANCEL' : 'BYE'} (${by} ${leg})`);
}
