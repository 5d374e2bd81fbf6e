/** What judges the mutants that Stryker makes in the bodies of guards, changes and effects. */

import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: join(import.meta.dirname, '../../..'),
  test: {
    include: ['test/machines/{counts,policy,policy-media,focus}.test.ts'],
    setupFiles: ['test/seed.ts'],
    testTimeout: 60_000,
  },
});
