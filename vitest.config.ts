import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    pool: 'threads',
    maxWorkers: 2,
    setupFiles: ['test/seed.ts', 'test/conformance/wire-watch.ts'],
    reporters: ['default', './test/conformance/conformance-reporter.ts', './test/closing-line.ts'],
  },
});
