/** The checks of a retrieval in their order, over the wire (S3 11.3.1, D-60 to D-71). */

import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import {
  acknowledge,
  bind,
  confirm,
  deferred,
  entry,
  expectNothingLeft,
  expectRequest,
  invitation,
  listOf,
  listType,
  retrieve,
  storeMessages,
  tomas,
  withLists,
} from './retrieval-scene.js';
import { description, withServer } from './sip-scene.js';

const noPush: SettingsInput['limits'] = { push: { default: false } };

/** A request, and what the settings are for it. */
interface Attempt {
  accept: readonly string[];
  identity: string | undefined;
  uri: string;
  body: string | undefined;
}

interface Check {
  readonly name: string;
  readonly fail: (attempt: Attempt) => void;
  readonly status: number;
  readonly warning?: string;
}

const barred = '<sip:barred@example.org>';

/** In the order of D-60; that of the account is behind them (S3 11.3.1.1.2 step 1). */
const checks: readonly Check[] = [
  {
    name: 'Accept-Contact',
    fail: (attempt) => (attempt.accept = ['*;+g.oma.other']),
    status: 403,
    warning: '399 store.example.org "Accept-Contact lacks +g.oma.sip-im"',
  },
  {
    name: 'identity',
    fail: (attempt) => (attempt.identity = undefined),
    status: 403,
    warning: '399 store.example.org "127 Service not authorised"',
  },
  {
    name: 'policy',
    fail: (attempt) => (attempt.identity &&= barred),
    status: 403,
    warning: '399 store.example.org "Policy: account suspended"',
  },
  {
    name: 'Request-URI',
    fail: (attempt) => (attempt.uri = 'sip:nothing@store.example.org'),
    status: 404,
  },
  {
    name: 'SDP',
    fail: (attempt) => (attempt.body = description({ direction: 'sendrecv' })),
    status: 403,
    warning: '399 store.example.org "SDP is not recvonly"',
  },
  {
    name: 'account',
    fail: (attempt) => {
      // A user who is barred has an account, and one without is not barred.
      if (attempt.identity !== barred) attempt.identity &&= '<sip:eve@elsewhere.example>';
    },
    status: 403,
    warning: '399 store.example.org "127 Service not authorised"',
  },
];

const pairs = checks.flatMap((first, place) =>
  checks.slice(place + 1).map((second) => ({ first, second })),
);

const settings = {
  policy: {
    rules: [
      {
        action: 'refuse',
        operation: 'retrieve',
        recipient: ['barred@example.org'],
        reason: 'account suspended',
      },
    ],
  },
} satisfies SettingsInput;

test('IMSpec-DMT-S-006, IMSpec-DMT-S-007, IMSpec-DMT-S-010, D-60, D-62: of every two checks the earlier one answers, and nothing is left', () =>
  withServer(
    async (scene) => {
      expect(pairs).toHaveLength(15);
      const cases = [...checks.map((first) => ({ first, second: first })), ...pairs];
      for (const { first, second } of cases) {
        const attempt: Attempt = {
          ...{ accept: ['*;+g.oma.sip-im'], identity: `<${tomas}>`, uri: deferred },
          body: description({}),
        };
        second.fail(attempt);
        first.fail(attempt);
        const answer = await scene.ask(invitation(scene, attempt));
        acknowledge(scene, answer, attempt.uri);
        const seen = [answer.status, answer.header('Warning')];
        expect([first.name, second.name, ...seen]).toEqual([
          ...[first.name, second.name, first.status],
          first.warning,
        ]);
        expect(answer.header('Server')).toMatch(/^IM-serv\/OMA1\.0 /);
        await expectNothingLeft(scene);
      }
    },
    noPush,
    'udp',
    settings,
  ));

test.each([
  ['400: a body that is no SDP', { body: 'garbage' }, 400],
  ['420: an option that is not supported', { headers: [['Require', 'x-future'] as const] }, 420],
  ['415: a body of another type', { type: 'text/plain', body: 'hi' }, 415],
])('D-60: %s is found before the checks', (_name, more, status) =>
  withServer(async (scene) => {
    const answer = await scene.ask(invitation(scene, { accept: [], identity: undefined, ...more }));
    expect(answer.status).toBe(status);
    acknowledge(scene, answer, deferred);
    await expectNothingLeft(scene);
  }, noPush),
);

