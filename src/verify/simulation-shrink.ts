/** A failure of a simulation made smaller: fewer hours, users and kinds of faults. */

import { faultKinds, simulate } from './simulator.js';
import type { SimulationOptions, SimulationResult } from './simulator.js';

export type SimulationFailure = NonNullable<SimulationResult['failure']>;

/** What the options of every simulation have. */
interface Shrinkable {
  readonly seed: number;
  readonly hours: number;
  readonly users: number;
  readonly faults?: readonly string[];
}

export interface Smaller<Options = SimulationOptions> {
  readonly options: Options;
  readonly failure: SimulationFailure;
}

/** Seeds that are tried for each smaller simulation: with fewer users chance runs another way. */
const seeds = 3;

/** The smallest simulation that is found to break the same property. */
export function shrink(options: SimulationOptions, failure: SimulationFailure): Promise<Smaller> {
  return shrinkRun({ run: simulate, kinds: faultKinds }, { options, failure });
}

/** The same for a simulation that is run by `run` and knows the faults `kinds`. */
export async function shrinkRun<Options extends Shrinkable>(
  simulation: {
    readonly run: (
      options: Options,
    ) => Promise<{ readonly failure: SimulationFailure | undefined }>;
    readonly kinds: readonly string[];
  },
  { options, failure }: Smaller<Options>,
): Promise<Smaller<Options>> {
  const faults = options.faults ?? simulation.kinds;
  const attempt = async (
    from: Smaller<Options>,
    change: Partial<Shrinkable>,
  ): Promise<Smaller<Options> | undefined> => {
    for (let next = 0; next < seeds; next++) {
      const given = { ...from.options, ...change, seed: from.options.seed + next };
      const result = await simulation.run(given);
      if (result.failure?.property !== failure.property) continue;
      const hours = Math.min(given.hours, hoursOf(result.failure));
      return { options: { ...given, hours }, failure: result.failure };
    }
    return undefined;
  };
  const hours = Math.min(options.hours, hoursOf(failure));
  let best: Smaller<Options> = { options: { ...options, faults, hours }, failure };
  for (let users = Math.ceil(options.users / 2); users >= 2; users = Math.ceil(users / 2)) {
    const smaller = await attempt(best, { users });
    if (!smaller) break;
    best = smaller;
    if (users === 2) break;
  }
  for (const kind of faults) {
    const fewer = (best.options.faults ?? faults).filter((other) => other !== kind);
    best = (await attempt(best, { faults: fewer })) ?? best;
  }
  return best;
}

function hoursOf({ hour }: SimulationFailure): number {
  return Math.max(1, Math.ceil(hour));
}
