import { expect, test } from 'vitest';
import { UploadSweeper } from '../../src/actors/upload-sweeper.js';
import { parseRecordedHeaders } from '../../src/wire/recorded-headers.js';
import { createWorld } from './world.js';
import type { World } from './world.js';

const account = 'tomas@example.net';

/** A session of nia that is answered, acknowledged and bound. */
async function invited(world: World, headers = ''): Promise<string> {
  const sdp = [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.10',
    's=-',
    'c=IN IP4 192.0.2.10',
    't=0 0',
    'm=message 7394 TCP/MSRP *',
    'a=sendonly',
    'a=setup:actpass',
    'a=accept-types:message/cpim',
    'a=path:msrp://192.0.2.10:7394/w3LmT0a9;tcp',
    '',
  ].join('\r\n');
  const transaction = world.sip.receive(
    'INVITE sip:tomas@example.net SIP/2.0\r\n' +
      `Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bK${world.calls.length}\r\n` +
      'From: <sip:nia@example.net>;tag=n1b\r\nTo: <sip:tomas@example.net>\r\n' +
      `Call-ID: c${world.calls.length}@ua.example.net\r\nCSeq: 1 INVITE\r\n` +
      'Contact: <sip:nia@192.0.2.10>;+g.oma.sip-im.large-message\r\n' +
      `${headers}Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`,
  );
  await world.settle();
  expect(world.status(transaction)).toBe(200);
  const owner = [...world.sip.dialogs].at(-1)!;
  world.sip.acknowledge(owner);
  world.msrp.connected(owner);
  await world.settle();
  return owner;
}

const message = (messageId: string, size = 40) => ({
  messageId,
  contentType: 'text/plain',
  pieces: [Buffer.alloc(size / 2, 'a'), Buffer.alloc(size / 2, 'b')],
});

test('D-14: INVITE, 200, SENDs and BYE are kept with the message, credentials are not', async () => {
  const world = await createWorld();
  const secret = 'Authorization: Digest username="nia", response="0"\r\n';
  const owner = await invited(world, `${secret}Subject: Floor plan\r\n`);
  expect(await world.msrp.bring(owner, message('m4Pq77sA'))).toBe(200);
  const bye =
    'BYE sip:rec-1@as1.example.net SIP/2.0\r\n' +
    'Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bKbye\r\n' +
    'From: <sip:nia@example.net>;tag=n1b\r\nTo: <sip:tomas@example.net>;tag=x\r\n' +
    'Call-ID: c@ua.example.net\r\nCSeq: 2 BYE\r\nReason: SIP;cause=200\r\nContent-Length: 0\r\n\r\n';
  world.sip.receive(bye, { owner });
  await world.settle();
  const content = (await world.store.content(account, 1))!;
  const octets = await content.read(0, content.size);
  expect(octets.subarray(0, 40).toString()).toBe('a'.repeat(20) + 'b'.repeat(20));
  const { invite, answer, sends, chunks } = parseRecordedHeaders(octets.subarray(40));
  expect(Object.fromEntries(invite)).toMatchObject({ Subject: 'Floor plan' });
  expect(invite.map(([name]) => name)).not.toContain('Authorization');
  expect(Object.fromEntries(answer)).toMatchObject({
    From: '<sip:nia@example.net>;tag=n1b',
    To: expect.stringMatching(/^<sip:tomas@example\.net>;tag=\w{16}$/) as string,
    CSeq: '1 INVITE',
    Server: 'IM-serv/OMA1.0 PosteRestante/0.1',
  });
  expect(chunks).toBe(2);
  expect(sends.map((fields) => Object.fromEntries(fields)['Message-ID'])).toEqual(['m4Pq77sA']);
  const [row] = await world.store.scan(account, { kind: 'ua', limit: 1 });
  const { context } = row!.value as { context: { bye: [string, string][]; message: object } };
  expect(Object.fromEntries(context.bye)).toMatchObject({ Reason: 'SIP;cause=200' });
  // What is at rest of a message stays small: its header sets are with its content.
  expect(JSON.stringify(context.message).length).toBeLessThan(400);
});

