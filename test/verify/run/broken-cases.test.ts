/** A server that breaks what a case looks at fails the item of that, and no other. */

import { expect, test } from 'vitest';
import type { Content, SipAnswer } from '../../../src/ports.js';
import { allCases } from '../../../src/verify/run/cases.js';
import { describeRun } from '../../../src/verify/run/report.js';
import { runTarget } from '../../../src/verify/run/run.js';
import { runSettings } from '../../../src/verify/run/settings.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { hostname } from '../../e2e/world.js';
import { altered, startBroken, type Breaking } from './broken-server.js';

interface Rule {
  readonly name: string;
  /** The cases that show it. */
  readonly shownBy: string | readonly string[];
  readonly breaking: Breaking;
  readonly failed: readonly string[];
}

const pager = 'a pager message is stored whole';
const declined = 'a pager message that is refused';
const others = 'messages of another user';
const large = 'a large message is stored and retrieved';
const list = 'the focus of a list';
const everything = 'the focus of everything';

const rules: readonly Rule[] = [
  {
    name: 'nothing is broken',
    shownBy: [pager, declined, others, large, list, everything, 'deletion by a URI list'],
    breaking: {},
    failed: [],
  },
  {
    name: 'a body is taken for a text',
    shownBy: pager,
    breaking: {
      send: (message) => [{ ...message, content: changed(message.content, '\xfe', '?') }],
    },
    failed: ['S1-STORE-PM'],
  },
  {
    name: 'another subject',
    shownBy: pager,
    breaking: {
      send: (message) => [{ ...message, content: changed(message.content, ' 3 ', ' 4 ') }],
    },
    failed: ['S1-STORE-PM'],
  },
  {
    name: '202 to a message that has expired',
    shownBy: declined,
    breaking: {
      answer: (answer) => (answer.status === 603 ? { ...answer, status: 202 } : answer),
    },
    failed: ['S4-603-PM'],
  },
  {
    name: 'a message is refused and kept',
    shownBy: declined,
    breaking: {
      received: (request) => altered(request, /Expires: 0\r\n/, 'Expires: 9\r\n'),
      answer: (answer, request) => (isExpired(request) ? { ...answer, status: 603 } : answer),
    },
    failed: ['S4-603-PM'],
  },
  {
    name: 'anybody gets any message',
    shownBy: others,
    breaking: { received: (request) => altered(request, /<sip:another-/g, '<sip:') },
    failed: ['D-03'],
  },
  {
    name: 'whether there is a message of another user is told',
    shownBy: others,
    breaking: {
      answer: (answer, { body }) =>
        body.includes('unknown.invalid') ? { ...answer, status: 404 } : denied(answer),
    },
    failed: ['D-03'],
  },
  {
    name: 'the answer to a large message is sendonly',
    shownBy: large,
    breaking: {
      answer: ({ body, ...answer }) => ({
        ...answer,
        ...(body && { body: replaced(body, 'a=recvonly', 'a=sendonly') }),
      }),
    },
    failed: ['S1-STORE-LM'],
  },
  {
    name: 'a large message without its INVITE',
    shownBy: large,
    breaking: {
      send: (message) => [
        { ...message, content: changed(message.content, 'Call-ID: large', 'Call-ID: other') },
      ],
    },
    failed: ['S2-ENCAP-MSRP'],
  },
  {
    name: 'no push of a large message',
    shownBy: 'a large message is pushed',
    breaking: { request: (request) => (request.method === 'INVITE' ? undefined : request) },
    failed: ['IMSpec-DMT-S-004'],
  },
  {
    name: 'a message that was broken off is counted',
    shownBy: 'a large message is broken off by its sender',
    breaking: {
      request: ({ body, ...request }) => ({
        ...request,
        ...(body && { body: replaced(body, ': 1/0', ': 2/0') }),
      }),
    },
    failed: ['D-16'],
  },
  {
    name: 'no isfocus for a list',
    shownBy: list,
    breaking: { answer: (answer) => ({ ...answer, headers: withoutFocus(answer.headers) }) },
    failed: ['S3-FOCUS-LIST'],
  },
  {
    name: 'no isfocus for everything',
    shownBy: everything,
    breaking: { answer: (answer) => ({ ...answer, headers: withoutFocus(answer.headers) }) },
    failed: ['S3-FOCUS-ALL'],
  },
  {
    name: 'every message has the same Message-ID',
    shownBy: list,
    breaking: {
      request: ({ body, ...request }) => ({
        ...request,
        ...(body && { body: renumbered(body) }),
      }),
    },
    failed: ['S1-MSGID-FORM'],
  },
  {
    name: 'no report of what a list has deleted',
    shownBy: 'deletion by a URI list',
    breaking: {
      request: (request) => (request.body?.includes('<failed/>') === true ? undefined : request),
    },
    failed: ['S1-DEL-LIST'],
  },
  {
    name: 'no NOTIFY at the end of a subscription',
    shownBy: 'the life of a subscription',
    breaking: {
      request: (request) =>
        request.headers.some(([, value]) => value.startsWith('terminated')) ? undefined : request,
    },
    failed: ['IMSpec-DMT-S-002'],
  },
  {
    name: '488 to a retrieval without SDP',
    shownBy: 'what a retrieval has to say',
    breaking: {
      answer: (answer, { method, body }) =>
        method === 'INVITE' && body.length === 0 ? { ...answer, status: 488 } : answer,
    },
    failed: ['IMSpec-DMT-S-007'],
  },
];

test.concurrent.each(rules)(
  '$name',
  { timeout: 120_000 },
  async ({ shownBy, breaking, failed }) => {
    const server = await startBroken(breaking);
    try {
      const target = { host: '127.0.0.1', port: server.port, transport: 'udp' as const };
      const deferred = `sip:Deferred@${hostname}`;
      const settings = runSettings(target, { deferred, timeoutMs: 1500, quietMs: 100 });
      const wanted = [shownBy].flat();
      const cases = allCases.filter(({ name }) => wanted.includes(name));
      expect(cases).toHaveLength(wanted.length);
      const report = await runTarget({ settings, paths: [], cases });
      const seen = report.items.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
      expect(seen, describeRun(report)).toEqual(failed);
      if (failed.length === 0) expect(report.verdict, describeRun(report)).toBe('passed');
    } finally {
      await server.stop();
    }
  },
);

function replaced(body: Buffer, from: string, to: string): Buffer {
  return Buffer.from(body.toString('latin1').replace(from, to), 'latin1');
}

/** Where both are of one length. */
function changed(content: Content, from: string, to: string): Content {
  return {
    size: content.size,
    read: async (offset: number, length: number): Promise<Buffer> =>
      replaced(await content.read(offset, length), from, to),
  };
}

function isExpired(request: SipRequest): boolean {
  return request.method === 'MESSAGE' && request.header('Expires') === '0';
}

/** 404 as 403. */
function denied(answer: SipAnswer): SipAnswer {
  return answer.status === 404 ? { ...answer, status: 403 } : answer;
}

function withoutFocus(headers: readonly (readonly [string, string])[]) {
  return headers.map(([name, value]) => [name, value.replace(/;\s*isfocus/, '')] as const);
}

/** Message waiting alone names them by the wrong number. */
function renumbered(body: Buffer): Buffer {
  return replaced(body, 'Message-ID: 2@', 'Message-ID: 1@');
}
