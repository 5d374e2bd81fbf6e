import { defineConfig } from 'vitest/config';
import LongestFirst from './test/longest-first.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Nobody waits for these but a test that hangs; a machine that does other work may be slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // A process measures its own memory and time. It loads the server once, for all its files.
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    // Those that run beside each other wait for what never comes.
    maxConcurrency: 16,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['test/seed.ts', 'test/conformance/wire-watch.ts'],
    reporters: ['default', './test/conformance/conformance-reporter.ts', './test/closing-line.ts'],
  },
});
