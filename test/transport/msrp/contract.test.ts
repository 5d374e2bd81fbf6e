/** The endpoint over TCP fulfils the contract of `MsrpPort`. */

import { test } from 'vitest';
import { systemClock, systemRandom } from '../../../src/system.js';
import { msrpPortContract } from '../../../src/testing/msrp-port-contract.js';
import { createMsrpEndpoint } from '../../../src/transport/msrp/endpoint.js';
import { recordingLog } from './raw-peer.js';

test.each(msrpPortContract)('$name', async ({ run }) => {
  await run(() =>
    createMsrpEndpoint({
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      random: systemRandom,
      log: recordingLog(),
    }),
  );
});
