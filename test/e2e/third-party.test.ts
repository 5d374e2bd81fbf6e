/** Third-party REGISTER over real sockets, in the shapes of two S-CSCFs (TPR-01 to TPR-05, U22). */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/system.js';
import { requestOf, type SipArrival } from '../../src/testing/sip-peer.js';
import type { SipResponse } from '../../src/wire/sip/message.js';
import { withForward, type ForwardScene } from './forward-scene.js';
import { bob } from './two-peers.js';

interface Vector {
  readonly what: string;
  readonly start: string;
  readonly headers: readonly string[];
  readonly body: readonly string[];
  readonly expected: { readonly available: boolean; readonly expires: number };
}

const folder = join(import.meta.dirname, '../vectors/third-party');
const vectors = readdirSync(folder).map((file) => {
  const vector = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector;
  return [file.replace('.json', ''), vector] as const;
});
const [, plain] = vectors.find(([name]) => name === 'TPR-K3')!;
const tel = 'tel:+12025550147';

interface Filled {
  readonly to?: string;
  readonly expires?: number;
  readonly headers?: readonly string[];
  readonly branch?: string;
}

describe('TPR-02, U22: a third-party REGISTER is taken in every shape', () => {
  test.each(vectors)('%s', (_name, vector) =>
    withForward(async (scene) => {
      await offer(scene);
      const response = await registered(scene, vector);
      const scscf = `sip:127.0.0.1:${scene.client.port}`;
      // TPR-01, TPR-03: what the S-CSCF has granted.
      expect(response.status).toBe(200);
      expect(response.header('expires')).toBe(String(vector.expected.expires));
      expect(response.header('contact')).toBe(`<${scscf}>;expires=${vector.expected.expires}`);
      expect(response.header('to')).toContain(`<${bob}>;tag=`);
      if (!vector.expected.available) {
        await expectNoDelivery(scene);
        return;
      }
      // U3, PATH-01: by the S-CSCF that has registered the user, never past it to the client.
      const invite = await scene.asked('INVITE');
      expect(invite.uri).toBe(bob);
      expect(invite.list('route')).toEqual([`<${scscf};lr>`]);
      // CAP-05, IMSpec-DMT-S-004.
      expect(invite.header('accept-contact')).toBe('*;+g.oma.sip-im;require;explicit');
      expect(invite.body.toString()).toContain('a=sendonly');
    }),
  );
});

describe('IMSpec-DMT-S-003, D-40: of all registrations only these make the user available', () => {
  const rows: readonly (readonly [string, string | undefined, Filled, boolean])[] = [
    ['no registration', undefined, {}, false],
    ['with the tag', '+g.oma.sip-im', {}, true],
    ['with the tag among others', 'audio;+g.oma.sip-im="TRUE"', {}, true],
    ['CAP-01: with the tag negated', '+g.oma.sip-im="!TRUE"', {}, false],
    ['CAP-01: with the tag FALSE', '+g.oma.sip-im="FALSE"', {}, false],
    ['without the tag', 'audio;video', {}, false],
    ['CAP-04: of unknown capabilities', 'expires=600', {}, true],
    ['CAP-04: an instance id tells no capability', '+sip.instance="<urn:uuid:1>"', {}, true],
    ['with Expires 0', '+g.oma.sip-im', { expires: 0 }, false],
  ];
  test.each(rows)('%s', (_name, features, filled, available) =>
    withForward(async (scene) => {
      await offer(scene);
      if (features !== undefined) {
        const body = plain.body.map((line) => line.replace('+g.oma.sip-im;', `${features};`));
        expect((await registered(scene, { ...plain, body }, filled)).status).toBe(200);
      }
      if (available) expect((await scene.asked('INVITE')).uri).toBe(bob);
      else await expectNoDelivery(scene);
    }),
  );

  test('TPR-04: after de-registration, and when our own time is up though nobody says so', async () => {
    let ahead = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + ahead };
    await withForward(
      async (scene) => {
        await registered(scene, plain, { branch: 'one' });
        scene.send({});
        scene.reply(await scene.asked('MESSAGE'), 200);
        expect((await scene.answer()).status).toBe(200);
        await registered(scene, plain, { branch: 'two', expires: 0 });
        await offer(scene);
        await expectNoDelivery(scene);
        await registered(scene, plain, { branch: 'three', expires: 1000 });
        expect((await scene.asked('INVITE')).uri).toBe(bob);
        ahead = 1_000_500;
        const forwards = (await scene.world.server.counted())['actors.forwards'];
        await offer(scene);
        expect((await scene.world.server.counted())['actors.forwards']).toBe(forwards);
      },
      {},
      'udp',
      {},
      { clock },
    );
  });
});

describe('TPR-05, U22: the burst for the identities of one user, tel or sip first', () => {
  const all = [`P-Associated-URI: <${bob}>, <sip:robert@elsewhere.example>, <${tel}>`];

  test.each([
    ['sip first', [bob, 'sip:robert@elsewhere.example', tel]],
    ['tel first', [tel, bob, 'sip:robert@elsewhere.example']],
  ])('is one mailbox and one push: %s', (_name, identities) =>
    withForward(async (scene) => {
      await offer(scene);
      for (const [n, to] of identities.entries()) {
        const filled = { to, headers: all, branch: `burst${n}` };
        expect((await registered(scene, plain, filled)).status).toBe(200);
      }
      // The client is busy at once: only the back-off may bring another push, not the burst.
      scene.reply(await scene.asked('INVITE'), 486);
      const again = { to: 'sip:robert@elsewhere.example', headers: all, branch: 'late' };
      expect((await registered(scene, plain, again)).status).toBe(200);
      await expectNoDelivery(scene);
    }),
  );
});

