/** Tests a server: plays paths beside each other, and says of each item whether it is met. */

import { systemRandom } from '../../system.js';
import type { Trace } from '../../ports.js';
import { deadlineIn, deadlinePassed, type Deadline } from './at-most.js';
import type { Case } from './case.js';
import { trialOfCase, untried } from './case-trial.js';
import type { Path } from './play.js';
import { describeTarget, type RunSettings } from './settings.js';
import { trialOf, type Trial } from './trial.js';
import { verdictsOf, type ItemVerdict, type Result } from './verdicts.js';

export interface RunReport {
  readonly target: string;
  /** Whether the target has said anything at all. */
  readonly reachable: boolean;
  readonly seconds: number;
  /** Paths and cases. */
  readonly paths: { readonly played: number; readonly stopped: number; readonly left: number };
  readonly checks: number;
  readonly items: readonly ItemVerdict[];
  /** Of all items that were tried. */
  readonly verdict: 'passed' | 'failed' | 'inconclusive';
}

export interface RunOptions {
  readonly settings: RunSettings;
  readonly paths: readonly Path[];
  readonly cases?: readonly Case[];
  readonly trace?: Trace;
  /** Hears of each path and case that was played. */
  readonly onPath?: (played: number, of: number) => void;
}

/** The first path is played alone: a target that does not answer there is not asked further. */
export async function runTarget(options: RunOptions): Promise<RunReport> {
  return new Run(options).run();
}

class Run {
  readonly #options: RunOptions;
  readonly #trials: readonly Trial[];
  readonly #results: Result[] = [];
  readonly #begun = performance.now();
  readonly #deadline: Deadline;
  readonly #prefix = `conformance-${systemRandom.token(6).toLowerCase()}`;
  #next = 0;
  #stopped = 0;
  #left = 0;
  #reachable = false;

  constructor(options: RunOptions) {
    const { paths, cases = [], settings } = options;
    this.#options = options;
    this.#deadline = deadlineIn(settings.deadlineMs);
    const trials = paths.map(trialOf);
    for (const one of cases) {
      const lacking = one.lacks?.(settings);
      if (lacking === undefined) trials.push(trialOfCase(one));
      else this.#results.push(untried(one, lacking));
    }
    this.#trials = trials;
  }

  async run(): Promise<RunReport> {
    const { settings } = this.#options;
    const trials = this.#trials;
    await this.#playNext();
    const workers = Array.from({ length: this.#reachable ? settings.parallel : 0 }, async () => {
      while (this.#next < trials.length) await this.#playNext();
    });
    await Promise.all(workers);
    for (; this.#next < trials.length; this.#next++) {
      this.#leave(trials[this.#next]!, 'the target has not answered');
    }
    return this.#report();
  }

  async #playNext(): Promise<void> {
    const { settings, trace, onPath } = this.#options;
    const index = this.#next++;
    const trial = this.#trials[index];
    if (trial === undefined) return;
    const user = settings.users === undefined ? `${this.#prefix}-${index}` : settings.users[index];
    if (user === undefined) {
      this.#leave(trial, 'no user is left for this path');
      return;
    }
    if (this.#deadline.isOver) {
      this.#leave(trial, deadlinePassed);
      return;
    }
    const result = await trial.play({ settings, user, trace, deadline: this.#deadline });
    const { played } = result;
    this.#reachable ||= played.heard;
    if (played.stopped) this.#stopped++;
    this.#results.push(this.#reachable ? result : trial.left('the target has not answered'));
    onPath?.(this.#results.length, this.#trials.length);
  }

  #leave(trial: Trial, why: string): void {
    this.#left++;
    this.#results.push(trial.left(why));
  }

  #report(): RunReport {
    const verdicts = verdictsOf(this.#results);
    const some = (wanted: string): boolean => verdicts.some(({ verdict }) => verdict === wanted);
    const isKnown = some('passed') && !some('inconclusive');
    return {
      target: describeTarget(this.#options.settings.target),
      reachable: this.#reachable,
      seconds: (performance.now() - this.#begun) / 1000,
      paths: {
        played: this.#trials.length - this.#left,
        ...{ stopped: this.#stopped, left: this.#left },
      },
      checks: verdicts.reduce((sum, { checks }) => sum + checks, 0),
      items: verdicts,
      verdict: some('failed') ? 'failed' : isKnown ? 'passed' : 'inconclusive',
    };
  }
}
