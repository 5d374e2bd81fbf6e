/** Which transitions of the machines a step takes, as XState names them. */

import type { AccountEvent, Address } from '../../machines/events.js';
import { definitionOf, step } from '../../machines/index.js';
import type { ActorSnapshot, AtRest, Definition, Step } from '../../machines/index.js';
import type { AccountState } from '../bounded-account.js';
import type { Advance } from './model.js';

/** What is told of a state node and of a transition of it. */
interface Node {
  readonly id: string;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  readonly always?: readonly Transition[];
  readonly states: Readonly<Record<string, Node>>;
}

interface Transition {
  readonly source: Node;
  readonly eventType: string;
}

/** The machines that a client and a sender meet. */
const walked = ['mailbox', 'ua/1', 'push/1', 'focus/1', 'subscription/1'] as const;

/** `push.running.inviting invite.answered 2`: every transition behind an event. */
export function allTransitions(): readonly string[] {
  return walked.flatMap((address) => {
    const { machine } = definitionOf(address);
    return namesIn(machine.root);
  });
}

/** The transitions of an advance from that state. */
export function transitionsTaken(state: AccountState, told: Advance['told']): ReadonlySet<string> {
  const taken = new Set<string>();
  walk(state, told, ({ machine }, { value, context }, event) => {
    const present = machine.resolveState({ value: value as string, context });
    const chosen = machine.getTransitionData(present, event) as unknown as readonly Transition[];
    for (const transition of chosen) taken.add(nameOf(transition));
  });
  return taken;
}

/**
 * What an advance looks like from outside the machines: states before and behind each event, and
 * effects. Found in a fraction of the time, and as good for telling whether a step is a new one.
 */
export function shapesTaken(state: AccountState, told: Advance['told']): ReadonlySet<string> {
  const taken = new Set<string>();
  walk(state, told, ({ machine }, { value }, { type }, next) => {
    const effects = next.effects.map((effect) =>
      'status' in effect ? `${effect.type} ${effect.status}` : effect.type,
    );
    const places = [value, next.snapshot.value].map((one) => JSON.stringify(one));
    taken.add([machine.id, type, ...places, ...effects].join(' '));
  });
  return taken;
}

function walk(
  state: AccountState,
  told: Advance['told'],
  visit: (definition: Definition, before: ActorSnapshot, event: AccountEvent, next: Step) => void,
): void {
  const actors = new Map<Address, ActorSnapshot>();
  for (const { to, event } of told) {
    const definition = definitionOf(to);
    const before = actors.get(to) ?? snapshotIn(state, to) ?? definition.unborn;
    const next = step(definition, before, event);
    visit(definition, before, event, next);
    if (next.snapshot.status === 'done') actors.delete(to);
    else actors.set(to, next.snapshot);
  }
}

function snapshotIn({ memory, store }: AccountState, address: Address): ActorSnapshot | undefined {
  const actor = memory?.actors.get(address);
  if (actor) return actor.snapshot;
  const row = store.rows.get(address.startsWith('ua/') ? address.replace('/', ' ') : '');
  return row && definitionOf(address).revive(row.value as AtRest);
}

function namesIn(node: Node): string[] {
  const names: string[] = [];
  for (const [type, transitions] of node.transitions) {
    transitions.forEach((_transition, i) => names.push(`${node.id} ${type} ${i}`));
  }
  return [...names, ...Object.values(node.states).flatMap(namesIn)];
}

function nameOf(transition: Transition): string {
  const { source, eventType } = transition;
  const place = source.transitions.get(eventType)?.indexOf(transition) ?? -1;
  return `${source.id} ${eventType} ${place}`;
}
