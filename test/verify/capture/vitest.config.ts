/** The run of `npm run captures`: it records captures for tests, and is no test. */

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../../../', import.meta.url)),
  test: { include: ['test/verify/capture/record.ts'], pool: 'threads' },
});
