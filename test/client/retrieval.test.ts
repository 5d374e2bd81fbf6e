import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createImClient, type ImClient, type ImClientOptions } from '../../src/client/connect.js';
import { ScriptedPeer } from './scripted-peer.js';

let peer: ScriptedPeer;
let client: ImClient | undefined;

beforeEach(async () => {
  peer = await new ScriptedPeer().start();
});

afterEach(async () => {
  await client?.stop({ unregister: false });
  client = undefined;
  await peer.stop();
});

async function started(options: Partial<ImClientOptions> = {}): Promise<ImClient> {
  client = createImClient({
    aor: 'sip:bob@example.org',
    server: peer.server(),
    identity: 'asserted',
    ...options,
    limits: { graceMs: 200, ...options.limits },
  });
  await client.start();
  return client;
}

describe('retrieval', () => {
  test('IMSpec-DMT-C-003: retrieves everything with a recvonly offer and no list', async () => {
    const bob = await started();
    const outcome = bob.retrieve();
    const invite = await peer.requests.take();
    expect(invite.request.uri).toBe('sip:Deferred@poste.localhost');
    await peer.accept(invite, 'focus');
    peer.send(
      'focus',
      'd70000001',
      'message/sipfrag;version=2.0',
      Buffer.from(
        'From: <sip:nia@example.com>;tag=n1a\r\nTo: <sip:bob@example.org>\r\nCall-ID: c1\r\nSubject: Keys\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nHi',
      ),
    );
    await peer.reported.take();
    peer.sip.bye('focus', 'bye', []);
    const { messages, status, ended } = await outcome;
    expect({ status, ended }).toEqual({ status: 200, ended: 'server' });
    expect(messages.map((message) => message.body.toString())).toEqual(['Hi']);
    expect(messages[0]).toMatchObject({
      subject: 'Keys',
      from: 'sip:nia@example.com',
      form: 'sipfrag',
    });
  });
});
