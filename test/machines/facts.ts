/** Facts for the tests of machines: limits, messages, requests. */

import type {
  ConferenceSubscribeFacts,
  DialogFacts,
  InvitationFacts,
  Limits,
  MediaFacts,
  MessageFacts,
  MsrpSdpFacts,
  ProfileFacts,
  RegisterFacts,
  RetrievalFacts,
  SubscribeFacts,
} from '../../src/machines/facts.js';

/** 2026-11-20T09:00:00Z. */
export const noon = Date.UTC(2026, 10, 20, 9);
export const day = 86_400;

export const limits: Limits = {
  expiry: { enabled: true, default: 7 * day, max: 30 * day, large: 3 * day, skewMs: day * 1000 },
  quota: { messages: 100, octets: 100_000 },
  register: { min: 60, default: 3600, max: 7200, contacts: 3, burstMs: 2000 },
  subscribe: { min: 60, default: 3600, max: 7200, count: 2, throttleMs: 1000, headers: 3 },
  publish: { min: 60, default: 3600, max: 86_400, count: 3 },
  deletion: { batch: 2, removalMs: 1000 },
  push: { default: true, window: 2, retryMs: 1000, retryMaxMs: 60_000, after: 'delete' },
  retrieval: {
    whenPushActive: 'serve',
    recvonly: 'effective',
    after: 'keep',
    count: 2,
    waitMs: 32_000,
    emptyMs: 2000,
  },
  recording: {
    sendonly: false,
    files: false,
    count: 2,
    messages: 2,
    octets: 50_000,
    idleMs: 60_000,
  },
  forward: {
    ...{ mode: 'off', devices: 'one', count: 2, waitMs: 16_000 },
    ...{ bridges: 2, ringMs: 120_000, sessionMs: 3_600_000 },
  },
  conference: { min: 60, default: 3600, max: 7200, count: 2, throttleMs: 5000, users: 3 },
  reportGraceMs: 30_000,
  reportOnUserDelete: 'failed',
};

export const noPush: Limits = { ...limits, push: { ...limits.push, default: false } };

export const pager: MessageFacts = {
  class: 'Pager-Message',
  size: 100,
  urgent: false,
  from: 'sip:alice@example.org',
  to: 'sip:bob@example.org',
  callId: 'a@example.org',
  digest: 'd1',
  contentType: 'text/plain',
  transient: false,
};

export const large: MessageFacts = {
  ...pager,
  class: 'Multimedia-Message',
  contentType: 'image/png',
};

/** A message whose sender wants every report there is. */
export const reported: MessageFacts = {
  ...pager,
  imdn: {
    id: 'imdn1',
    dateTime: '2026-11-20T09:00:00Z',
    from: 'sip:alice@example.org',
    to: 'sip:bob@example.org',
    negativeDelivery: true,
    processing: true,
  },
};

export const media: MediaFacts = { acceptTypes: ['message/sipfrag'], acceptWrappedTypes: [] };
export const noneAccepted: MediaFacts = { acceptTypes: ['image/bmp'], acceptWrappedTypes: [] };

export const path = ['msrp://client.example.org:2855/s1;tcp'];

export const offer: MsrpSdpFacts = {
  path,
  setup: 'active',
  direction: 'recvonly',
  acceptTypes: ['*'],
  acceptWrappedTypes: [],
};

export const retrieval: RetrievalFacts = { accepts: true, authorised: true, owned: true, offer };

/** Of a sender of large messages. */
export const invitation: InvitationFacts = { offer: { ...offer, direction: 'sendonly' } };

export const register: RegisterFacts = {
  by: 'ue',
  callId: 'r1',
  cseq: 1,
  contacts: [{ uri: 'sip:bob@192.0.2.1', expires: 3600, im: true, q: 1 }],
  removeAll: false,
  path: ['<sip:edge.example.org;lr>'],
};

export const dialog: DialogFacts = {
  callId: 's1',
  localTag: 'l1',
  remoteTag: 'r1',
  localUri: 'sip:bob@example.org',
  remoteUri: 'sip:bob@example.org',
  remoteTarget: 'sip:bob@192.0.2.1',
  routeSet: [],
  localCseq: 0,
  remoteCseq: 1,
};

export const subscribe: SubscribeFacts = {
  event: 'message-summary',
  accepts: true,
  authorised: true,
  expires: 3600,
  messageAccount: 'sip:bob@example.org',
  dialog,
};

export const watch: ConferenceSubscribeFacts = {
  accepts: true,
  authorised: true,
  expires: 3600,
  dialog,
  inside: false,
};

/** The facts without one of them. */
export function without<Facts extends object, Name extends keyof Facts>(
  facts: Facts,
  name: Name,
): Omit<Facts, Name> {
  const rest = { ...facts };
  Reflect.deleteProperty(rest, name);
  return rest;
}

/** A push session for each sender, whose INVITE brings the first message. */
export const senderProfile: ProfileFacts = {
  forms: { pager: ['message/cpim'], large: ['message/cpim'] },
  bySender: true,
  carryMax: 10_000,
  lookAhead: 2,
};
