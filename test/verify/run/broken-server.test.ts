/** A server with one rule broken fails the item of that rule, and no other. */

import { expect, test } from 'vitest';
import type { Path } from '../../../src/verify/run/play.js';
import { describeRun } from '../../../src/verify/run/report.js';
import { runTarget } from '../../../src/verify/run/run.js';
import { runSettings } from '../../../src/verify/run/settings.js';
import { hostname } from '../../e2e/world.js';
import { altered, startBroken, type Breaking } from './broken-server.js';

/** What shows every item at least once. */
const paths: readonly Path[] = [
  [
    { do: 'submit', message: 0, kind: 'reports' },
    { do: 'submit', message: 1, kind: 'urgent' },
    { do: 'register', client: 'im' },
    { do: 'accept', role: 'active' },
    { do: 'take' },
    { do: 'take' },
  ],
  [
    { do: 'subscribe' },
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'submit', message: 1, kind: 'plain' },
    { do: 'retrieve', faults: [], list: [1] },
    { do: 'take' },
  ],
  [
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'submit', message: 1, kind: 'plain' },
    { do: 'retrieve', faults: [] },
    { do: 'take' },
    { do: 'take' },
  ],
  [
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'retrieve', faults: ['identity'] },
    { do: 'retrieve', faults: ['account'] },
    { do: 'retrieve', faults: ['tag', 'uri'] },
    { do: 'retrieve', faults: ['uri', 'media'] },
  ],
  [
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'register', client: 'other' },
  ],
  [
    { do: 'publish', deliver: false },
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'register', client: 'im' },
  ],
  [{ do: 'submit', message: 0, kind: 'brief' }, { do: 'wait' }],
  [
    { do: 'subscribe' },
    { do: 'submit', message: 0, kind: 'reports' },
    { do: 'delete', entry: 0 },
    { do: 'unsubscribe' },
  ],
];

const isFocus = (session: string): boolean => session.includes('focus');
const first = new Set<string>();

interface Rule {
  readonly name: string;
  readonly breaking: Breaking;
  readonly failed: readonly string[];
}

