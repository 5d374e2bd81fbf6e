/** What a picture of a machine shows: one arrow from a state to another, with all its labels. */

import {
  statesOf,
  type MachineDescription,
  type TransitionDescription,
} from '../machines/index.js';

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly labels: readonly string[];
}

/** In the order of the machine; what holds in every state starts from each state outside others. */
export function arrowsOf(machine: MachineDescription): Arrow[] {
  const arrows = new Map<string, { from: string; to: string; labels: string[] }>();
  const add = (from: string, { target: to, ...transition }: TransitionDescription): void => {
    if (to === undefined) return;
    const key = `${from} ${to}`;
    const arrow = arrows.get(key) ?? { from, to, labels: [] };
    arrows.set(key, arrow);
    const label = labelOf(transition);
    if (!arrow.labels.includes(label)) arrow.labels.push(label);
  };
  for (const state of machine.states) {
    for (const transition of machine.transitions) add(state.path, transition);
  }
  for (const state of statesOf(machine)) {
    for (const transition of state.transitions) add(state.path, transition);
  }
  return [...arrows.values()];
}

/** The innermost state that is entered by entering this one. */
export function innermost(machine: MachineDescription, path: string): string {
  const state = statesOf(machine).find((other) => other.path === path);
  return state?.initial === undefined ? path : innermost(machine, state.initial);
}

function labelOf({ event = 'always', guard }: TransitionDescription): string {
  return guard === undefined ? event : `${event} [${guard}]`;
}
