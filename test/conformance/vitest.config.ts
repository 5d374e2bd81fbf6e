/** The run of `npm run conformance`: every file with tests that can pass a row, and the page. */

import { fileURLToPath } from 'node:url';
import shared from '../../vitest.config.js';
import ConformanceReporter, { evidence } from './conformance-reporter.js';
import { filesOf } from './run-outcomes.js';

const root = new URL('../../', import.meta.url);

export default {
  ...shared,
  test: {
    ...shared.test,
    root: fileURLToPath(root),
    include: [...filesOf(evidence)],
    reporters: ['default', new ConformanceReporter({ page: new URL('docs/conformance.md', root) })],
  },
};
