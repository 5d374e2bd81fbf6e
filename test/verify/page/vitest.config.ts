/** The run of `npm run verification`: it writes a page, and is no test. */

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../../../', import.meta.url)),
  test: { include: ['test/verify/page/write{,-others}.ts'], pool: 'threads' },
});
