/** Fuzzing of the parsers: the committed corpus and some fixed seeds, or long (FUZZ_MINUTES). */

import { describe, expect, test } from 'vitest';
import { addToCorpus, readCorpus } from './corpus.js';
import { watchCoverage } from './coverage.js';
import { fuzzMinutes, fuzzSeed, fuzzTimeoutMs, memoryInUse, tell } from './duration.js';
import { fuzz } from './engine.js';
import type { Finding, FuzzResult, Target } from './engine.js';
import { targets } from './targets.js';

const executionsInCi = 1_500;
const growthMax = 32 * 1024 * 1024;

describe.each(targets)('TP-07: fuzzing of $name', (target) => {
  test('the corpus shows no defect', () => {
    for (const input of readCorpus(target.name)) target.run(input);
  });

  test('changed inputs give data or a WireError', { timeout: fuzzTimeoutMs }, () => {
    const seeds = [...target.seeds, ...readCorpus(target.name)];
    const isLong = fuzzMinutes > 0;
    const before = memoryInUse();
    const result = isLong ? guidedThenPlain({ ...target, seeds }) : inCi({ ...target, seeds });
    const after = memoryInUse();
    if (isLong) {
      addToCorpus(target.name, result.added);
      tell(
        `${target.name} seed ${fuzzSeed}: ${result.executions} executions, ` +
          `${result.added.length} inputs ran code that none had run, ` +
          `${result.findings.length} findings`,
      );
    }
    addToCorpus(target.name, findingInputs(result.findings), 'finding-');
    expect(result.findings.map(describeFinding)).toEqual([]);
    expect(after.heap - before.heap).toBeLessThan(growthMax);
    expect(after.outside - before.outside).toBeLessThan(growthMax);
  });
});

function inCi(target: Target): FuzzResult {
  const goesOn = ({ executions }: FuzzResult) => executions < executionsInCi;
  return fuzz(target, { seed: fuzzSeed, goesOn });
}

/** V8 counts blocks slowly: a third of the time looks for new ones, the rest builds on them. */
function guidedThenPlain(target: Target): FuzzResult {
  const lengthMs = (fuzzMinutes * 60_000) / targets.length;
  const [start, coverage] = [Date.now(), watchCoverage('/src/wire/')];
  const until = (end: number) => () => Date.now() < start + end;
  const guided = fuzz(target, { seed: fuzzSeed, goesOn: until(lengthMs / 3), coverage });
  coverage.end();
  const seeds = [...target.seeds, ...guided.added];
  const plain = fuzz({ ...target, seeds }, { seed: fuzzSeed + 1, goesOn: until(lengthMs) });
  return {
    executions: guided.executions + plain.executions,
    findings: [...guided.findings, ...plain.findings],
    added: guided.added,
  };
}

function findingInputs(findings: readonly Finding[]): Buffer[] {
  return findings.map(({ input }) => input);
}

function describeFinding({ input, error }: Finding): string {
  const why = error instanceof Error ? error.stack : String(error);
  return `${JSON.stringify(input.toString('latin1').slice(0, 600))} → ${why}`;
}
