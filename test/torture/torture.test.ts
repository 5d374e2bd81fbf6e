/** RFC 4475, RFC 5118 and our own malformed SIP and MSRP against a real server. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAttacker, Responses } from './attacker.js';
import type { Attacker } from './attacker.js';
import { allowedBy, msrpCases, play } from './msrp-cases.js';
import { openRetrieval } from './retrieval.js';
import { startHostileServer } from './server.js';
import type { HostileServer } from './server.js';
import { sipCases } from './sip-cases.js';
import type { SipCase } from './sip-cases.js';
import { torturePage, tortureSection } from './table.js';
import { User } from './user.js';

const cases = sipCases();
const scenarios = msrpCases();
/** What was seen, by case and column. */
const seenSip = new Map(cases.map(({ file }) => [file, { udp: '', tcp: '' }]));
const seenMsrp = new Map<string, string>();
test('TP-07: the whole corpus is here', () => {
  expect(cases.length).toBe(87);
  expect(scenarios.length).toBe(41);
});

describe.each(['udp', 'tcp'] as const)('TP-07: over %s', (transport) => {
  const seen = new Set<string>();
  let responses: Responses;
  let hostile: HostileServer;
  let attacker: Attacker;
  let user: User;
  let number = 0;

  const start = async (): Promise<void> => {
    responses = new Responses();
    hostile = await startHostileServer({}, responses);
    attacker = await openAttacker(hostile[transport]);
  };
  const stop = async (): Promise<void> => {
    attacker.close();
    await hostile.stop();
  };
  /** Cases of the RFCs share Call-IDs and branches: to one server they would be one call. */
  const restartFor = async (bytes: Buffer): Promise<void> => {
    const marks =
      bytes.toString('latin1').match(/^(?:call-id|i)[ \t]*:.*$|z9hG4bK[^\s;,]+/gim) ?? [];
    if (marks.some((mark) => seen.has(mark))) {
      await user.close();
      await stop();
      await start();
      user = await User.at(hostile.udp);
      seen.clear();
    }
    for (const mark of marks) seen.add(mark);
  };

  beforeAll(start);
  afterAll(stop);

  beforeEach(async () => {
    user = await User.at(hostile.udp);
  });

  afterEach(() => user.close());

  test.each(cases)('$file: $note', async (given) => {
    const name = `torture${++number}`;
    const aor = `sip:${name}@example.net`;
    const token = `${transport[0]!}${String(number).padStart(5, '0')}`;
    const bytes = given.bytes({ sentBy: attacker.sentBy, token, user: name });
    await restartFor(bytes);
    const before = responses.callIds;
    const linesBefore = hostile.lines.length;

    const { closed, end } = await attacker.send(bytes);
    if (mayWait(given, transport)) await responses.next(before, closed);
    // The server lives: and what was silent until then had time to be answered.
    expect(await user.options()).toBe(200);
    expect(await user.message('sip:witness@example.net')).toBe(202);
    const status = responses.since(before);
    const got = status === undefined ? 'none' : String(status);
    seenSip.get(given.file)![transport] = transport === 'udp' || given.isFramed ? got : `(${got})`;
    const lines = hostile.lines.slice(linesBefore);
    end();

    if (transport === 'udp' || given.isFramed) {
      expect(
        given.expect.some((wanted) => isWanted(got, wanted)),
        got,
      ).toBe(true);
    }
    // Nothing is stored by half: a message counts when it was accepted, and only then.
    const isStored = got === '202' && bytes.includes(`MESSAGE ${aor} `);
    expect(await user.waiting(aor)).toBe(isStored ? 1 : 0);
    expect(await user.message(aor)).toBe(202);
    expect(await user.waiting(aor)).toBe(isStored ? 2 : 1);

    for (const { code, level, text } of lines) {
      expect(level).not.toBe('error');
      expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)*$/);
      expect(text).not.toMatch(/\n|\bat .*:\d+:\d+/);
    }
    if (transport === 'udp' && given.datagram !== 'ok') {
      expect(lines.length).toBeLessThanOrEqual(1);
      if (got !== 'none') expect(lines).toHaveLength(1);
    }
    expect(hostile.server.counters()['actors.accounts.stopped']).toBe(0);
  });
});

describe('MSRP-09: inside a retrieval', () => {
  let hostile: HostileServer;

  beforeAll(async () => {
    hostile = await startHostileServer({ limits: { retrieval: { after: 'keep' } } });
  });

  afterAll(() => hostile.stop());

  test.each(scenarios)('$file: $note', async (scenario) => {
    const user = await User.at(hostile.udp);
    const name = /\/(.*)\.json$/.exec(scenario.file)![1]!;
    const aor = `sip:${name}@example.net`;
    expect(await user.message(aor)).toBe(202);
    const session = await openRetrieval(hostile.tcp, aor);
    const { got, allowed } = await play(scenario, session, hostile.msrp);
    await session.end();
    seenMsrp.set(scenario.file, got);
    expect(allowed, got).toBe(true);

    // Nobody submits inside a retrieval: what was there is there, and nothing else.
    expect(await user.waiting(aor)).toBe(1);
    expect(await user.message(aor)).toBe(202);
    expect(await user.waiting(aor)).toBe(2);
    await user.close();
    expect(hostile.server.counters()['actors.accounts.stopped']).toBe(0);
    for (const { code, level, text } of hostile.lines.splice(0)) {
      expect(level).not.toBe('error');
      expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)*$/);
      expect(text).not.toMatch(/\n|\bat .*:\d+:\d+/);
    }
  });
});

test('docs/torture.md says what was seen', async () => {
  const sipRows = cases.map(({ file, note, level, expect: allowed }) => {
    const { udp, tcp } = seenSip.get(file)!;
    return [file, note, level, allowed.join(', '), udp, tcp];
  });
  const msrpRows = scenarios.map((scenario) => {
    const { file, note, level } = scenario;
    return [file, note, level, allowedBy(scenario), seenMsrp.get(file)!];
  });
  const page = torturePage([
    tortureSection(
      'SIP',
      'RFC 4475, RFC 5118 section 4, and cases of our own.',
      ['file', 'what it is', 'level', 'expected', 'UDP', 'TCP'],
      sipRows,
    ),
    tortureSection(
      'MSRP',
      'Sent on a connection to the MSRP port, in the session of a retrieval whose SIP is in order.\n' +
        'What of it becomes a message is tested at the endpoint (`test/transport/msrp/scenarios.test.ts`),\n' +
        'as a retrieval takes none.',
      ['file', 'what it is', 'level', 'expected', 'got'],
      msrpRows,
    ),
  ]);
  await expect(page).toMatchFileSnapshot('../../docs/torture.md');
});

/** Whether the case is answered, or its connection closed, in the end. */
function mayWait(given: SipCase, transport: 'udp' | 'tcp'): boolean {
  if (given.expect.includes('none')) return false;
  if (transport === 'udp') return true;
  return given.stream.some((event) => event === 'ok' || /answerable|fatal/.test(event));
}

/**
 * `ok` is a final answer of somebody who has understood: 2xx, or what policy says (no IM tag, no
 * such user, nobody there, no MSRP in the offer), or 481 where To has a tag of a dialog not known.
 */
function isWanted(got: string, wanted: string): boolean {
  if (wanted !== 'ok') return got === wanted;
  return /^2/.test(got) || ['403', '404', '480', '481', '488'].includes(got);
}
