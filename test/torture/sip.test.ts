/** RFC 4475, RFC 5118 and our own malformed SIP against a real server, over UDP and TCP. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAttacker, Responses } from './attacker.js';
import type { Attacker } from './attacker.js';
import { startHostileServer } from './server.js';
import type { HostileServer } from './server.js';
import { sipCases } from './sip-cases.js';
import type { SipCase } from './sip-cases.js';
import { tableOf } from './table.js';
import type { Row } from './table.js';
import { User } from './user.js';

const cases = sipCases();
const rows = new Map<string, Row>(
  cases.map(({ file, note, level, expect: expected }) => [
    file,
    { file, note, level, expected: expected.join(', '), got: new Map<string, string>() },
  ]),
);

test('TP-07: the whole corpus is here', () => {
  expect(cases.length).toBe(87);
});

describe.each(['udp', 'tcp'] as const)('TP-07: over %s', (transport) => {
  const responses = new Responses();
  let hostile: HostileServer;
  let attacker: Attacker;
  let user: User;
  let number = 0;

  beforeAll(async () => {
    hostile = await startHostileServer({ sip: { timers: { t1: 100, t2: 400 } } }, responses);
    attacker = await openAttacker(hostile[transport]);
  });

  beforeEach(async () => {
    user = await User.at(hostile.udp);
  });

  afterEach(() => user.close());

  afterAll(async () => {
    attacker.close();
    await hostile.stop();
  });

  test.each(cases)('$file: $note', async (given) => {
    const name = `torture${++number}`;
    const aor = `sip:${name}@example.net`;
    const token = `${transport[0]!}${String(number).padStart(5, '0')}`;
    const bytes = given.bytes({ sentBy: attacker.sentBy, token, user: name });
    const before = responses.callIds;
    const linesBefore = hostile.lines.length;

    const { closed, end } = await attacker.send(bytes);
    if (mayWait(given, transport)) await responses.next(before, closed);
    // The server lives: and what was silent until then had time to be answered.
    expect(await user.options()).toBe(200);
    expect(await user.message('sip:witness@example.net')).toBe(202);
    const status = responses.since(before);
    const got = status === undefined ? 'none' : String(status);
    rows.get(given.file)!.got.set(transport, got);
    const lines = hostile.lines.slice(linesBefore);
    end();

    if (transport === 'udp' || given.isFramed) {
      expect(given.expect.some((wanted) => isWanted(got, wanted))).toBe(true);
    }
    // Nothing is stored by half: a message counts when it was accepted, and only then.
    const isStored = got === '202' && bytes.includes(`MESSAGE ${aor} `);
    expect(await user.waiting(aor)).toBe(isStored ? 1 : 0);
    expect(await user.message(aor)).toBe(202);
    expect(await user.waiting(aor)).toBe(isStored ? 2 : 1);

    for (const { code, level, text } of lines) {
      expect(level).not.toBe('error');
      expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)+$/);
      expect(text).not.toMatch(/\n|\bat .*:\d+:\d+/);
    }
    if (transport === 'udp' && /^SIP_(?!EMPTY)/.test(given.datagram)) expect(lines).toHaveLength(1);
    expect(hostile.server.counters()['actors.accounts.stopped']).toBe(0);
  });
});

test('docs/torture.md says what these tests have seen', async () => {
  await expect(tableOf('SIP', [...rows.values()])).toMatchFileSnapshot('../../docs/torture.md');
});

/** Whether the case is answered, or its connection closed, in the end. */
function mayWait(given: SipCase, transport: 'udp' | 'tcp'): boolean {
  if (given.expect.includes('none')) return false;
  if (transport === 'udp') return true;
  return given.stream.some((event) => event === 'ok' || /answerable|fatal/.test(event));
}

/** `ok` is any final answer of somebody who has understood: 2xx, or what policy says. */
function isWanted(got: string, wanted: string): boolean {
  if (wanted !== 'ok') return got === wanted;
  return /^2/.test(got) || ['403', '404', '480', '488'].includes(got);
}
