/** Machines that note which of their transitions are taken, and otherwise are those of the product. */

import { assign } from 'xstate';
import type { Address } from '../../../src/machines/events.js';
import { definitionOf, type Definition } from '../../../src/machines/index.js';
import { snapshotAt, unborn } from '../../../src/machines/step.js';
import { configOf, machineOf, visitTransitions } from '../../mutation/altered.js';

export class Notes {
  /** Names of the transitions of all machines that were met. */
  readonly known = new Map<string, ReadonlySet<string>>();
  #taken = new Set<string>();
  readonly #definitions = new Map<Definition, Definition>();

  readonly definitionOf = (address: Address): Definition => {
    const original = definitionOf(address);
    const found = this.#definitions.get(original) ?? this.#noted(original);
    this.#definitions.set(original, found);
    return found;
  };

  /** What was taken since the last call. */
  take(): ReadonlySet<string> {
    const taken = this.#taken;
    this.#taken = new Set();
    return taken;
  }

  #noted(original: Definition): Definition {
    const config = configOf(original.machine);
    const actions: Record<string, unknown> = {};
    const names = new Set<string>();
    visitTransitions(config, (transition, where) => {
      const name = `${original.machine.id} ${where}`;
      names.add(name);
      actions[name] = assign(() => {
        this.#taken.add(name);
        return {};
      });
      transition.actions = [name, ...((transition.actions ?? []) as unknown[])];
    });
    this.known.set(original.machine.id, names);
    const machine = machineOf(original.machine, config, {}, actions);
    return {
      ...original,
      machine,
      unborn: unborn(machine),
      revive: (atRest) => {
        const { value, context } = original.revive(atRest);
        return snapshotAt(machine, value, context);
      },
    };
  }
}
