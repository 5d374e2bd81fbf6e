/** Records what this server, and Kamailio with msilo, really send: `npm run captures`. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, test } from 'vitest';
import { openSipPeer, responseTo, type SipPeer } from '../../../src/testing/sip-peer.js';
import { readCapture } from '../../../src/verify/capture/read.js';
import { serialiseRequest } from '../../../src/wire/sip/serialise.js';
import { startWorld } from '../../e2e/world.js';
import { startCapture, type Capture } from '../../interop/tshark/capture.js';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test('the main job: alice over TCP, bob over UDP', async () => {
  const world = await startWorld();
  ends.push(() => world.end());
  const portOf = (wanted: string): number =>
    world.server.sip.find(({ transport }) => transport === wanted)!.port;
  const capture = await startCapture({
    sip: [portOf('udp'), portOf('tcp')],
    msrp: [world.server.msrp.port],
    mark: portOf('udp'),
  });
  ends.push(() => capture.discard());
  const overTcp = { host: '127.0.0.1', port: portOf('tcp'), transport: 'tcp' } as const;
  const alice = await world.client('alice', { server: overTcp });
  await alice.send('sip:bob@example.org', 'one', { subject: 'First' });
  await alice.send('sip:bob@example.org', 'two '.repeat(250));
  const bob = await world.client('bob');
  const states = bob.watch();
  await states.next();
  await bob.retrieve();
  await alice.send('sip:bob@example.org', 'three');
  const deliveries = bob.deliveries();
  await bob.register();
  await deliveries.next();
  await bob.unregister();
  await states.return?.();
  await Promise.all([alice.stop(), bob.stop()]);
  await write(capture, 'main-job');
});

interface Msilo {
  readonly port: number;
  open(): Promise<unknown>;
  close(): Promise<void>;
}

test('Kamailio msilo: two messages stored, then dumped', async () => {
  const { Kamailio } = (await import(
    new URL('../../../bench/peers/kamailio.mjs', import.meta.url).href
  )) as { readonly Kamailio: new (database: string) => Msilo };
  const msilo = new Kamailio('sqlite');
  await msilo.open();
  ends.push(() => msilo.close());
  const capture = await startCapture({ sip: [msilo.port], msrp: [], mark: msilo.port });
  ends.push(() => capture.discard());
  const alice = await openSipPeer('udp');
  const bob = await openSipPeer('udp');
  ends.push(() => alice.close());
  ends.push(() => bob.close());
  for (const [index, text] of ['one', 'two'].entries()) {
    say(alice, msilo.port, { method: 'MESSAGE', user: 'alice', number: index + 1, text });
    await alice.nextResponse();
  }
  say(bob, msilo.port, { method: 'REGISTER', user: 'bob', number: 1 });
  await bob.nextResponse();
  for (let count = 0; count < 2; count++) {
    const { message, reply } = await bob.arrivals.next();
    if (message.kind !== 'request') throw new Error(`came ${message.status}`);
    reply(responseTo(message, 200, { tag: 'bob' }));
  }
  await write(capture, 'kamailio-msilo');
});

interface Said {
  readonly method: 'MESSAGE' | 'REGISTER';
  readonly user: string;
  readonly number: number;
  readonly text?: string;
}

function say(peer: SipPeer, port: number, { method, user, number, text }: Said): void {
  const isMessage = method === 'MESSAGE';
  const uri = isMessage ? 'sip:bob@example.test' : 'sip:example.test';
  const request = serialiseRequest({
    method,
    uri,
    headers: [
      ['Via', `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${user}${number}`],
      ['Max-Forwards', '70'],
      ['From', `<sip:${user}@example.test>;tag=${user}${number}`],
      ['To', '<sip:bob@example.test>'],
      ['Call-ID', `${user}-${number}@example.test`],
      ['CSeq', `${number} ${method}`],
      isMessage
        ? ['Content-Type', 'text/plain']
        : ['Contact', `<sip:bob@127.0.0.1:${peer.port}>;expires=600`],
    ],
    body: text === undefined ? undefined : Buffer.from(text),
  });
  peer.send({ transport: 'udp', address: '127.0.0.1', port }, request);
}

/** Without the datagrams that mark where it begins and where it ends, and their answers. */
async function write(capture: Capture, name: string): Promise<void> {
  await capture.end();
  const { messages } = readCapture(capture.file);
  const marks = messages.filter(({ bytes }) => /^Call-ID: (first|last)\r$/m.test(String(bytes)));
  const to = fileURLToPath(new URL(`recorded/${name}.pcapng`, import.meta.url));
  execFileSync('editcap', [capture.file, to, ...marks.map(({ number }) => String(number))]);
  writeFileSync(to, withoutHost(readFileSync(to)));
}

/** The same frames, without what dumpcap says of the host that it ran on. */
function withoutHost(file: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    const type = file.readUInt32LE(at);
    const body = file.subarray(at + 8, at + file.readUInt32LE(at + 4) - 4);
    if (type === 0x0a0d0d0a) blocks.push(block(type, body.subarray(0, 16)));
    if (type === 1) blocks.push(block(type, Buffer.concat([body.subarray(0, 8), nanoseconds])));
    if (type === 6) blocks.push(block(type, body));
  }
  return Buffer.concat(blocks);
}

/** if_tsresol, as dumpcap has it on loopback, and the end of the options. */
const nanoseconds = Buffer.from('090001000900000000000000', 'hex');

function block(type: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(body.length + 12);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(bytes.length, 4);
  body.copy(bytes, 8);
  bytes.writeUInt32LE(bytes.length, bytes.length - 4);
  return bytes;
}
