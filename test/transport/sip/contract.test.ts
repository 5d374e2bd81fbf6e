/** The SIP endpoint passes the contract of SipPort. */

import { describe, test } from 'vitest';
import { sipPortContract } from '../../../src/testing/sip-port-contract.js';
import { openEndpoint } from './fixture.js';

describe('SipPort contract', () => {
  test.each([...sipPortContract])('$name', async ({ run }) => {
    await run((transport) => {
      const { endpoint, clock } = openEndpoint({
        listeners: [{ transport, host: '127.0.0.1', port: 0 }],
      });
      return {
        port: endpoint,
        address: () => endpoint.addresses[0]!,
        advance: (ms) => clock.advance(ms),
      };
    });
  });
});
