/** What an account is made of, and what a turn of its makes of that. */

import type { Effect } from '../../machines/effects.js';
import type { Address, MessageFacts } from '../../machines/events.js';
import type { AtRest } from '../../machines/index.js';
import type { Actor, TurnResult } from '../../actors/turn.js';
import type { Change } from '../../ports.js';
import { Debts } from './debts.js';
import { noNotes, type Notes } from './notes.js';
import { isVisible, untilOf, type Owed } from './owed.js';
import { PersistentMap } from './persistent-map.js';
import { timerOf, type SetTimer } from './set-timer.js';

export interface Parts {
  /** The mailbox and its sessions, which are few. */
  readonly actors: ReadonlyMap<Address, Actor>;
  /** Messages that are under way, and those at rest, which may be many. */
  readonly uas: PersistentMap<Actor>;
  readonly rows: PersistentMap<AtRest>;
  /** The last one that has left it, and so on. */
  readonly gone: Gone | undefined;
  /** Of the few, by their owner and name; of messages by their address. */
  readonly timers: ReadonlyMap<string, SetTimer>;
  readonly uaTimers: PersistentMap<readonly SetTimer[]>;
  /** Blocks of serials that were taken. */
  readonly blocks: number;
  /** Digests of the messages at rest. */
  readonly digests: PersistentMap<true>;
  /** Call-IDs and imdn.Message-IDs of all messages that were ever stored. */
  readonly callIds: PersistentMap<true>;
  readonly imdns: PersistentMap<true>;
  readonly debts: Debts;
  readonly notes: Notes;
}

/** A message that was stored. */
export interface Gone {
  readonly row: AtRest;
  readonly at: number;
  /** The one that has left before it. */
  readonly before: Gone | undefined;
}

export const noParts: Parts = {
  actors: new Map(),
  uas: new PersistentMap(),
  rows: new PersistentMap(),
  gone: undefined,
  timers: new Map(),
  uaTimers: new PersistentMap((timers) => Math.min(...timers.map(({ from }) => from))),
  blocks: 0,
  digests: new PersistentMap(),
  callIds: new PersistentMap(),
  imdns: new PersistentMap(),
  debts: new Debts(),
  notes: noNotes,
};

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
type Done = Extract<TurnResult, { kind: 'done' }>;

export function messageOf({ context }: AtRest): MessageFacts {
  return context['message'] as MessageFacts;
}

/** After a turn; `number` is the message that has brought it about. */
export function partsAfter(parts: Parts, turn: Done, at: number, number: number): Parts {
  const next: Writable<Parts> = { ...parts };
  live(next, turn.actors);
  atRest(next, turn.change.build(), at);
  const owed: Owed[] = [];
  for (const { by, effect } of turn.effects) {
    if (isVisible(effect)) owed.push({ by, effect, number, at, until: untilOf(effect, at) });
    else perform(next, by, effect, owed);
  }
  if (owed.length > 0) next.debts = next.debts.with(owed);
  return next;
}

export function withoutTimer(parts: Parts, of: Address, name: string): Parts {
  const next: Writable<Parts> = { ...parts };
  cancelTimer(next, of, name);
  return next;
}

function live(next: Writable<Parts>, changed: Done['actors']): void {
  const actors = new Map(next.actors);
  for (const { address, actor } of changed.values()) {
    if (address.startsWith('ua/')) {
      next.uas = actor ? next.uas.set(address, actor) : next.uas.delete(address);
    } else if (actor) actors.set(address, actor);
    else actors.delete(address);
  }
  next.actors = actors;
}

function atRest(next: Writable<Parts>, { deletes, puts }: Change, at: number): void {
  for (const key of deletes) {
    if (key[0] === 'ua') deleteRow(next, `ua/${key[1]}`, at);
    if (key[0] === 'timer') cancelTimer(next, ...labelOf(key[2]));
  }
  for (const { key, value } of puts)
    if (key[0] === 'ua') putRow(next, `ua/${key[1]}`, value as AtRest);
  for (const { key } of puts) {
    if (key[0] !== 'timer') continue;
    const [of, name] = labelOf(key[2]);
    setTimer(next, of, { name, at: key[1] });
  }
}

function putRow(next: Writable<Parts>, address: string, row: AtRest): void {
  next.rows = next.rows.set(address, row);
  const { digest, callId, imdn } = messageOf(row);
  next.digests = next.digests.set(digest, true);
  next.callIds = next.callIds.set(callId, true);
  if (imdn?.id !== undefined) next.imdns = next.imdns.set(imdn.id, true);
}

function deleteRow(next: Writable<Parts>, address: string, at: number): void {
  const row = next.rows.get(address);
  if (row === undefined) return;
  next.rows = next.rows.delete(address);
  next.gone = { row, at, before: next.gone };
  next.digests = next.digests.delete(messageOf(row).digest);
}

function perform(next: Writable<Parts>, by: Address, effect: Effect, owed: Owed[]): void {
  switch (effect.type) {
    case 'timer.set':
      setTimer(next, by, effect);
      return;
    case 'timer.cancel':
      cancelTimer(next, by, effect.name);
      return;
    case 'serials.take':
      next.blocks++;
      return;
    case 'stop':
      stopTimers(next, by);
      endSession(next, by, owed);
      return;
    case 'msrp.release':
      endSession(next, by, owed);
      return;
    default:
  }
}

/** What was to be sent in the session is not owed any more. */
function endSession(next: Writable<Parts>, session: Address, owed: Owed[]): void {
  next.debts = next.debts.withoutSession(session);
  const stays = owed.filter(
    ({ effect }) => effect.type !== 'msrp.send' || effect.session !== session,
  );
  owed.splice(0, owed.length, ...stays);
}

function setTimer(
  next: Writable<Parts>,
  of: Address,
  timer: { readonly name: string; readonly at: number },
): void {
  if (!of.startsWith('ua/')) {
    next.timers = new Map(next.timers).set(`${of} ${timer.name}`, timerOf(of, timer, undefined));
    return;
  }
  const others = (next.uaTimers.get(of) ?? []).filter(({ name }) => name !== timer.name);
  next.uaTimers = next.uaTimers.set(of, [...others, timerOf(of, timer, next.rows.get(of))]);
}

function cancelTimer(next: Writable<Parts>, of: Address, name: string): void {
  if (!of.startsWith('ua/')) {
    const timers = new Map(next.timers);
    if (timers.delete(`${of} ${name}`)) next.timers = timers;
    return;
  }
  const set = next.uaTimers.get(of);
  if (set === undefined) return;
  const left = set.filter((timer) => timer.name !== name);
  next.uaTimers = left.length > 0 ? next.uaTimers.set(of, left) : next.uaTimers.delete(of);
}

function stopTimers(next: Writable<Parts>, by: Address): void {
  if (by.startsWith('ua/')) {
    next.uaTimers = next.uaTimers.delete(by);
    return;
  }
  const left = [...next.timers].filter(([, { of }]) => of !== by);
  if (left.length < next.timers.size) next.timers = new Map(left);
}

function labelOf(label: string): [of: Address, name: string] {
  const [of = '', name = ''] = label.split(' ');
  return [of as Address, name];
}
