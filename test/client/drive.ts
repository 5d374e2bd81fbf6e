/** Drives a machine of the client by events, as a transcript of effects, and counts transitions. */

import type { StateNode } from 'xstate';
import { clientStep, type ClientDefinition } from '../../src/machines/client/definition.js';
import type { Waits } from '../../src/machines/client/events.js';

export const waits: Waits = {
  answerMs: 10_000,
  bindMs: 20_000,
  idleMs: 30_000,
  retryMs: 2_000,
  farewellMs: 1_000,
};

/** An event of a scenario; `at` is seconds since its beginning and `fresh` follows from it. */
export type Told = { readonly type: string; readonly at?: number } & Record<string, unknown>;

export interface Drive {
  readonly transcript: string[];
  /** Transitions that were taken. */
  readonly taken: ReadonlySet<unknown>;
}

export function drive<Event, Effect extends { readonly type: string }>(
  definition: ClientDefinition<Event, Effect>,
  events: readonly Told[],
): Drive {
  const { machine, unborn } = definition.definition;
  const transcript: string[] = [];
  const taken = new Set<unknown>();
  let snapshot = unborn;
  for (const { at: seconds = 0, ...told } of events) {
    const at = seconds * 1000;
    const event = { fresh: `fresh${seconds}`, ...told, at } as unknown as Event & { type: string };
    const { value, context } = snapshot;
    const present = machine.resolveState({ value: value as string, context });
    for (const transition of machine.getTransitionData(present, event)) taken.add(transition);
    const step = clientStep(definition, snapshot, event);
    snapshot = step.snapshot;
    const detail = typeof told['name'] === 'string' ? ` ${told['name']}` : '';
    const ignored = step.handled ? '' : ' (ignored)';
    transcript.push(`${told.type}${detail} -> ${String(snapshot.value)}${ignored}`);
    for (const effect of step.effects) transcript.push(`  ${summary(effect, at)}`);
  }
  return { transcript, taken };
}

/** Transitions of the machine that none of the drives has taken. */
export function untaken(
  definition: ClientDefinition<never, never>,
  drives: readonly Drive[],
): string[] {
  const { root } = definition.definition.machine;
  const missing: string[] = [];
  const visit = (node: StateNode): void => {
    for (const [event, transitions] of node.transitions) {
      for (const [index, transition] of transitions.entries()) {
        if (drives.some(({ taken }) => taken.has(transition))) continue;
        missing.push(`${node.key} ${event} ${index}`);
      }
    }
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(root as StateNode);
  return missing;
}

function summary(effect: { readonly type: string }, now: number): string {
  const { type, at, name, dialog, ...fields } = effect as { readonly type: string } & Record<
    string,
    unknown
  >;
  if (type === 'timer.set') return `timer ${String(name)} in ${(Number(at) - now) / 1000} s`;
  if (type === 'timer.cancel') return `no timer ${String(name)}`;
  const parts = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [type, ...parts, ...(dialog === undefined ? [] : ['in dialog'])].join(' ');
}