test('D-60: 482 for a merged request is found before the checks', () =>
  withServer(async (scene) => {
    const sketch = { ...invitation(scene), callId: 'merged', branch: 'one' };
    expect((await scene.ask(sketch)).status).toBe(200);
    const again = await scene.ask({ ...sketch, branch: 'two' });
    expect(again.status).toBe(482);
  }, noPush));

test('D-60: 401 for whoever has to authenticate is found before the checks', () =>
  withServer(
    async (scene) => {
      const answer = await scene.ask(invitation(scene, { accept: [] }));
      expect(answer.status).toBe(401);
      expect(answer.header('WWW-Authenticate')).toContain('Digest');
      acknowledge(scene, answer, deferred);
      await expectNothingLeft(scene);
    },
    noPush,
    'udp',
    { identity: { trustedPeers: [], credentials: { [tomas]: { password: 'secret' } } } },
  ));

test('D-42, S3 11.3.1 step 6: retrieval is forbidden while messages are pushed, where it is so set', () =>
  withServer(
    async (scene) => {
      const answer = await scene.ask(invitation(scene));
      expect(answer.status).toBe(403);
      expect(answer.header('Warning')).toContain('Policy: messages are pushed');
      acknowledge(scene, answer, deferred);
      await expectNothingLeft(scene);
    },
    { push: { default: true }, retrieval: { whenPushActive: 'forbid' } },
  ));

test('D-61: what counts as the feature tag in Accept-Contact', () =>
  withServer(async (scene) => {
    const counted: readonly (readonly string[])[] = [
      ['*;+g.oma.sip-im'],
      ['*;+G.OMA.SIP-IM;require;explicit'],
      ['*;audio', '*;video, *;+g.oma.sip-im;explicit'],
      ['*;+g.oma.sip-im.large-message;+g.oma.sip-im'],
    ];
    const others: readonly (readonly string[])[] = [
      [],
      ['*;+g.oma.sip-im.large-message'],
      ['*;+g.oma.sip-im="!TRUE"'],
      ['*;+g.oma.sip-im="FALSE"'],
      ['*;g.oma.sip-imx'],
    ];
    for (const accept of [...others, ...counted]) {
      const answer = await scene.ask(invitation(scene, { accept, body: undefined }));
      acknowledge(scene, answer, deferred);
      const isTag = answer.header('Warning')?.includes('SDP is not recvonly');
      expect([accept, isTag]).toEqual([accept, counted.includes(accept)]);
    }
  }, noPush));

function levels(session: string, media: string): string {
  const lines = description({ direction: media === '' ? 'recvonly' : media }).split('\r\n');
  const direction = lines.findIndex((line) => line === `a=${media === '' ? 'recvonly' : media}`);
  if (media === '') lines.splice(direction, 1);
  if (session !== '') lines.splice(5, 0, `a=${session}`);
  return lines.join('\r\n');
}

test.each([
  ['effective', [200, 200, 200, 200, 403, 403]],
  ['media', [403, 200, 200, 200, 403, 403]],
  ['both', [403, 403, 200, 403, 403, 403]],
] as const)('D-65: recvonly as the knob %s reads it', (recvonly, statuses) =>
  withServer(
    async (scene) => {
      const offers = [
        levels('recvonly', ''),
        levels('', 'recvonly'),
        levels('recvonly', 'recvonly'),
        levels('sendrecv', 'recvonly'),
        levels('recvonly', 'sendrecv'),
        levels('', ''),
      ];
      const seen: number[] = [];
      for (const body of offers) {
        const answer = await scene.ask(invitation(scene, { body, callId: `d65-${seen.length}` }));
        acknowledge(scene, answer, deferred);
        seen.push(answer.status);
      }
      expect(seen).toEqual(statuses);
    },
    { ...noPush, retrieval: { recvonly, count: 100, emptyMs: 60_000 } },
  ),
);

