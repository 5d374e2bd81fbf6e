/** Tests a server: plays paths beside each other, and says of each item whether it is met. */

import { systemRandom } from '../../system.js';
import type { Trace } from '../../ports.js';
import { advance, beginning } from './model.js';
import { expectationOf } from './expectation.js';
import type { Check } from './judge.js';
import { playPath, type Path, type Played } from './play.js';
import type { RunSettings } from './settings.js';
import { verdictsOf, type ItemVerdict, type Result } from './verdicts.js';

export interface RunReport {
  readonly target: string;
  /** Whether the target has said anything at all. */
  readonly reachable: boolean;
  readonly seconds: number;
  readonly paths: { readonly played: number; readonly stopped: number; readonly left: number };
  readonly checks: number;
  readonly items: readonly ItemVerdict[];
  /** Of all items that apply. */
  readonly verdict: 'passed' | 'failed' | 'inconclusive';
}

export interface RunOptions {
  readonly settings: RunSettings;
  readonly paths: readonly Path[];
  readonly trace?: Trace;
  /** Hears of each path that was played. */
  readonly onPath?: (played: number, of: number) => void;
}

/** The first path is played alone: a target that does not answer there is not asked further. */
export async function runTarget(options: RunOptions): Promise<RunReport> {
  return new Run(options).run();
}

class Run {
  readonly #options: RunOptions;
  readonly #results: Result[] = [];
  readonly #begun = Date.now();
  readonly #prefix = `conformance-${systemRandom.token(6).toLowerCase()}`;
  #next = 0;
  #stopped = 0;
  #left = 0;
  #reachable = false;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  async run(): Promise<RunReport> {
    const { settings, paths } = this.#options;
    await this.#playNext();
    const workers = Array.from({ length: this.#reachable ? settings.parallel : 0 }, async () => {
      while (this.#next < paths.length) await this.#playNext();
    });
    await Promise.all(workers);
    for (; this.#next < paths.length; this.#next++) {
      this.#leave(paths[this.#next]!, 'the target has not answered');
    }
    return this.#report();
  }

  async #playNext(): Promise<void> {
    const { settings, paths, trace, onPath } = this.#options;
    const index = this.#next++;
    const path = paths[index];
    if (path === undefined) return;
    const user = settings.users === undefined ? `${this.#prefix}-${index}` : settings.users[index];
    if (user === undefined) {
      this.#leave(path, 'no user is left for this path');
      return;
    }
    if (Date.now() - this.#begun >= settings.deadlineMs) {
      this.#leave(path, 'the deadline has passed');
      return;
    }
    const played = await playPath({ settings, path, user, trace });
    this.#reachable ||= played.heard;
    if (played.stopped) this.#stopped++;
    const known = this.#reachable ? played : unheard(path, 'the target has not answered');
    this.#results.push({ path, played: known });
    onPath?.(this.#results.length, paths.length);
  }

  #leave(path: Path, why: string): void {
    this.#left++;
    this.#results.push({ path, played: unheard(path, why) });
  }

  #report(): RunReport {
    const { settings, paths } = this.#options;
    const { host, port, transport } = settings.target;
    const verdicts = verdictsOf(this.#results);
    const applicable = verdicts.filter(({ verdict }) => verdict !== 'not applicable');
    const some = (wanted: string): boolean => applicable.some(({ verdict }) => verdict === wanted);
    return {
      target: `sip:${host.includes(':') ? `[${host}]` : host}:${port};transport=${transport}`,
      reachable: this.#reachable,
      seconds: (Date.now() - this.#begun) / 1000,
      paths: {
        played: paths.length - this.#left,
        ...{ stopped: this.#stopped, left: this.#left },
      },
      checks: verdicts.reduce((sum, { checks }) => sum + checks, 0),
      items: verdicts,
      verdict: some('failed') ? 'failed' : some('inconclusive') ? 'inconclusive' : 'passed',
    };
  }
}

/** Nothing is known of what the path would have shown. */
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
