/** One example for every transition of a machine: the shortest path that takes it, and what it does. */

import { createActor } from 'xstate';
import type { AccountEvent } from '../../src/machines/events.js';
import { step, type ActorSnapshot } from '../../src/machines/index.js';
import { sentence } from './actor.js';
import type { Alphabet } from './alphabet.js';
import { noon } from './facts.js';
import { randomWalks, shortestPaths, transitionsOf } from './model-paths.js';

export interface Example {
  /** Of the transition. */
  readonly name: string;
  readonly path: readonly AccountEvent[];
}

/** An example for each transition whose last event takes it; which one is always the same. */
export function examplesOf(alphabet: Alphabet): Example[] {
  const { machine } = alphabet.definition;
  const walks = randomWalks(alphabet).flatMap((walk) =>
    walk.map((_event, i) => walk.slice(0, i + 1)),
  );
  const paths = [...shortestPaths(alphabet), ...walks].sort((one, two) => one.length - two.length);
  const wanted = new Map(transitionsOf(machine).map(({ name, transition }) => [transition, name]));
  const examples: Example[] = [];
  for (const path of paths) {
    if (wanted.size === 0) break;
    for (const transition of lastTaken(alphabet, path)) {
      const name = wanted.get(transition);
      if (name === undefined) continue;
      wanted.delete(transition);
      examples.push({ name, path });
    }
  }
  return examples.sort((one, two) => (one.name < two.name ? -1 : 1));
}

function lastTaken({ definition }: Alphabet, path: readonly AccountEvent[]): Set<unknown> {
  const taken = new Set<unknown>();
  const actor = createActor(definition.machine, {
    inspect: (inspected) => {
      if (inspected.type !== '@xstate.microstep') return;
      for (const transition of inspected._transitions) taken.add(transition);
    },
  }).start();
  for (const event of path) {
    taken.clear();
    actor.send(event);
  }
  return taken;
}

/** What the machine does on the way of an example: the states, and of its end every word. */
export function describeExample({ definition }: Alphabet, { name, path }: Example): string {
  let snapshot: ActorSnapshot | undefined;
  let last = step(definition, snapshot, path[0]!);
  let before: ActorSnapshot = definition.unborn;
  for (const event of path) {
    before = snapshot ?? definition.unborn;
    last = step(definition, snapshot, event);
    snapshot = last.snapshot;
  }
  const way = path.map(({ type }) => type).join(' > ');
  const said = last.effects.map((effect) => `  ${detailed(effect)}`);
  const changes = changesOf(before.context, last.snapshot.context);
  const states = `${stateOf(before)} -> ${stateOf(last.snapshot)}`;
  return [name, `  ${way}`, `  ${states}`, ...said, ...changes].join('\n');
}

function detailed(effect: Parameters<typeof sentence>[0]): string {
  const words = sentence(effect);
  if (effect.type === 'timer.set') return `${words} in ${effect.at - noon} ms`;
  if (effect.type === 'sip.respond') {
    const { warning, minExpires, retryAfter } = effect;
    return [words, warning, minExpires, retryAfter].filter((one) => one !== undefined).join(' ');
  }
  if (effect.type === 'sip.accept') return `${words} ${effect.active ? 'active' : 'passive'}`;
  return 'serial' in effect ? `${words} ${effect.serial}` : words;
}

function stateOf({ value }: ActorSnapshot): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll(/["{}]/g, '');
}

function changesOf(before: unknown, after: unknown): string[] {
  const [former, given] = [before, after] as Record<string, unknown>[];
  return Object.keys(given!)
    .filter((field) => JSON.stringify(former![field]) !== JSON.stringify(given![field]))
    .map((field) => `  ${field} = ${JSON.stringify(given![field])}`)
    .map((line) => (line.length > 160 ? `${line.slice(0, 157)}...` : line));
}