test('bounds.uploads, bounds.uploadsPerSession: a message too many at a time gets 413', async () => {
  const world = await createWorld({ bounds: { uploads: 2, uploadsPerSession: 1 } });
  const owners = [await invited(world), await invited(world)];
  const handler = world.actors.msrpHandler;
  const incoming = (messageId: string) => ({
    ...{ messageId, contentType: 'text/plain', headers: [], total: 40 },
  });
  const first = handler.receive(owners[0]!, incoming('first1'));
  expect(first).toBeTypeOf('object');
  expect(handler.receive(owners[0]!, incoming('first2'))).toBe(413);
  expect(handler.receive(owners[1]!, incoming('second1'))).toBeTypeOf('object');
  expect(world.actors.counters()['actors.uploads']).toBe(2);
  if (typeof first === 'object') first.abort('lost');
  await world.settle();
  expect(world.actors.counters()['actors.uploads']).toBe(1);
  expect(handler.receive(owners[0]!, incoming('first3'))).toBeTypeOf('object');
});

test('limits.recording.idleMs: octets that come keep a slow session alive', async () => {
  const world = await createWorld();
  const owner = await invited(world);
  const incoming = { messageId: 'slow1', contentType: 'text/plain', headers: [], total: 10 };
  const sink = world.actors.msrpHandler.receive(owner, incoming);
  if (typeof sink === 'number') throw new Error(`refused with ${sink}`);
  for (let second = 0; second < 10; second++) {
    await sink.write(second, Buffer.from('x'));
    world.clock.advance(30_000);
    await world.settle();
  }
  expect(world.calls.filter(({ call }) => call === 'bye')).toEqual([]);
  expect(await sink.complete(10)).toBe(200);
  world.clock.advance(60_001);
  await world.settle();
  expect(world.calls.filter(({ call }) => call === 'bye')).toHaveLength(1);
});

test('D-16: complete before the BYE, it is stored although the session has ended', async () => {
  const world = await createWorld();
  const owner = await invited(world);
  const held = world.store.hold();
  const status = world.msrp.bring(owner, message('m4Pq77sA'));
  await world.settle();
  world.actors.sipHandler.unacknowledged(owner);
  await world.settle();
  held.release();
  expect(await status).toBe(200);
  expect(await world.store.scan(account, { kind: 'ua', limit: 9 })).toHaveLength(1);
});

test('a store that takes nothing: 413, and nothing is held', async () => {
  const world = await createWorld({
    wrap: (store) =>
      Object.assign(Object.create(store) as typeof store, {
        upload: () =>
          Promise.reject(Object.assign(new Error('full'), { code: 'STORE_UNAVAILABLE' })),
      }),
  });
  const owner = await invited(world);
  await expect(world.msrp.bring(owner, message('m4Pq77sA'))).rejects.toThrow('full');
  const empty = { messageId: 'empty1', contentType: 'text/plain', pieces: [] };
  expect(await world.msrp.bring(owner, empty)).toBe(413);
  expect(world.logs.some(({ message: text }) => text === 'large message not stored')).toBe(true);
});

test('bounds.uploadMs, bounds.sweepMs: what was never kept is removed, again and again', async () => {
  const world = await createWorld();
  const { clock, store } = world;
  const bounds = { uploadMs: 1_000, sweepMs: 500 };
  const swept: object[] = [];
  const log = {
    debug: () => 0,
    info: (fields: object) => swept.push(fields),
    warn: () => 0,
    error: () => 0,
  };
  const sweeper = new UploadSweeper({ store, clock, log, bounds });
  const upload = await store.upload(account);
  await upload.write(0, Buffer.from('half'));
  await upload.finish(4);
  sweeper.start();
  await world.settle();
  expect(swept).toEqual([]);
  for (let n = 0; n < 3; n++) {
    clock.advance(500);
    await world.settle();
  }
  expect(swept).toEqual([{ swept: 1 }]);
  sweeper.stop();
});
