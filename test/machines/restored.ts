/** A machine that is kept by the codec of the store between any two events. */

import type { AccountEvent } from '../../src/machines/events.js';
import {
  sameAtRest,
  step,
  type ActorSnapshot,
  type Definition,
  type Step,
} from '../../src/machines/index.js';
import { snapshotAt } from '../../src/machines/step.js';
import { decodeRow, encodeRow } from '../../src/store/rows.js';

const key = Buffer.from('actor');

/** The snapshot as it comes back from a row. */
export function restored(
  { machine }: Definition,
  { value, context }: ActorSnapshot,
): ActorSnapshot {
  const kept = decodeRow(key, encodeRow(key, { value, context })) as ActorSnapshot;
  return snapshotAt(machine, kept.value, kept.context);
}

/** Whether the rest form comes back from a row as it was, and revives as the one before it. */
export function restsWell(definition: Definition, snapshot: ActorSnapshot): boolean {
  const atRest = definition.rest(snapshot);
  if (atRest === undefined) return true;
  const kept = decodeRow(key, encodeRow(key, atRest)) as typeof atRest;
  const again = definition.rest(definition.revive(kept));
  const once = definition.rest(definition.revive(atRest));
  return JSON.stringify(again) === JSON.stringify(once) && sameAtRest(atRest, once);
}

export class RestoredMachine {
  readonly #definition: Definition;
  snapshot: ActorSnapshot;

  constructor(definition: Definition, snapshot: ActorSnapshot = definition.unborn) {
    this.#definition = definition;
    this.snapshot = snapshot;
  }

  /** One step of the table, from what was kept to what is kept. */
  take(event: AccountEvent): Step {
    const result = step(this.#definition, this.snapshot, event);
    this.snapshot = restored(this.#definition, result.snapshot);
    return result;
  }
}
