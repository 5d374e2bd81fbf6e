/** A failure of a simulation made smaller: fewer hours, users and kinds of faults. */

import { faultKinds, simulate } from './simulator.js';
import type { SimulationOptions, SimulationResult } from './simulator.js';

export type SimulationFailure = NonNullable<SimulationResult['failure']>;

export interface Smaller {
  readonly options: SimulationOptions;
  readonly failure: SimulationFailure;
}

/** Seeds that are tried for each smaller simulation: with fewer users chance runs another way. */
const seeds = 3;

/** The smallest simulation that is found to break the same property. */
export async function shrink(
  options: SimulationOptions,
  failure: SimulationFailure,
): Promise<Smaller> {
  const faults = options.faults ?? faultKinds;
  let best: Smaller = { options: { ...options, faults, hours: hoursOf(failure) }, failure };
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

async function attempt(
  { options, failure }: Smaller,
  change: Partial<SimulationOptions>,
): Promise<Smaller | undefined> {
  for (let next = 0; next < seeds; next++) {
    const given = { ...options, ...change, seed: options.seed + next };
    const result = await simulate(given);
    if (result.failure?.property !== failure.property) continue;
    const hours = Math.min(given.hours, hoursOf(result.failure));
    return { options: { ...given, hours }, failure: result.failure };
  }
  return undefined;
}

function hoursOf({ hour }: SimulationFailure): number {
  return Math.max(1, Math.ceil(hour));
}
