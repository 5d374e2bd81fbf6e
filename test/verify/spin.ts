/** Runs Spin over a model: the verifier is made once and searches as often as it is asked to. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasSpin =
  spawnSync('spin', ['-V']).status === 0 && spawnSync('gcc', ['--version']).status === 0;

if (!hasSpin) console.info('skipped: there is no `spin` or no `gcc`');

export interface Verdict {
  readonly errors: number;
  readonly states: number;
  /** What is wrong, as Spin says it. */
  readonly found: string | undefined;
}

export interface Verifier extends Disposable {
  /** Assertions and deadlocks, or one formula under weak fairness. */
  search(formula?: string): Verdict;
}

export function verifierOf(model: string): Verifier {
  const cwd = mkdtempSync(join(tmpdir(), 'spin-'));
  const run = (command: string, args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      ...{ cwd, encoding: 'utf8', maxBuffer: 1 << 26 },
      timeout: 120_000,
    });
    if (status !== 0) throw new Error(`${command} ${status}: ${stdout.slice(0, 500)}${stderr}`);
    return stdout;
  };
  writeFileSync(join(cwd, 'model.pml'), model);
  run('spin', ['-a', 'model.pml']);
  // Without optimisation: it takes longer than the search.
  run('gcc', ['-O0', '-w', '-DVECTORSZ=2048', '-DNFAIR=3', '-DNOREDUCE', '-o', 'pan', 'pan.c']);
  return {
    search: (formula) => {
      const how = formula === undefined ? ['-noclaim'] : ['-a', '-f', '-N', formula];
      const said = run('./pan', ['-m500000', ...how]);
      if (/Search not completed/.test(said) && !/errors: [1-9]/.test(said)) throw new Error(said);
      return {
        errors: Number(/errors: (\d+)/.exec(said)?.[1]),
        states: Number(/(\d+) states, stored/.exec(said)?.[1]),
        found: /^pan:\d+: (.*) \(at depth/m.exec(said)?.[1],
      };
    },
    [Symbol.dispose]: () => rmSync(cwd, { recursive: true }),
  };
}
