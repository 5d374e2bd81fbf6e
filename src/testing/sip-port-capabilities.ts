/** The cases of the SipPort contract that depend on what an adapter is capable of. */

import { strict as assert } from 'node:assert';
import { requestOf } from './sip-peer.js';
import { onEach, type Scene, type SipPortCase } from './sip-port-scene.js';

/** Bodies that are no text. */
export function binaryCases(isCapable: boolean): readonly SipPortCase[] {
  if (isCapable) {
    return [
      ...onEach('a request is handed up with its exact octets', exactOctets),
      ...onEach('a body of any octets leaves as it is', binaryLeaves),
    ];
  }
  return [
    ...onEach('a body that is no text gets 415 and a Warning, and is not handed up', binary415),
    ...onEach('an INVITE with a body that is no text gets 488', binary488),
    ...onEach('a request of ours with a body that is no text is a failure', binaryFails),
  ];
}

/** 8.2.2.2. */
export function mergedCases(isCapable: boolean): readonly SipPortCase[] {
  return isCapable
    ? onEach('SIP-04: the same request on another branch gets 482', merged)
    : onEach('SIP-04: the same request on another branch is not handed up', mergedAbsorbed);
}

/** 12.2.2. */
export function unknownByeCases(isCapable: boolean): readonly SipPortCase[] {
  return isCapable
    ? onEach('DLG-02: an unknown dialog has no owner', unknownBye)
    : [
        ...onEach('DLG-02: a BYE of an unknown dialog gets 481', unknownBye481),
        ...onEach('DLG-02: an unknown dialog has no owner', unknownInfo),
      ];
}

/** 12.2.1.1. */
export function routeCases(isCapable: boolean): readonly SipPortCase[] {
  const inDialog = (scene: Scene) => askedInDialog(scene, isCapable);
  return isCapable
    ? onEach('a dialog by value gives tags, CSeq, target and route', inDialog)
    : [
        ...onEach('a dialog by value gives tags, CSeq, target and its first router', inDialog),
        ...onEach('a route set that cannot be written is a failure', routesFail),
      ];
}

/** 13.3.1.4. */
export function repeatedAcceptCases(isCapable: boolean): readonly SipPortCase[] {
  return onEach('DLG-03: the 200 is repeated; 64*T1 without ACK is BYE', (scene) =>
    noAck(scene, isCapable || scene.peer.transport === 'udp'),
  );
}

const binary = Buffer.from([0, 255, 13, 10, 128]);
/** A code point cut short: as long as the character that stands for what cannot be decoded. */
const cutShort = Buffer.from([0xf0, 0x9f, 0x98]);
const octetStream = [['Content-Type', 'application/octet-stream']] as const;

async function exactOctets({ peer, handler, sut }: Scene): Promise<void> {
  const body = binary;
  const headers = [['X-Odd', 'a ,  b']] as const;
  const bytes = requestOf(peer, { method: 'MESSAGE', branch: 'b1', headers, body });
  peer.send(sut.address(), bytes);
  const { received } = await handler.next('request');
  assert.deepEqual(received.request.bytes, bytes);
  assert.deepEqual(received.request.body, body);
}

async function binaryLeaves({ ask, peer }: Scene): Promise<void> {
  ask({ method: 'MESSAGE', body: binary, headers: octetStream });
  assert.deepEqual((await peer.nextRequest()).body, binary);
}

async function binary415({ tell, handler, peer }: Scene): Promise<void> {
  for (const [index, body] of [binary, cutShort].entries()) {
    tell({
      method: 'MESSAGE',
      branch: `b${index}`,
      callId: `b${index}`,
      headers: octetStream,
      body,
    });
    const response = await peer.nextResponse();
    assert.equal(response.status, 415);
    assert.match(response.header('Warning')!, /^399 /);
    assert.ok(response.header('Accept'));
  }
  tell({ method: 'MESSAGE', branch: 'after', callId: 'after' });
  const { received } = await handler.next('request');
  assert.equal(received.request.header('Call-ID'), 'after');
}

async function binary488({ tell, handler, peer }: Scene): Promise<void> {
  tell({ method: 'INVITE', branch: 'b1', headers: octetStream, body: binary });
  assert.equal((await peer.nextResponse()).status, 100);
  const response = await peer.nextResponse();
  assert.equal(response.status, 488);
  assert.match(response.header('Warning')!, /^399 /);
  assert.equal(handler.told.length, 0);
}

