/** Mutation of the machines: `npm run mutation`, or a sample of it in every run of CI. */

import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const folder = import.meta.dirname;
const collected = join(folder, 'collected.ts').replaceAll('\\', '/');
const scenarios = join(folder, 'scenarios.ts').replaceAll('\\', '/');

export default defineConfig({
  root: join(folder, '../..'),
  plugins: [
    {
      name: 'tests-are-collected',
      enforce: 'pre',
      transform: (code, id) => {
        if (/\/test\/(machines|actors)\/[\w-]+\.test\.ts$/.test(id)) {
          return code.replace("from 'vitest'", `from '${collected}'`);
        }
        if (!/\/test\/client\/(request|session)-machines\.test\.ts$/.test(id)) return undefined;
        return code.replace("from './scenarios.js'", `from '${scenarios}'`);
      },
    },
  ],
  test: {
    include: ['test/mutation/*.mutation.ts'],
    testTimeout: 3_600_000,
    pool: 'threads',
    reporters: ['default'],
  },
});
