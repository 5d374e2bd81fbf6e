/** A reporter that says how the rows of docs/conformance.md fared in a run, and may write them. */

import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { chapters, conformanceTests, ids } from './chapters.js';
import { closingLine, conformancePage, conformanceRows, missing } from './conformance-page.js';
import { counts } from './evidence.js';
import { filesOf, isIdle, outcomesOf } from './run-outcomes.js';
import type { RunTest } from './run-outcomes.js';

export interface ConformanceReporterOptions {
  /** Where the page is written; without it the rows are only looked at. */
  readonly page?: URL;
}

/** Tests that can pass a row of some level. */
export const evidence = conformanceTests.filter((test) => counts('decision', test));

export default class ConformanceReporter implements Reporter {
  readonly #page: URL | undefined;
  #root = '';
  #isNarrowed = false;

  constructor({ page }: ConformanceReporterOptions = {}) {
    this.#page = page;
  }

  onInit({ config }: Vitest): void {
    this.#root = config.root;
    this.#isNarrowed = config.testNamePattern !== undefined;
  }

  /** Says nothing about a run of a part of the tests. */
  onTestRunEnd(modules: readonly TestModule[]): void {
    const fileOf = (module: TestModule): string => relative(this.#root, module.moduleId);
    const ran = new Set(modules.map(fileOf));
    if (this.#isNarrowed || [...filesOf(evidence)].some((file) => !ran.has(file))) return;
    const run = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => asRun(fileOf(module), test)),
    );
    const rows = conformanceRows(chapters, conformanceTests, outcomesOf(run));
    if (this.#page) writeFileSync(this.#page, conformancePage(chapters, rows));
    process.stdout.write(`\n${closingLine(rows)}\n`);
    const idle = run.filter((test) => isIdle(test) && carriesId(test));
    for (const { file, titles } of idle) {
      process.stdout.write(`conformance: moves nothing over a socket: ${file}: ${titles[0]}\n`);
    }
    if (missing(rows).length > 0 || idle.length > 0) process.exitCode = 1;
  }
}

function carriesId({ titles }: RunTest): boolean {
  const words = titles.flatMap((title) => title.split(/[^\w-]+/));
  return words.some((word) => ids.has(word));
}

function asRun(file: string, test: TestCase): RunTest {
  const titles = [test.name];
  for (let { parent } = test; parent.type === 'suite'; { parent } = parent) {
    titles.push(parent.name);
  }
  return { file, titles, state: test.result().state, wire: test.meta().wire };
}
