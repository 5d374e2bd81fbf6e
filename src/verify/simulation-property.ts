/** Properties of your own, judged while a simulation runs. */

import type { SimulatedMessage } from './simulation-ledger.js';
import type { SimulationFigures } from './simulator.js';

/** A simulation at the end of an hour of its time. */
export interface SimulationView {
  /** Milliseconds since it began. */
  readonly elapsedMs: number;
  /** Nothing goes wrong any more, and nothing is under way: the end. */
  readonly isQuiet: boolean;
  readonly figures: Readonly<SimulationFigures>;
  /** What users have sent, and what they know of it. */
  readonly messages: Iterable<Readonly<SimulatedMessage>>;
  /** Everything that the server of this moment counts, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface SimulationProperty {
  readonly name: string;
  /** What is wrong; undefined: nothing. */
  broken(view: SimulationView): string | undefined;
}
