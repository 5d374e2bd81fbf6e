/** Offer and answer decide who connects: from the session descriptions to the bound session. */

import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/clock.js';
import type { MsrpRemote } from '../../../src/ports.js';
import { outgoing } from '../../../src/testing/msrp-recorder.js';
import type { MsrpEndpointOptions } from '../../../src/transport/msrp/options.js';
import { answer, msrpMedia, msrpRemote, offer, parseSdp } from '../../../src/wire/sdp.js';
import type { Sdp, SdpSession, SdpSetup } from '../../../src/wire/sdp.js';
import { tlsOptions } from './certificates.js';
import { RawListener, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

const running: Running[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ endpoint }) => endpoint.stop(0)));
});

async function start(options: Partial<MsrpEndpointOptions> = {}): Promise<Running> {
  const started = await startEndpoint(options);
  running.push(started);
  return started;
}

/** What `endpoint` says of its session. */
function session({ endpoint }: Running, setup: SdpSession['setup']): SdpSession {
  return {
    ...{ sessionId: 1, sessionVersion: 1, direction: 'sendrecv', setup, acceptTypes: ['*'] },
    path: [endpoint.reserve('one')],
    ...(endpoint.fingerprint && { fingerprint: endpoint.fingerprint }),
  };
}

/** Whether the side that heard `theirs` connects. */
function remote(sdp: Sdp, theirs: SdpSetup | undefined, isOfferer: boolean): MsrpRemote {
  const active = theirs === 'passive' || (theirs === undefined && isOfferer);
  return { ...msrpRemote(sdp)!, active };
}

test.each<[SdpSession['setup'] | 'none' | 'holdconn', SdpSession['setup'], string]>([
  ['actpass', 'active', 'answerer'],
  ['actpass', 'passive', 'offerer'],
  ['active', 'passive', 'offerer'],
  ['passive', 'active', 'answerer'],
  ['none', 'passive', 'offerer'],
  ['holdconn', 'passive', 'offerer'],
])('SDP-05: offered %s, answered %s: the %s connects', async (given, setup, connects) => {
  for (const tls of [undefined, tlsOptions('self-signed')]) {
    const options = tls ? { tls } : {};
    const [alice, bob] = [await start(options), await start(options)];
    const isOdd = given === 'none' || given === 'holdconn';
    const text = offer(session(alice, isOdd ? 'actpass' : given)).toString();
    const line = given === 'none' ? '' : 'a=setup:holdconn\r\n';
    const offered = parseSdp(Buffer.from(isOdd ? text.replace('a=setup:actpass\r\n', line) : text));
    const answered = parseSdp(answer({ ...session(bob, setup), offer: offered }));
    expect(answered.media[0]?.proto).toBe(tls ? 'TCP/TLS/MSRP' : 'TCP/MSRP');
    const toAlice = remote(answered, msrpMedia(answered)?.setup, true);
    const isAnswererActive = setup === 'active';
    expect(toAlice.active).toBe(!isAnswererActive);
    expect(connects).toBe(isAnswererActive ? 'answerer' : 'offerer');
    bob.endpoint.connect('one', { ...msrpRemote(offered)!, active: isAnswererActive });
    alice.endpoint.connect('one', toAlice);
    await alice.recorder.hears('connected', 'one');
    await bob.recorder.hears('connected', 'one');
    alice.endpoint.send(outgoing('one', 'msga', 'to bob'));
    bob.endpoint.send(outgoing('one', 'msgb', 'to alice'));
    await alice.recorder.hears('sent', 'one/sender msga 200');
    await bob.recorder.hears('sent', 'one/sender msgb 200');
  }
});

test('SDP-06: a peer with port 9 is not connected to but waited for', async () => {
  const clock = new ManualClock();
  const bob = await start({ clock });
  const listener = await RawListener.open();
  const path = ['msrp://127.0.0.1:9/x;tcp'];
  bob.endpoint.reserve('one');
  bob.endpoint.connect('one', { path, active: false });
  clock.advance(29_999);
  expect(bob.recorder.heard).toEqual([]);
  clock.advance(1);
  await bob.recorder.hears('lost', 'one timeout');
  bob.endpoint.reserve('two');
  bob.endpoint.connect('two', { path, active: true });
  await bob.recorder.hears('lost', 'two refused');
  expect(listener.peers).toEqual([]);
  await listener.close();
});

test('MSRP-30: what the description of the peer does not accept is not sent', async () => {
  const [alice, bob] = [await start(), await start()];
  const path = [bob.endpoint.reserve('one')];
  bob.endpoint.connect('one', { path: [alice.endpoint.reserve('one')], active: false });
  const acceptTypes = ['message/cpim', 'text/*'];
  alice.endpoint.connect('one', { path, active: true, acceptTypes });
  await alice.recorder.hears('connected', 'one');
  for (const [contentType, status] of [
    ['image/png', 415],
    ['Message/CPIM; charset=utf-8', 200],
    ['text/plain', 200],
    ['message/sip', 415],
  ] as const) {
    const messageId = `msg-${contentType.length}`;
    alice.endpoint.send(outgoing('one', messageId, 'body', { contentType }));
    await alice.recorder.hears('sent', `one/sender ${messageId} ${status}`);
  }
  expect(bob.recorder.bodies).toHaveLength(2);
});

test('SDP-07: with CEMA the connection goes to c= and m=, the request to the path', async () => {
  const [alice, listener] = [await start(), await RawListener.open()];
  const { hostname, port } = new URL(listener.uri('x').replace('msrp:', 'http:'));
  alice.endpoint.reserve('one');
  const path = ['msrp://192.0.2.1:7/far;tcp'];
  const address = { host: hostname, port: Number(port) };
  alice.endpoint.connect('one', { path, active: true, address });
  const peer = await listener.peer();
  const { head } = await peer.request(0);
  expect(head.toPath).toEqual(path);
  peer.answer(head);
  await alice.recorder.hears('connected', 'one');
  await listener.close();
});
