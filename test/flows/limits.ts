/** Limits for flows and tests of actors: the defaults of the product, small enough to reach. */

import type { Limits } from '../../src/machines/events.js';

export const limits: Limits = {
  expiry: { enabled: true, default: 604_800, max: 2_592_000, large: 604_800, skewMs: 86_400_000 },
  quota: { messages: 5, octets: 100_000 },
  register: { min: 60, default: 3600, max: 604_800, contacts: 10, burstMs: 2000 },
  subscribe: { min: 60, default: 3600, max: 86_400, count: 20, throttleMs: 1000, headers: 10 },
  publish: { min: 60, default: 3600, max: 86_400, count: 3 },
  deletion: { batch: 2, removalMs: 1000 },
  push: { default: true, window: 16, retryMs: 5000, retryMaxMs: 600_000, after: 'delete' },
  retrieval: {
    whenPushActive: 'serve',
    recvonly: 'effective',
    after: 'keep',
    count: 8,
    waitMs: 32_000,
    emptyMs: 2000,
  },
  recording: {
    sendonly: false,
    files: false,
    count: 2,
    messages: 4,
    octets: 50_000,
    idleMs: 60_000,
  },
  forward: {
    ...{ mode: 'off', devices: 'one', count: 2, waitMs: 16_000 },
    ...{ bridges: 2, ringMs: 120_000, sessionMs: 3_600_000 },
  },
  conference: { min: 60, default: 3600, max: 7200, count: 2, throttleMs: 5000, users: 4 },
  reportGraceMs: 30_000,
  reportOnUserDelete: 'failed',
};
