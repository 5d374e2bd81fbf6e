/** How small the world of the Promela model is: two messages, two times, one client. */

import type { Limits, MediaFacts, MsrpSdpFacts } from '../machines/index.js';

/** Messages of the model. */
export const messages = [1, 2] as const;

/** Before a message has expired, and behind it. */
export const early = Date.UTC(2026, 0, 1);
const day = 86_400;
export const late = early + 8 * day * 1000;
/** Behind every registration. */
export const later = late + 2 * day * 1000;

export const limits: Limits = {
  expiry: { enabled: true, default: 7 * day, max: 7 * day, large: 7 * day, skewMs: 0 },
  quota: { messages: 10, octets: 100_000 },
  register: { min: 60, default: 3600, max: day, contacts: 2, burstMs: 0 },
  subscribe: { min: 60, default: 3600, max: 3600, count: 1, throttleMs: 1000, headers: 1 },
  publish: { min: 60, default: 3600, max: 3600, count: 1 },
  deletion: { batch: 2, removalMs: 1000 },
  push: { default: true, window: 2, retryMs: 1000, retryMaxMs: 1000, after: 'delete' },
  retrieval: {
    whenPushActive: 'serve',
    recvonly: 'effective',
    after: 'keep',
    count: 2,
    waitMs: 32_000,
    emptyMs: 2000,
  },
  recording: { sendonly: false, files: false, count: 1, messages: 1, octets: 1000, idleMs: 1000 },
  forward: {
    ...{ mode: 'off', count: 1, waitMs: 1000 },
    ...{ devices: 'one', bridges: 1, ringMs: 1000, sessionMs: 1000 },
  },
  conference: { min: 60, default: 3600, max: 3600, count: 1, throttleMs: 1000, users: 1 },
  reportGraceMs: 30_000,
  reportOnUserDelete: 'failed',
};

export const clientMedia: MediaFacts = { acceptTypes: ['*'], acceptWrappedTypes: [] };

export const clientSdp: MsrpSdpFacts = {
  ...clientMedia,
  path: ['msrp://client.example.org:2855/s1;tcp'],
  setup: 'active',
  direction: 'recvonly',
};
