import { expect, test } from 'vitest';
import { checkTrace } from '../../../../src/verify/check/check.js';
import { isInstalled } from '../../../server-process.js';
import { recordMsilo } from './record.js';

test.skipIf(!isInstalled('kamailio'))(
  'what Kamailio msilo does otherwise (skipped where kamailio is not installed)',
  async () => {
    const { messages, server } = await recordMsilo();
    const { servers, violations } = checkTrace({ messages, remarks: [] });
    expect(servers).toEqual([server]);
    expect(violations.map(({ clause, found }) => `${clause.id}: ${found}`)).toEqual([
      'IMSpec-DMT-S-002: message waiting is not known',
      'IMSpec-DMT-S-006: a retrieval is not known',
      'S4-603-LM: 405 Method Not Allowed to INVITE is not explained',
      'S2-PUSH-FLOW: a stored message comes as MESSAGE',
      'S2-PUSH-FLOW: a stored message comes as MESSAGE',
    ]);
  },
);
