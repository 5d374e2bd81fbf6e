/** Metadata that the server keeps elsewhere: what it puts there, and what it takes away. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startXdmsPeer, type XdmsPeer } from '../../../src/testing/xdms.js';
import { checkTrace } from '../../../src/verify/check/check.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { hostname } from '../../e2e/world.js';
import { edit, find, has, line, said } from './mutate.js';
import { recorded, type Stage } from './recorded.js';

let xdms: XdmsPeer;
let trace: readonly Observed[];

const changed = line(/^HTTP\/1.1 20[01] /);
const put = has(/^PUT \S*history-reference/, /<subject>one</);

/** Stored, pushed, and all of it told to the XDMS. */
async function flow({ client, until }: Stage): Promise<void> {
  const alice = await client('alice');
  for (const subject of ['one', 'two']) {
    const sent = await alice.send('sip:bob@example.org', subject, { subject });
    expect(sent.status).toBe(202);
  }
  const isTold = (lines: readonly string[], start: RegExp, count: number): boolean => {
    const asked = lines.filter((one) => start.test(one)).length;
    const answered = lines.filter((one) => one.startsWith('HTTP/1.1 ')).length;
    return asked >= count && answered >= lines.filter((one) => / HTTP\/1\.1$/.test(one)).length;
  };
  await until((lines) => isTold(lines, /^PUT \S*history-reference/, 2));
  const user = await client('bob', { onDelivery: () => undefined });
  expect((await user.register()).status).toBe(200);
  await until((lines) => isTold(lines, /^DELETE /, 2));
  await until((lines) => {
    const ended = lines.findIndex((one) => one.startsWith('BYE'));
    return ended >= 0 && lines.slice(ended).some((one) => one.startsWith('SIP/2.0 200'));
  });
}

beforeAll(async () => {
  xdms = await startXdmsPeer({ stores: [`sip:Deferred@${hostname}`] });
  trace = await recorded(flow, {}, { xdms: { root: xdms.root } });
});
afterAll(() => xdms.stop());

function firstIn(messages: readonly Observed[]): unknown {
  const { violations } = checkTrace({ messages, remarks: [] }, { fromStart: true });
  return [violations[0]?.clause.id, violations[0]?.number];
}

test('S1-META-ADD, S1-META-DEL: what a real server puts and deletes conforms', () => {
  expect(trace.filter((one) => changed(one, '')).length).toBeGreaterThanOrEqual(4);
  for (const fromStart of [true, false]) {
    const verdict = checkTrace({ messages: trace, remarks: [] }, { fromStart });
    expect([verdict.violations, verdict.undecided]).toEqual([[], []]);
  }
});

test('S1-META-ADD: a history of a message that nobody has sent', () => {
  // The first one comes before there is a document.
  const { messages, at } = edit(put, said('>one<', '>something else<'), 1)(trace);
  expect(firstIn(messages)).toEqual(['S1-META-ADD', at]);
});

test('S1-META-DEL: a history goes before its message does', () => {
  const gone = find(trace, line(/^DELETE /));
  const register = find(trace, line(/^REGISTER /));
  const early = { ...gone, at: register.at };
  const place = trace.indexOf(register);
  const messages = [...trace.slice(0, place), early, ...trace.slice(place)].map((one, index) => ({
    ...one,
    number: index + 1,
  }));
  const at = place + 1;
  expect(firstIn(messages)).toEqual(['S1-META-DEL', at]);
});

test('what an XDMS elsewhere tells, and when, is not held against the server', () => {
  const document = '/xcap/org.openmobilealliance.deferred-list/users/sip:bob@example.org';
  const answer = trace.find((one) => changed(one, ''))!;
  const ways = { source: '127.0.0.1:9', target: answer.source };
  const empty = '<history-list xmlns="urn:oma:xml:im:history-list"/>';
  const asked = [
    { ...ways, text: `GET ${document}/deferred-list HTTP/1.1\r\nHost: a\r\n\r\n` },
    {
      ...{ source: ways.target, target: ways.source },
      text: `HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: ${empty.length}\r\n\r\n${empty}`,
    },
  ].map(({ text, ...hosts }) => ({ ...answer, ...hosts, bytes: Buffer.from(text) }));
  const place = trace.indexOf(find(trace, line(/^REGISTER /)));
  const messages = [...trace.slice(0, place), ...asked, ...trace.slice(place)].map(
    (one, index) => ({ ...one, number: index + 1 }),
  );
  const verdict = checkTrace({ messages, remarks: [] }, { fromStart: true });
  expect(verdict.violations).toEqual([]);
  expect(verdict.unjudged).toContainEqual({
    ...{ what: 'GET of metadata that is kept elsewhere', count: 1 },
  });
});