async function binaryFails({ ask, handler }: Scene): Promise<void> {
  for (const body of [binary, Buffer.from('a\0b')]) {
    ask({ method: 'MESSAGE', body, headers: octetStream });
    const { owner, id, cause } = await handler.next('failure');
    assert.deepEqual([owner, id, cause], ['o', 'q', 'transport']);
  }
}

async function merged({ tell, handler, peer }: Scene): Promise<void> {
  tell({ method: 'MESSAGE', branch: 'one' });
  await handler.next('request');
  tell({ method: 'MESSAGE', branch: 'two' });
  assert.equal((await peer.nextResponse()).status, 482);
  assert.equal(handler.told.length, 0);
}

async function mergedAbsorbed({ tell, handler }: Scene): Promise<void> {
  tell({ method: 'MESSAGE', branch: 'one' });
  await handler.next('request');
  tell({ method: 'MESSAGE', branch: 'two' });
  tell({ method: 'MESSAGE', branch: 'three', callId: 'other' });
  const { received } = await handler.next('request');
  assert.equal(received.request.header('Call-ID'), 'other');
}

async function unknownBye({ tell, handler }: Scene): Promise<void> {
  tell({ method: 'BYE', branch: 'u1', toTag: 'nobody' });
  const { received } = await handler.next('request');
  assert.equal(received.owner, undefined);
}

async function unknownBye481({ tell, handler, peer }: Scene): Promise<void> {
  tell({ method: 'BYE', branch: 'u1', toTag: 'nobody' });
  assert.equal((await peer.nextResponse()).status, 481);
  assert.equal(handler.told.length, 0);
}

async function unknownInfo({ tell, handler }: Scene): Promise<void> {
  tell({ method: 'INFO', branch: 'u1', toTag: 'nobody' });
  const { received } = await handler.next('request');
  assert.equal(received.owner, undefined);
}

async function askedInDialog({ ask, peer }: Scene, writesRoute: boolean): Promise<void> {
  const at = `${peer.address}:${peer.port};transport=${peer.transport}`;
  const dialog = {
    callId: 'sub',
    localTag: 'l',
    remoteTag: 'r',
    localUri: 'sip:us@example.org',
    remoteUri: 'sip:them@example.com',
    remoteTarget: 'sip:watcher@nowhere.example',
    routeSet: [`<sip:${at};lr>`],
    localCseq: 41,
    remoteCseq: 3,
  };
  ask({ method: 'NOTIFY', dialog });
  const request = await peer.nextRequest();
  assert.equal(request.uri, 'sip:watcher@nowhere.example');
  assert.equal(request.header('Route'), writesRoute ? `<sip:${at};lr>` : undefined);
  assert.equal(request.header('CSeq'), '41 NOTIFY');
  assert.equal(request.header('Call-ID'), 'sub');
  assert.equal(request.header('From'), '<sip:us@example.org>;tag=l');
  assert.equal(request.header('To'), '<sip:them@example.com>;tag=r');
}

async function routesFail({ ask, handler, peer }: Scene): Promise<void> {
  const at = `${peer.address}:${peer.port};transport=${peer.transport}`;
  const loose = `<sip:${at};lr>`;
  for (const route of [[loose, loose], [`<sip:${at}>`]]) {
    ask({ method: 'MESSAGE', uri: 'sip:them@nowhere.example', route });
    assert.equal((await handler.next('failure')).cause, 'transport');
  }
}

async function noAck(scene: Scene, isRepeated: boolean): Promise<void> {
  const { establish, handler, peer, sut } = scene;
  await establish('o');
  sut.advance(500);
  if (isRepeated) assert.equal((await peer.nextResponse()).status, 200);
  sut.advance(1_000);
  if (isRepeated) assert.equal((await peer.nextResponse()).status, 200);
  sut.advance(32_000);
  assert.equal((await handler.next('unacknowledged')).owner, 'o');
  let last = (await peer.arrivals.next()).message;
  while (last.kind === 'response') last = (await peer.arrivals.next()).message;
  assert.equal(last.method, 'BYE');
}
