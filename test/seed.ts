/** One seed for every property test, so that a run can be repeated; FAST_CHECK_SEED sets another. */

import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_261_120) });