const rules: readonly Rule[] = [
  { name: 'nothing is broken', breaking: {}, failed: [] },
  {
    name: '200 instead of 202 to a MESSAGE that is stored',
    breaking: {
      answer: (answer, { method }) => (method === 'MESSAGE' ? { ...answer, status: 200 } : answer),
    },
    failed: ['IMSpec-DMT-S-001'],
  },
  {
    name: 'no NOTIFY at the subscription',
    breaking: {
      request(request) {
        const callId = request.dialog?.callId ?? '';
        if (request.method !== 'NOTIFY' || first.has(callId)) return request;
        first.add(callId);
        return undefined;
      },
    },
    failed: ['IMSpec-DMT-S-002'],
  },
  {
    name: 'a push to a client that is none for IM',
    breaking: {
      received: (request) => altered(request, /;audio;video/, ';+g.oma.sip-im'),
    },
    failed: ['IMSpec-DMT-S-003'],
  },
  {
    name: 'no push',
    breaking: {
      request: (request) => (request.method === 'INVITE' ? undefined : request),
    },
    failed: ['IMSpec-DMT-S-004'],
  },
  {
    name: 'a push that wants to receive',
    breaking: {
      request: ({ body, ...request }) => ({
        ...request,
        ...(body && { body: replaced(body, 'a=sendonly', 'a=sendrecv') }),
      }),
    },
    failed: ['IMSpec-DMT-S-004'],
  },
  {
    name: 'a NOTIFY with wrong counts when a message comes',
    breaking: {
      request: ({ body, ...request }) => ({
        ...request,
        ...(body && { body: replaced(body, ': 1/0', ': 7/0') }),
      }),
    },
    failed: ['IMSpec-DMT-S-005'],
  },
  {
    name: 'no Server header in the answer to a retrieval',
    breaking: {
      answer: (answer, { method }) =>
        method === 'INVITE' && answer.status === 200
          ? { ...answer, headers: answer.headers.filter(([name]) => name !== 'Server') }
          : answer,
    },
    failed: ['IMSpec-DMT-S-006'],
  },
  {
    name: 'the Request-URI is looked at before the feature tag',
    breaking: {
      answer: (answer, { method, uri }) =>
        method === 'INVITE' && uri.startsWith('sip:nobody') ? { ...answer, status: 404 } : answer,
    },
    failed: ['IMSpec-DMT-S-007'],
  },
  {
    name: 'settings are accepted and not kept',
    breaking: {
      received: (request) => (request.method === 'PUBLISH' ? undefined : request),
    },
    failed: ['IMSpec-DMT-S-008'],
  },
  {
    name: 'what a list names does not come',
    breaking: { send: (message, isSelection) => (isSelection ? [] : [message]) },
    failed: ['IMSpec-DMT-S-009'],
  },
  {
    name: '404 instead of 403 for who may not retrieve',
    breaking: {
      answer: (answer) =>
        answer.headers.some(([, value]) => value.includes('"127 '))
          ? { ...answer, status: 404 }
          : answer,
    },
    failed: ['IMSpec-DMT-S-010'],
  },
  {
    name: 'the answer to a retrieval is sendrecv',
    breaking: {
      answer: ({ body, ...answer }) => ({
        ...answer,
        ...(body && { body: replaced(body, 'a=sendonly', 'a=sendrecv') }),
      }),
    },
    failed: ['IMSpec-DMT-S-011'],
  },
  {
    name: 'a message twice in a retrieval',
    breaking: {
      send: (message, isSelection) =>
        isFocus(message.session) && !isSelection
          ? [message, { ...message, messageId: `${message.messageId}x` }]
          : [message],
    },
    failed: ['IMSpec-DMT-S-012'],
  },
  {
    name: 'the order of messages is reversed',
    breaking: { reverse: true },
    failed: ['IMSpec-DMT-S-004', 'IMSpec-DMT-S-012'],
  },
  {
    name: 'no report that a message is stored',
    breaking: { request: (request) => (isReport(request, 'stored') ? undefined : request) },
    failed: ['S4-NOTE2'],
  },
  {
    name: 'no report of a message that is gone undelivered',
    breaking: { request: (request) => (isReport(request, 'failed') ? undefined : request) },
    failed: ['S1-EXP', 'S1-DEL-USER'],
  },
];

test.concurrent.each(rules)('$name', async ({ breaking, failed }) => {
  const server = await startBroken(breaking);
  try {
    const target = { host: '127.0.0.1', port: server.port, transport: 'udp' as const };
    const deferred = `sip:Deferred@${hostname}`;
    const settings = runSettings(target, { deferred, timeoutMs: 1500, quietMs: 100 });
    // Nothing expires in less than seconds.
    const isLong = failed.length === 0 || failed.includes('S1-EXP');
    const played = isLong
      ? paths
      : paths.filter((path) => !path.some((step) => step.do === 'wait'));
    const report = await runTarget({ settings, paths: played });
    const seen = report.items.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
    expect(seen, describeRun(report)).toEqual(failed);
    expect(report.verdict).toBe(failed.length === 0 ? 'passed' : 'failed');
  } finally {
    await server.stop();
  }
});

test('a connection that is closed in the middle of a session, without BYE', async () => {
  const server = await startBroken({ leaves: true });
  try {
    const target = { host: '127.0.0.1', port: server.port, transport: 'udp' as const };
    const deferred = `sip:Deferred@${hostname}`;
    const settings = runSettings(target, { deferred, timeoutMs: 1500, quietMs: 500 });
    const waits: Path = [
      { do: 'submit', message: 0, kind: 'plain' },
      { do: 'register', client: 'im' },
      { do: 'accept', role: 'active' },
    ];
    const report = await runTarget({ settings, paths: [waits] });
    const seen = report.items.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
    expect(seen, describeRun(report)).toEqual(['IMSpec-DMT-S-011']);
    expect(describeRun(report)).toContain('the MSRP connection was lost');
  } finally {
    await server.stop();
  }
});

function replaced(body: Buffer, from: string, to: string): Buffer {
  return Buffer.from(body.toString('latin1').replace(from, to), 'latin1');
}

function isReport({ method, body }: { method: string; body?: Buffer }, status: string): boolean {
  return method === 'MESSAGE' && body?.includes(`<${status}/>`) === true;
}