describe('a user who is registered by an S-CSCF', () => {
  test('U22: is found by his tel identity after a restart of the server as well', () =>
    withForward(async (scene) => {
      const headers = [`P-Associated-URI: <${bob}>, <${tel}>`];
      expect((await registered(scene, plain, { headers })).status).toBe(200);
      await registered(scene, plain, { headers, expires: 0, branch: 'gone' });
      await scene.world.restart();
      expect(await messageTo(scene, tel)).toBe(202);
      await scene.stored(1);
      expect(await messageTo(scene, 'tel:+12025550148')).toBe(404);
    }));

  test('D-12, U3: is passed a MESSAGE along the route that it came by, as the core goes on', () =>
    withForward(async (scene) => {
      await registered(scene, plain);
      const scscf = `sip:127.0.0.1:${scene.client.port}`;
      const routes = [`<sip:127.0.0.1;lr>`, `<${scscf};lr;odi=4f21>`];
      const fields = [['Route', routes.join(', ')]] as const;
      scene.send({ headers: [...fields, ['P-Served-User', `<${bob}>;sescase=term`]] });
      const request = await scene.asked('MESSAGE');
      expect(request.uri).toBe(bob);
      expect(request.list('route')).toEqual([`<${scscf};lr;odi=4f21>`]);
      expect(request.header('p-served-user')).toBeUndefined();
      scene.reply(request, 200);
      expect((await scene.answer()).status).toBe(200);
    }));

  test('D-12, PATH-01: else by the S-CSCF of the registration; Privacy is its affair', () =>
    withForward(async (scene) => {
      await registered(scene, plain);
      const text = ['Content-Type', 'text/plain'] as const;
      scene.send({ headers: [text, ['Privacy', 'id']] });
      const request = await scene.asked('MESSAGE');
      expect(request.uri).toBe(bob);
      const scscf = `sip:127.0.0.1:${scene.client.port}`;
      expect(request.list('route')).toEqual([`<${scscf};lr>`]);
      expect(request.header('p-asserted-identity')).toBe('<sip:alice@example.org>');
      expect(request.header('privacy')).toBe('id');
      scene.reply(request, 200);
      expect((await scene.answer()).status).toBe(200);
    }));
});

test('PAI-03: a user who is reached directly does not learn who asked for privacy', () =>
  withForward(async (scene) => {
    await scene.register();
    scene.send({ headers: [['Privacy', 'id']] });
    const request = await scene.asked('MESSAGE');
    expect(request.header('p-asserted-identity')).toBeUndefined();
    scene.reply(request, 200);
    expect((await scene.answer()).status).toBe(200);
  }));

/** One message that waits for bob. */
async function offer(scene: ForwardScene): Promise<void> {
  scene.send({});
  expect((await scene.answer()).status).toBe(202);
}

async function registered(
  scene: ForwardScene,
  vector: Vector,
  filled: Filled = {},
): Promise<SipResponse> {
  const { client, world } = scene;
  const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
  const { to = bob, branch = 'tpr' } = filled;
  const fill = (line: string): string =>
    line
      .replaceAll('{as}', `127.0.0.1:${port}`)
      .replaceAll('{scscf}', `127.0.0.1:${client.port}`)
      .replaceAll('{to}', to)
      .replaceAll('{branch}', branch);
  const body = Buffer.from(vector.body.map(fill).join('\r\n'));
  const given = filled.headers ?? [];
  const headers = [...vector.headers, ...given].filter(
    (line, at) =>
      !(filled.expires !== undefined && line.startsWith('Expires:')) &&
      !(given.length > 0 && at < vector.headers.length && line.startsWith('P-Associated-URI:')),
  );
  if (filled.expires !== undefined) headers.push(`Expires: ${filled.expires}`);
  const lines = [vector.start, ...headers, `Content-Length: ${body.length}`, '', ''].map(fill);
  const bytes = Buffer.concat([Buffer.from(lines.join('\r\n')), body]);
  client.send({ transport: 'udp', address: '127.0.0.1', port }, bytes);
  const early: SipArrival[] = [];
  for (;;) {
    const arrival = await client.arrivals.next();
    const { message } = arrival;
    if (message.kind === 'response') {
      for (const one of early) client.arrivals.push(one);
      return message;
    }
    early.push(arrival);
  }
}

/** Whatever was to leave for the client has left before the answer to a later message comes. */
async function expectNoDelivery(scene: ForwardScene): Promise<void> {
  const before = (await scene.world.server.counted())['actors.forwards'];
  await scene.world.client('carol').then((carol) => carol.send('sip:dave@example.org', 'x'));
  while (scene.client.arrivals.length > 0) {
    expect(await scene.client.nextRequest()).toMatchObject({ method: 'ACK' });
  }
  expect((await scene.world.server.counted())['actors.forwards']).toBe(before);
}

async function messageTo(scene: ForwardScene, uri: string): Promise<number> {
  const { port } = scene.world.server.sip[0]!;
  const headers = [['Content-Type', 'text/plain']] as const;
  const sketch = { method: 'MESSAGE', branch: uri, callId: uri, headers, body: Buffer.from('hi') };
  const text = requestOf(scene.sender, sketch).toString().replace(bob, uri);
  scene.sender.send({ transport: 'udp', address: '127.0.0.1', port }, Buffer.from(text));
  return (await scene.answer()).status;
}
