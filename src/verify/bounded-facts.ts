/** The facts of the bounded account that the explorer looks at: small enough to be gone through. */

import type {
  ConferenceSubscribeFacts,
  DialogFacts,
  ImportFacts,
  InvitationFacts,
  Limits,
  MessageFacts,
  MsrpSdpFacts,
  RegisterFacts,
  RetrievalFacts,
  SubscribeFacts,
} from '../machines/events.js';

/** When every exploration begins: 2026-11-20T09:00:00Z. */
export const beginning = Date.UTC(2026, 10, 20, 9);

/**
 * The limits of the product with brief times: what counts is which timer runs out first. The retry
 * of a push is constant, so that the number of failures tells no states apart.
 */
export const boundedLimits: Limits = {
  expiry: { enabled: true, default: 600, max: 600, large: 600, skewMs: 86_400_000 },
  quota: { messages: 100, octets: 1_000_000 },
  register: { min: 60, default: 240, max: 240, contacts: 3, burstMs: 2000 },
  subscribe: { min: 60, default: 400, max: 400, count: 2, throttleMs: 1000, headers: 2 },
  publish: { min: 60, default: 240, max: 240, count: 1 },
  deletion: { batch: 1, removalMs: 32_000 },
  push: { default: true, window: 2, retryMs: 5000, retryMaxMs: 5000, after: 'delete' },
  retrieval: {
    whenPushActive: 'serve',
    recvonly: 'effective',
    after: 'keep',
    count: 1,
    waitMs: 32_000,
    emptyMs: 2000,
  },
  recording: {
    sendonly: false,
    files: false,
    count: 1,
    messages: 1,
    octets: 10_000,
    idleMs: 60_000,
  },
  forward: {
    ...{ mode: 'all', devices: 'one', count: 1, waitMs: 16_000 },
    ...{ bridges: 1, ringMs: 120_000, sessionMs: 3_600_000 },
  },
  conference: { min: 60, default: 240, max: 240, count: 1, throttleMs: 5000, users: 3 },
  reportGraceMs: 30_000,
  reportOnUserDelete: 'failed',
};

/** Who brings a message: in a MESSAGE, in a large message, from another store. */
export type Origin = 'message' | 'offer' | 'import';

const letters: Readonly<Record<Origin, string>> = { message: 'd', offer: 'l', import: 'i' };

/** What identifies the submission of that number. */
export function digestOf(message: number, origin: Origin = 'message'): string {
  return `${letters[origin]}${message}`;
}

/** The first message and every other one behind it want all reports; the second is urgent. */
export function messageFacts(message: number): MessageFacts {
  return {
    class: 'Pager-Message',
    size: 100,
    urgent: message % 2 === 1,
    from: 'sip:alice@example.org',
    to: 'sip:bob@example.org',
    callId: `c${message}`,
    digest: digestOf(message),
    contentType: 'text/plain',
    transient: false,
    ...(message % 2 === 0 && { imdn: imdnFacts(message) }),
  };
}

function imdnFacts(message: number): NonNullable<MessageFacts['imdn']> {
  return {
    id: `imdn${message}`,
    dateTime: '2026-11-20T09:00:00Z',
    from: 'sip:alice@example.org',
    to: 'sip:bob@example.org',
    negativeDelivery: true,
    processing: true,
  };
}

export const clientSdp: MsrpSdpFacts = {
  path: ['msrp://client.example.org:2855/s1;tcp'],
  setup: 'active',
  direction: 'recvonly',
  acceptTypes: ['*'],
  acceptWrappedTypes: [],
};

/** An answer that takes no messages. */
export const unusableSdp: MsrpSdpFacts = { ...clientSdp, direction: 'inactive' };

export const retrievalFacts: RetrievalFacts = {
  accepts: true,
  authorised: true,
  owned: true,
  offer: clientSdp,
};

export function registerFacts(cseq: number, expires: number): RegisterFacts {
  return {
    by: 'ue',
    callId: 'r1',
    cseq,
    contacts: [{ uri: 'sip:bob@192.0.2.1', expires, im: true, q: 1 }],
    removeAll: false,
    path: [],
  };
}

export function subscribeFacts(number: number): SubscribeFacts {
  return {
    event: 'message-summary',
    accepts: true,
    authorised: true,
    messageAccount: 'sip:bob@example.org',
    dialog: dialogFacts(number),
  };
}

export function watchFacts(number: number): ConferenceSubscribeFacts {
  return { accepts: true, authorised: true, inside: false, dialog: dialogFacts(number) };
}

function dialogFacts(number: number): DialogFacts {
  return {
    callId: `s${number}`,
    localTag: `l${number}`,
    remoteTag: `r${number}`,
    localUri: 'sip:bob@example.org',
    remoteUri: 'sip:bob@example.org',
    remoteTarget: 'sip:bob@192.0.2.1',
    routeSet: [],
    localCseq: 0,
    remoteCseq: 1,
  };
}

/** Of somebody who has a large message for the user. */
export const invitationFacts: InvitationFacts = { offer: { ...clientSdp, direction: 'sendonly' } };

export function largeFacts(message: number): MessageFacts {
  const digest = digestOf(message, 'offer');
  return { ...messageFacts(message), class: 'Multimedia-Message', digest };
}

/** It came a second ago to the other store, and goes when it was to go there. */
export function importFacts(message: number, read: boolean, at: number): ImportFacts {
  const facts = { ...messageFacts(message), digest: digestOf(message, 'import') };
  return { message: facts, receivedAt: at - 1000, expiresAt: at + 300_000, read };
}
