import { describe, expect, test } from 'vitest';
import { describeRun } from '../../../src/verify/run/report.js';
import { canRunMsilo, judgeMsilo } from './msilo.js';

describe.skipIf(!canRunMsilo)(
  'verify run judges Kamailio msilo (skipped where kamailio has no msilo with db_text)',
  () => {
    test('it stores, and delivers as it likes', async () => {
      const report = await judgeMsilo('udp');
      const text = describeRun(report);
      const verdicts = Object.fromEntries(report.items.map(({ id, verdict }) => [id, verdict]));
      expect(verdicts, text).toMatchObject({
        'IMSpec-DMT-S-001': 'passed',
        'IMSpec-DMT-S-002': 'failed',
        'IMSpec-DMT-S-003': 'failed',
        'IMSpec-DMT-S-004': 'failed',
        'IMSpec-DMT-S-006': 'failed',
        // How it takes settings, if it does, cannot be known.
        'IMSpec-DMT-S-008': 'inconclusive',
        'S1-DEL-USER': 'inconclusive',
        'S1-STORE-LM': 'inconclusive',
        'IMSpec-DMT-S-012': 'inconclusive',
      });
      expect(report.reachable).toBe(true);
    });
  },
);
