/** The drachtio adapter passes the contract of SipPort for what it declares. */

import { describe, test } from 'vitest';
import { sipPortContractOf } from '../../../src/testing/sip-port-contract.js';
import { drachtioCapabilities } from '../../../src/transport/drachtio.js';
import { openDrachtio } from './fixture.js';

describe('SipPort contract, drachtio-srf before a stand-in of drachtio-server', () => {
  test.each([...sipPortContractOf(drachtioCapabilities)])('$name', async ({ run }) => {
    await run(async (transport) => {
      const { port, server, clock } = await openDrachtio(transport);
      return {
        port,
        address: () => server.address,
        advance: (ms) => clock.advance(ms),
        close: () => server.stop(),
      };
    });
  });
});