test('D-06: aliases of Deferred@, service hosts, a Message-ID as Request-URI', () =>
  withServer(
    async (scene) => {
      await storeMessages(scene, 2);
      const uris = [
        ['sip:Deferred@store.example.org;user=phone', 200],
        ['sip:Deferred@STORE.example.org', 200],
        ['sip:offline@store.example.org', 200],
        ['sip:Deferred@im.example.org', 200],
        ['sip:deferred@store.example.org', 404],
        ['sip:2@store.example.org', 200],
        ['sip:99@store.example.org', 404],
      ] as const;
      for (const [uri, status] of uris) {
        const answer = await scene.ask(invitation(scene, { uri }));
        acknowledge(scene, answer, uri);
        expect([uri, answer.status]).toEqual([uri, status]);
      }
    },
    { ...noPush, retrieval: { count: 100 } },
    'udp',
    {
      identity: {
        ...{ hostname: 'store.example.org', domains: ['example.org'] },
        ...{ deferredAliases: ['offline'], serviceHosts: ['im.example.org'] },
      },
    },
  ));

test('IMSpec-DMT-S-009, LIST-02, LIST-04, LIST-07, LIST-08, D-68, D-71: lists in every tolerated form name the same messages', () =>
  withServer(
    async (scene) => {
      await storeMessages(scene, 3);
      const copy = ' xmlns:cp="urn:ietf:params:xml:ns:copycontrol"';
      const camel = ' xmlns:cp="urn:ietf:params:xml:ns:copyControl"';
      const nested = `<list name="more">${entry(3)}</list>`;
      const refs = '<entry-ref ref="x"/><external anchor="http://192.0.2.1/list"/>';
      const bodies = [
        withLists(listOf(entry(1) + entry(3))),
        withLists(listOf(entry(3) + entry(1) + entry(3) + entry(1))),
        withLists(listOf(entry(1)), listOf(entry(3) + entry(1))),
        withLists(listOf(entry(1) + nested + refs)),
        withLists(listOf(entry(1, ' cp:copyControl="to"') + entry(3), copy)),
        withLists(listOf(entry(1, ' cp:copyControl="bcc" cp:anonymize="true"') + entry(3), camel)),
        withLists(listOf(entry(1) + entry(3) + entry('sip:x@elsewhere.example') + entry(77))),
      ];
      for (const [number, body] of bodies.entries()) {
        const callId = `list-${number}`;
        const retrieval = await retrieve(scene, { body, type: listType, callId });
        const msrp = await bind(retrieval);
        expect(await confirm(msrp, 0)).toContain('message 1');
        expect(await confirm(msrp, 1)).toContain('message 3');
        await expectRequest(scene, 'BYE');
        expect(msrp.requests).toHaveLength(2);
        msrp.socket.destroy();
      }
    },
    { ...noPush, retrieval: { count: 100 } },
  ));

test('D-70, LIST-06: lists that name nothing, that are malformed, that are too long', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const many = Array.from({ length: 2_049 }, () => entry('sip:x')).join('');
    const cases = [
      [withLists(listOf('')), 400],
      [withLists(listOf('<entry uri=""/>')), 400],
      [withLists('<resource-lists/>'), 400],
      [withLists(listOf(entry('sip:x@elsewhere.example'))), 404],
      [withLists(listOf(many)), 413],
    ] as const;
    for (const [body, status] of cases) {
      const answer = await scene.ask(invitation(scene, { body, type: listType }));
      acknowledge(scene, answer, deferred);
      expect(answer.status).toBe(status);
      if (status === 400) expect(answer.header('Warning')).toBeDefined();
      await expectNothingLeft(scene);
    }
  }, noPush));

test('D-03, D-68: the message of another user is no different from one that never was', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const seen: string[] = [];
    for (const [serial, identity] of [
      [1, '<sip:klara@example.org>'],
      [99, '<sip:klara@example.org>'],
    ] as const) {
      const body = withLists(listOf(entry(serial)));
      const answer = await scene.ask(invitation(scene, { body, type: listType, identity }));
      acknowledge(scene, answer, deferred);
      seen.push(`${answer.status} ${answer.header('Warning')} ${answer.body.length}`);
    }
    expect(seen[0]).toBe(seen[1]);
    expect(seen[0]).toContain('404');
  }, noPush));
