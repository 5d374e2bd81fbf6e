/** A machine of the client, and one step of it with the types of its own events and effects. */

import type { AnyStateMachine } from 'xstate';
import { step, unborn, type ActorSnapshot, type Definition } from '../step.js';

/** A machine that lives in memory only. The type parameters bind its events and effects. */
export interface ClientDefinition<Event, Effect> {
  readonly definition: Definition;
  /** Never there; carries the types. */
  readonly types?: { readonly event: Event; readonly effect: Effect };
}

export interface ClientStep<Effect> {
  readonly snapshot: ActorSnapshot;
  readonly effects: readonly Effect[];
  readonly handled: boolean;
}

export function clientDefinition<Event, Effect>(
  machine: AnyStateMachine,
): ClientDefinition<Event, Effect> {
  return {
    definition: {
      machine,
      unborn: unborn(machine),
      birth: [],
      rest: () => undefined,
      revive: () => unborn(machine),
    },
  };
}

/** Steps the machine by one event; without a snapshot it begins. */
export function clientStep<Event, Effect>(
  { definition }: ClientDefinition<Event, Effect>,
  snapshot: ActorSnapshot | undefined,
  event: Event,
): ClientStep<Effect> {
  // The step is the same for every machine; its signature names the dictionary of the server.
  return step(definition, snapshot, event as never) as unknown as ClientStep<Effect>;
}
