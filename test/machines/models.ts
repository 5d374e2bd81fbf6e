/** Every machine of the product as a model: the events that may come in a state, and what tells states apart. */

import { deletion } from '../../src/machines/client/deletion.js';
import { delivery } from '../../src/machines/client/delivery.js';
import { largeMessage } from '../../src/machines/client/large-message.js';
import { publication } from '../../src/machines/client/publication.js';
import { registration } from '../../src/machines/client/registration.js';
import { retrieval } from '../../src/machines/client/retrieval.js';
import { submission } from '../../src/machines/client/submission.js';
import { watcher } from '../../src/machines/client/watcher.js';
import type { AccountEvent } from '../../src/machines/events.js';
import type { ActorSnapshot, Definition, Step } from '../../src/machines/index.js';
import { alphabets } from './alphabet.js';
import { clientEvents } from './client-alphabet.js';
import { noon } from './facts.js';
import {
  essence as essenceOfTransaction,
  eventsOf,
  kinds,
  machines,
  runningAfter,
  settings,
  type Kind,
  type Running,
} from './sip/model.js';

/** A machine between two events; of a transaction with the timers that run. */
export interface Situation {
  readonly status: 'active';
  readonly snapshot: ActorSnapshot;
  readonly running: readonly Running[];
}

export interface Model {
  readonly name: string;
  readonly definition: Definition;
  events(situation: Situation): readonly AccountEvent[];
  /** States of one essence are one state for generators. */
  essence(situation: Situation): string;
}

/** What is there before the first event. */
export function beginning({ definition }: Model): Situation {
  return { status: 'active', snapshot: definition.unborn, running: [] };
}

/** The situation behind a step. */
export function behind(before: Situation, event: AccountEvent, step: Step): Situation {
  const running = runningAfter(before.running, event, step.effects);
  return { status: 'active', snapshot: step.snapshot, running };
}

const ofTheAccount: readonly Model[] = alphabets.map(({ name, definition, events, essence }) => ({
  name,
  definition,
  events: ({ snapshot }) => (snapshot.status === 'done' ? [] : events(snapshot, noon)),
  essence: ({ snapshot }) => JSON.stringify(essence(snapshot)),
}));

const definitionsOfTheClient = {
  'client-submission': submission,
  'client-large-message': largeMessage,
  'client-delivery': delivery,
  'client-retrieval': retrieval,
  'client-registration': registration,
  'client-watcher': watcher,
  'client-deletion': deletion,
  'client-publication': publication,
};

const ofTheClient: readonly Model[] = Object.entries(definitionsOfTheClient).map(
  ([name, { definition }]) => {
    const types = typesOf(definition.machine.root);
    return {
      name,
      definition,
      events: ({ snapshot }) =>
        (clientEvents(snapshot, noon) as AccountEvent[]).filter(({ type }) => types.has(type)),
      essence: ({ snapshot: { value, context } }) => JSON.stringify([value, context], counted),
    };
  },
);

interface Node {
  readonly transitions: ReadonlyMap<string, unknown>;
  readonly states: Readonly<Record<string, Node>>;
}

/** The types of events that a machine knows; those it only lets pass too, which XState leaves out. */
export function typesOf({ transitions, states }: Node): Set<string> {
  const types = new Set(transitions.keys());
  for (const state of Object.values(states)) for (const type of typesOf(state)) types.add(type);
  return types;
}

/** Beyond three one number is as good as another: CSeqs and times go on for ever. */
function counted(_name: string, field: unknown): unknown {
  return typeof field === 'number' ? Math.min(field, 3) : field;
}

const nameOfKind: Readonly<Record<Kind, string>> = {
  inviteServer: 'sip-invite-server',
  server: 'sip-server',
  inviteClient: 'sip-invite-client',
  client: 'sip-client',
};

/** A transaction with each of the settings: over UDP, over TCP, with brief timers. */
const ofTransactions: readonly Model[] = kinds.flatMap((kind) =>
  Object.values(settings).map((facts) => ({
    name: nameOfKind[kind],
    definition: machines[kind].definition,
    events: (situation: Situation) =>
      eventsOf(kind, situation, facts) as unknown as readonly AccountEvent[],
    essence: (situation: Situation) => essenceOfTransaction(situation, facts),
  })),
);

/** The models of every machine, by its name. */
export const models: ReadonlyMap<string, readonly Model[]> = byName([
  ...ofTheAccount,
  ...ofTheClient,
  ...ofTransactions,
]);

function byName(all: readonly Model[]): Map<string, readonly Model[]> {
  const found = new Map<string, readonly Model[]>();
  for (const model of all) found.set(model.name, [...(found.get(model.name) ?? []), model]);
  return found;
}
