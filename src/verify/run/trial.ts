/** Something to play against a target: a path of the machines. */

import { expectationOf } from './expectation.js';
import type { Check } from './judge.js';
import { advance, beginning } from './model.js';
import { playPath, type Path, type Played, type Playing } from './play.js';
import { describeStep } from './step.js';
import type { Result } from './verdicts.js';

export interface Trial {
  play(playing: Playing): Promise<Result>;
  /** Nothing is known of what it would have shown. */
  left(why: string): Result;
}

export function trialOf(path: Path): Trial {
  const steps = path.map(describeStep);
  return {
    play: async (playing) => ({ steps, played: await playPath(playing, path) }),
    left: (why) => ({ steps, played: unheard(path, why) }),
  };
}

function unheard(path: Path, why: string): Played {
  const checks: Check[] = [];
  let state = beginning();
  for (const [index, step] of path.entries()) {
    const next = advance(state, step, index);
    for (const owed of next.owed) {
      const occasion = { step, index, withinMs: 0, notified: false };
      const { item, clause, text: expected } = expectationOf(owed, occasion);
      if (item !== undefined) checks.push({ step: index, item, clause, expected, unknown: why });
    }
    ({ state } = next);
  }
  return { checks, heard: false, stopped: { step: 0, why } };
}
