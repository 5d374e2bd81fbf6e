/** The machines of the transactions as a model: which events may come, what each turn says. */

import fc from 'fast-check';
import { getShortestPaths } from 'xstate/graph';
import type { ActorSnapshot } from '../../../src/machines/index.js';
import {
  client,
  inviteClient,
  inviteServer,
  server,
  transactionStep,
  type TransactionEffect,
  type TransactionDefinition,
  type TransactionEvent,
  type TransactionFacts,
  type TransactionTimer,
} from '../../../src/machines/sip/index.js';

export type Kind = 'inviteClient' | 'client' | 'inviteServer' | 'server';

export const kinds: readonly Kind[] = ['inviteClient', 'client', 'inviteServer', 'server'];

/** Every machine takes the events of its own kind only; the alphabet below sees to that. */
export const machines: Readonly<Record<Kind, TransactionDefinition<TransactionEvent>>> = {
  inviteClient,
  client,
  inviteServer,
  server,
};

const standard = { t1: 500, t2: 4_000, t4: 5_000, inviteMs: 180_000 };

/** The other values make intervals reach T2 elsewhere and tell Timer D from 64*T1. */
export const settings: Readonly<Record<string, TransactionFacts>> = {
  udp: { ...standard, reliable: false },
  reliable: { ...standard, reliable: true },
  'udp with a short T1': { reliable: false, t1: 100, t2: 1_000, t4: 2_000, inviteMs: 9_000 },
};

export interface Running {
  readonly name: TransactionTimer;
  readonly delayMs: number;
}

/** A transaction of the model between two events. */
export interface ModelState {
  readonly snapshot: ActorSnapshot;
  readonly running: readonly Running[];
}

/** What one event did. */
export interface Turn {
  readonly event: TransactionEvent;
  readonly from: string;
  readonly to: string;
  /** Effects other than timers, in order. */
  readonly said: readonly string[];
  readonly started: readonly Running[];
  readonly state: ModelState;
}

export function unborn(kind: Kind): ModelState {
  return { snapshot: machines[kind].definition.unborn, running: [] };
}

export function turn(kind: Kind, state: ModelState, event: TransactionEvent): Turn {
  const { snapshot, effects } = transactionStep(machines[kind], state.snapshot, event);
  const started: Running[] = [];
  const said: string[] = [];
  for (const effect of effects) {
    if (effect.type === 'timer.start') {
      started.push({ name: effect.name, delayMs: effect.delayMs });
    } else if (effect.type !== 'timer.stop') said.push(effect.type);
  }
  return {
    event,
    from: state.snapshot.value as string,
    to: snapshot.value as string,
    said,
    started,
    state: { snapshot, running: runningAfter(state.running, event, effects) },
  };
}

/** The timers that run after an event and what it made the machine do; other effects are no timers. */
export function runningAfter(
  before: readonly Running[],
  event: { readonly type: string; readonly name?: unknown },
  effects: readonly { readonly type: string }[],
): Running[] {
  const running = new Map<unknown, Running>(before.map((timer) => [timer.name, timer]));
  if (event.type === 'timer.fired') running.delete(event.name);
  for (const effect of effects as readonly TransactionEffect[]) {
    if (effect.type === 'timer.start') {
      running.set(effect.name, { name: effect.name, delayMs: effect.delayMs });
    } else if (effect.type === 'timer.stop') running.delete(effect.name);
  }
  return [...running.values()];
}

/** The edges of every class of responses. */
const statuses = [100, 199, 200, 299, 300, 699];

/** The events that may come: only a timer that runs fires, and one of zero before all else. */
export function eventsOf(kind: Kind, state: ModelState, facts: TransactionFacts) {
  const { value, context, status } = state.snapshot;
  if (status === 'done') return [];
  if (value === 'initial') return [{ type: 'start', facts } as const];
  const fired = (timers: readonly Running[]): TransactionEvent[] =>
    timers.map(({ name }) => ({ type: 'timer.fired', name, facts }));
  const atOnce = state.running.filter(({ delayMs }) => delayMs === 0);
  if (atOnce.length > 0) return fired(atOnce);
  const events: TransactionEvent[] = [...fired(state.running), { type: 'transport.failed', facts }];
  const isClient = kind === 'inviteClient' || kind === 'client';
  const response = isClient ? ('response.received' as const) : ('response.handed' as const);
  events.push(...statuses.map((status) => ({ type: response, status, facts })));
  if (!isClient) events.push({ type: 'request.received', facts });
  if (kind === 'inviteServer') events.push({ type: 'ack.received', facts });
  const { isCancelled } = context as { isCancelled?: boolean };
  // 9.1: CANCEL waits for a provisional response.
  if (value === 'proceeding' && isCancelled === false) events.push({ type: 'cancelled', facts });
  return events;
}

/** The shortest path to every state, as xstate/graph finds it, and from there every event. */
export function shortestPaths(kind: Kind, facts: TransactionFacts): TransactionEvent[][] {
  const logic = {
    getInitialSnapshot: () => ({ status: 'active', ...unborn(kind) }),
    transition: (state: ModelState, event: TransactionEvent) => ({
      status: 'active',
      ...turn(kind, state, event).state,
    }),
  };
  const found = getShortestPaths(logic as never, {
    events: ((state: ModelState) => eventsOf(kind, state, facts)) as never,
    serializeState: (state: unknown) => essence(state as ModelState, facts),
    serializeEvent: (event: unknown) => JSON.stringify(event),
    limit: 20_000,
  });
  return found.flatMap(({ steps }) => {
    // The first step is the start of the actor.
    const path = steps.slice(1).map(({ event }) => event as TransactionEvent);
    const end = turnsOf(kind, path).at(-1)?.state ?? unborn(kind);
    return eventsOf(kind, end, facts).map((event) => [...path, event]);
  });
}

/** Walks of which each step is drawn from what may come. */
export function randomWalks(kind: Kind, facts: TransactionFacts): TransactionEvent[][] {
  return choices(200).map((walk) => {
    const path: TransactionEvent[] = [];
    let state = unborn(kind);
    for (const choice of walk) {
      const events = eventsOf(kind, state, facts);
      if (events.length === 0) break;
      const event = events[choice % events.length]!;
      state = turn(kind, state, event).state;
      path.push(event);
    }
    return path;
  });
}

/** Lists of numbers to choose by, always the same. */
export function choices(walks: number): number[][] {
  const numbers = fc.array(fc.nat({ max: 99_999 }), { minLength: 2, maxLength: 40 });
  return fc.sample(numbers, { numRuns: walks, seed: 3261 });
}

export function turnsOf(kind: Kind, path: readonly TransactionEvent[]): Turn[] {
  let state = unborn(kind);
  return path.map((event) => {
    const done = turn(kind, state, event);
    state = done.state;
    return done;
  });
}

/** Timer A doubles on and on: beyond 64*T1 one interval is as good as another. */
export function essence({ snapshot, running }: ModelState, { t1 }: TransactionFacts): string {
  const context = snapshot.context as { intervalMs?: number };
  const intervalMs = Math.min(context.intervalMs ?? 0, 64 * t1);
  const names = running.map(({ name }) => name).sort();
  return JSON.stringify([snapshot.value, { ...context, intervalMs }, names]);
}

/** `timer.fired G`, `response.handed 2xx`. */
export function nameOf(event: TransactionEvent): string {
  if (event.type === 'timer.fired') return `timer.fired ${event.name}`;
  if (!('status' in event)) return event.type;
  const { status } = event;
  return `${event.type} ${status < 200 ? '1xx' : status < 300 ? '2xx' : '3xx-6xx'}`;
}
