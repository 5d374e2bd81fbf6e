/** Events for the machines of the client, likely and hostile; each machine ignores the others'. */

import type { DialogFacts, Waits } from '../../src/machines/client/events.js';
import type { WatcherContext } from '../../src/machines/client/watcher.js';
import type { ActorSnapshot } from '../../src/machines/step.js';

const waits: Waits = {
  answerMs: 10_000,
  bindMs: 20_000,
  idleMs: 30_000,
  retryMs: 2_000,
  farewellMs: 1_000,
};
const peer = { path: ['msrp://server.example.org:2855/s1;tcp'], active: true };
const timers = ['answer', 'refresh', 'retry', 'expiry', 'farewell', 'bind', 'idle', 'report'];
const answers = [
  { status: 200, expires: 3600 },
  { status: 200, expires: 0 },
  { status: 202 },
  { status: 403 },
  { status: 423, minExpires: 7200 },
  { status: 481 },
  { status: 482 },
  { status: 503, retryAfter: 5 },
  { status: 603 },
];

/** Every event that some machine of the client knows. */
export function clientEvents(snapshot: ActorSnapshot, at: number): readonly object[] {
  const input = { at, fresh: `fresh-${at}` };
  const dialog = dialogOf(snapshot);
  const notified = (facts: object): object => ({
    ...input,
    type: 'notify.received',
    notify: { transaction: 't', dialog, state: 'active', expires: 600, ...facts },
  });
  const offered = { ...input, type: 'invite.received', transaction: 't', waits, peer };
  return [
    ...['register', 'watch', 'retrieve', 'publish'].map((type) => ({
      ...input,
      type,
      expires: 3600,
      waits,
    })),
    { ...input, type: 'submit', attempts: 3, size: 10, waits },
    { ...input, type: 'delete', ids: ['sip:1@example.org'], waits },
    { ...input, type: 'retrieve', ids: ['1@example.org'], waits },
    { ...offered, willing: true, busy: false },
    { ...offered, willing: false, busy: false },
    { ...offered, willing: true, busy: true },
    { ...offered, willing: true, busy: false, peer: undefined },
    ...['unregister', 'unwatch', 'unpublish', 'withdraw', 'acknowledged', 'unacknowledged'].map(
      (type) => ({
        ...input,
        type,
      }),
    ),
    ...['progress', 'overflow', 'msrp.connected'].map((type) => ({ ...input, type })),
    { ...input, type: 'msrp.lost', cause: 'closed' },
    { ...input, type: 'bye.received', transaction: 't', reason: 'SIP;cause=200' },
    ...[200, 413].flatMap((status) => [
      { ...input, type: 'msrp.sent', status },
      { ...input, type: 'msrp.reported', status },
    ]),
    { ...input, type: 'failed', cause: 'transport' },
    ...timers.map((name) => ({ ...input, type: 'timer.expired', name })),
    ...answers.map((answer) => ({
      ...input,
      type: 'answered',
      answer: { reason: 'x', ...answer },
      dialog,
      peer,
      etag: 'x',
    })),
    ...[412, 200].map((status) => ({
      ...input,
      type: 'answered',
      answer: { status, reason: 'x' },
      peer: { ...peer, maxSize: 9 },
    })),
    { ...input, type: 'answered', answer: { status: 200, reason: 'x' } },
    notified({ summary: { waiting: true, classes: [], messages: [] } }),
    notified({ dialog: { ...dialog, remoteCseq: 0 } }),
    notified({ dialog: { ...dialog, callId: 'other' } }),
    notified({ state: 'terminated' }),
    notified({ state: 'terminated', reason: 'timeout' }),
    notified({ state: 'terminated', reason: 'probation', retryAfter: 9 }),
  ];
}

/** The dialog as the notifier would show it. */
function dialogOf({ context }: ActorSnapshot): DialogFacts {
  const { callId = '', localTag = '', dialog = null } = context as Partial<WatcherContext>;
  return {
    callId,
    localTag,
    remoteTag: 'r',
    localUri: 'sip:bob@example.org',
    remoteUri: 'sip:bob@example.org',
    remoteTarget: 'sip:192.0.2.1',
    routeSet: [],
    localCseq: 1,
    remoteCseq: (dialog?.remoteCseq ?? 0) + 1,
  };
}
