/** The loop: pick an input, change it, run it, keep it when it reached something. */

import type { Coverage } from './coverage.js';
import { drawFrom } from './draw.js';
import { mutate } from './mutate.js';

export interface Target {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  readonly words: readonly string[];
  /** Mends what a change is bound to break, such as a length; done to every other input. */
  readonly mend?: (bytes: Buffer) => Buffer;
  /** Throws when the input shows a defect. */
  run(bytes: Buffer): void;
}

export interface Finding {
  readonly input: Buffer;
  readonly error: unknown;
}

export interface FuzzResult {
  executions: number;
  readonly findings: Finding[];
  /** Inputs that ran a block no input before had run. */
  readonly added: Buffer[];
}

export interface FuzzOptions {
  readonly seed: number;
  /** Goes on while this holds; asked once per batch. */
  readonly goesOn: (result: FuzzResult) => boolean;
  readonly coverage?: Coverage;
}

const batchSize = 64;
const findingsMax = 5;
const keptBytesMax = 4096;

export function fuzz(target: Target, options: FuzzOptions): FuzzResult {
  const draw = drawFrom(options.seed);
  const corpus = [...target.seeds];
  const result: FuzzResult = { executions: 0, findings: [], added: [] };
  const { coverage } = options;
  for (const input of corpus) attempt(target, input, result);
  const seen = coverage?.take() ?? new Set<string>();
  while (options.goesOn(result) && result.findings.length < findingsMax) {
    const batch: Buffer[] = [];
    for (let n = 0; n < batchSize; n++) {
      const changed = mutate(draw.pick(corpus), draw, { corpus, words: target.words });
      const mended = target.mend && draw.once(2) ? target.mend(changed) : changed;
      // A copy that owns its octets: a view would keep what it was cut from.
      batch.push(Buffer.from(mended));
    }
    for (const input of batch) attempt(target, input, result);
    const fresh = coverage && without(coverage.take(), seen);
    if (coverage === undefined || fresh === undefined || fresh.size === 0) continue;
    for (const block of fresh) seen.add(block);
    const kept = thoseThatRan(target, batch, fresh, coverage);
    result.added.push(...kept);
    corpus.push(...kept);
  }
  return result;
}

/** Runs a batch once more, one at a time, to tell whose blocks were fresh. */
function thoseThatRan(
  target: Target,
  batch: readonly Buffer[],
  fresh: Set<string>,
  coverage: Coverage,
): Buffer[] {
  const kept: Buffer[] = [];
  let missing = fresh;
  for (const input of batch) {
    if (missing.size === 0) break;
    try {
      target.run(input);
    } catch {
      // A finding of the first run; it is not counted twice.
    }
    const left = without(missing, coverage.take());
    if (left.size < missing.size && input.length <= keptBytesMax) kept.push(input);
    missing = left;
  }
  return kept;
}

function without(blocks: Set<string>, others: Set<string>): Set<string> {
  return new Set([...blocks].filter((block) => !others.has(block)));
}

function attempt(target: Target, input: Buffer, result: FuzzResult): void {
  result.executions++;
  try {
    target.run(input);
  } catch (error) {
    result.findings.push({ input, error });
  }
}
