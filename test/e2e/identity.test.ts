import { afterEach, describe, expect, test } from 'vitest';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { authorization } from '../actors/authentication-world.js';
import { World, bobs, challenges, credentials, hostname } from './identity-world.js';
import type { Sketch } from './identity-world.js';

let world: World;
afterEach(() => world.end());

describe.each(['udp', 'tcp'] as const)('digest over %s', (transport) => {
  test('AUTH-03, SIP-22: whoever proves to be the user is served', async () => {
    world = await new World({ credentials }).start();
    const alice = await world.client('alice', { transport });
    expect((await alice.send('sip:bob@example.org', 'for the push')).status).toBe(202);
    const bob = await world.client('bob', { transport, credentials: bobs });
    const deliveries = bob.deliveries();
    expect((await bob.register()).status).toBe(200);
    expect((await deliveries.next()).value?.body.toString()).toBe('for the push');
    expect((await bob.unregister()).status).toBe(200);
    await alice.send('sip:bob@example.org', 'to be fetched');
    const states = bob.watch();
    expect((await states.next()).value).toMatchObject({ waiting: true });
    const { status, messages } = await bob.retrieve();
    expect(status).toBe(200);
    expect(messages.map(({ body }) => body.toString())).toEqual(['to be fetched']);
    await states.return?.();
  });

  test('AUTH-02: nobody is served without password or with a wrong one', async () => {
    world = await new World({ credentials }).start();
    for (const options of [{}, { credentials: { password: 'wrong' } }]) {
      const eve = await world.client('bob', { transport, ...options });
      expect((await eve.register()).status).toBe(401);
      expect((await eve.retrieve()).status).toBe(401);
      const refused = { code: 'CLIENT_REFUSED', status: 401 };
      await expect(eve.watch().next()).rejects.toMatchObject(refused);
    }
    expect(await world.counted()).toMatchObject({
      'actors.authentication.wrong': 3,
      'actors.authentication.proven': 0,
    });
  });

  test('D-64: what is proven is not somebody else', async () => {
    world = await new World({ credentials }).start();
    const mine = { username: 'bob', ...bobs };
    const eve = await world.client('alice', { transport, credentials: mine });
    expect((await eve.register()).status).toBe(403);
    await expect(eve.watch().next()).rejects.toMatchObject({ status: 403 });
  });

  test('PAI-01: an asserted identity of a stranger is worth nothing', async () => {
    world = await new World({ credentials }).start();
    const sender = await world.client('carol', { transport });
    await sender.send('sip:alice@example.org', 'for alice');
    await sender.send('sip:bob@example.org', 'for bob');
    const forged = { transport, identity: 'asserted' as const };
    const eve = await world.client('alice', forged);
    expect((await eve.retrieve()).status).toBe(401);
    const mine = { username: 'bob', ...bobs };
    const bob = await world.client('alice', { ...forged, credentials: mine });
    const { messages } = await bob.retrieve();
    expect(messages.map(({ body }) => body.toString())).toEqual(['for bob']);
  });
});

describe('a stranger', () => {
  test.each<[string, Sketch]>([
    ['REGISTER', { method: 'REGISTER', uri: 'sip:example.org', to: 'sip:bob@example.org' }],
    ['INVITE', { method: 'INVITE', uri: `sip:Deferred@${hostname}` }],
    ['SUBSCRIBE', { method: 'SUBSCRIBE', headers: [['Event', 'message-summary']] }],
    ['REFER', { method: 'REFER', uri: `sip:Deferred@${hostname}` }],
    ['PUBLISH', { method: 'PUBLISH' }],
    ['MESSAGE to the store', { method: 'MESSAGE', uri: `sip:Delete@${hostname}` }],
  ])('AUTH-01, AUTH-03: is challenged for %s, with every algorithm and qop', async (_, sketch) => {
    world = await new World({ credentials }).start();
    const offered = challenges(await (await world.peer()).ask(sketch));
    expect(offered.map(({ algorithm }) => algorithm)).toEqual(['SHA-256', 'SHA-512-256']);
    for (const challenge of offered) {
      expect(challenge).toMatchObject({ realm: 'example.org', qop: ['auth', 'auth-int'] });
    }
  });

  test('AUTH-03: is not challenged for what ends nothing and starts nothing', async () => {
    world = await new World({ credentials }).start();
    const peer = await world.peer();
    const uri = `sip:Deferred@${hostname}`;
    expect((await peer.ask({ method: 'OPTIONS', uri })).status).toBe(200);
    expect((await peer.ask({ method: 'CANCEL', uri })).status).toBe(481);
    peer.send({ method: 'ACK', uri });
    expect((await peer.ask({ method: 'BYE', uri })).status).toBe(481);
    expect((await peer.ask({ method: 'MESSAGE', uri: 'sip:bob@example.org' })).status).toBe(202);
  });

  test('AUTH-03: has to be known to send a message where that is wanted', async () => {
    world = await new World({ credentials, digest: { messages: 'required' } }).start();
    const carol = await world.client('carol');
    expect((await carol.send('sip:bob@example.org', 'hello')).status).toBe(401);
    const alice = await world.client('alice', { credentials: { password: 'wonderland' } });
    expect((await alice.send('sip:bob@example.org', 'hello')).status).toBe(202);
  });

  test('AUTH-02: who repeats what he heard is refused', async () => {
    world = await new World({ credentials }).start();
    const peer = await world.peer();
    const register = { method: 'REGISTER', uri: 'sip:example.org', to: 'sip:bob@example.org' };
    const [challenge] = challenges(await peer.ask(register));
    const proof = { username: 'bob', ...bobs, method: 'REGISTER', uri: 'sip:example.org' };
    const headers = [authorization(challenge!, proof)];
    expect((await peer.ask({ ...register, headers })).status).toBe(200);
    const [again] = challenges(await peer.ask({ ...register, headers }));
    expect(again!.stale).toBe(true);
    expect(again!.nonce).not.toBe(challenge!.nonce);
  });

  test('AUTH-02: who guesses is shut out', async () => {
    world = await new World({ credentials, digest: { failures: 3 } }).start();
    const peer = await world.peer();
    const register = { method: 'REGISTER', uri: 'sip:example.org', to: 'sip:bob@example.org' };
    for (const guess of ['1', '2', '3']) {
      expect((await peer.prove(register, guess)).status).toBe(401);
    }
    expect((await peer.prove(register)).status).toBe(403);
  });

  test('TPR-06: cannot register others, though he proves who he is', async () => {
    world = await new World({ credentials }).start();
    const peer = await world.peer();
    const register = { method: 'REGISTER', uri: 'sip:example.org', to: 'sip:bob@example.org' };
    const from = 'sip:scscf.example.org';
    expect((await peer.prove({ ...register, from })).status).toBe(403);
    const others = { ...register, to: 'sip:alice@example.org', from: 'sip:alice@example.org' };
    expect((await peer.prove(others)).status).toBe(403);
    expect((await peer.prove(register)).status).toBe(200);
  });

  test('PAI-01: P-Served-User of his names nobody', async () => {
    world = await new World({ credentials }).start();
    const peer = await world.peer();
    const headers: HeaderField[] = [
      ['Event', 'message-summary'],
      ['P-Served-User', '<sip:alice@example.org>;sescase=orig'],
      ['P-Asserted-Identity', '<sip:alice@example.org>'],
    ];
    const uri = 'sip:alice@example.org';
    expect((await peer.prove({ method: 'SUBSCRIBE', uri, headers })).status).toBe(403);
    expect((await peer.prove({ method: 'SUBSCRIBE', headers })).status).toBe(200);
  });

  test('AUTH-02: malformed credentials are a bad request', async () => {
    world = await new World({ credentials }).start();
    const peer = await world.peer();
    const headers: HeaderField[] = [['Authorization', 'Digest username="bob"']];
    const response = await peer.ask({ method: 'PUBLISH', headers });
    expect(response.status).toBe(400);
    expect(response.header('Warning')).toContain('SIP_DIGEST');
  });

  test('TPR-06, D-64: is refused where nobody can prove anything', async () => {
    world = await new World().start();
    const bob = await world.client('bob', { identity: 'asserted', credentials: bobs });
    expect((await bob.register()).status).toBe(403);
    expect((await bob.retrieve()).status).toBe(403);
    await expect(bob.watch().next()).rejects.toMatchObject({ status: 403 });
    expect((await bob.send('sip:bob@example.org', 'hello')).status).toBe(202);
  });
});

describe('what the recipient sees', () => {
  const message: Sketch = {
    method: 'MESSAGE',
    from: 'sip:eve@elsewhere.example',
    headers: [
      ['P-Asserted-Identity', '<sip:alice@example.org>'],
      ['P-Preferred-Identity', '<sip:alice@example.org>'],
    ],
  };

  test.each([['message/sipfrag'], ['message/sip']])(
    'PAI-01: an identity that a stranger claims is not in %s',
    async (type) => {
      world = await new World({ credentials }).start();
      const peer = await world.peer();
      expect((await peer.ask(message)).status).toBe(202);
      const bob = await world.client('bob', { credentials: bobs, acceptTypes: [type] });
      const { messages } = await bob.retrieve();
      const shown = messages[0]!.payload.toString();
      expect(shown).toContain('From: <sip:eve@elsewhere.example>');
      expect(shown).not.toContain('alice@example.org');
    },
  );

  test.each([
    ['PAI-03: asserted by a trusted peer it is shown', [], 'honour', true],
    ['PAI-03: with Privacy: id it is not', [['Privacy', 'id']], 'honour', false],
    ['PAI-03: unless the operator has told so', [['Privacy', 'id']], 'ignore', true],
  ] as const)('%s', async (_name, more, privacy, isShown) => {
    world = await new World({ credentials, trustedPeers: ['127.0.0.1'], privacy }).start();
    const peer = await world.peer();
    const headers = [...message.headers!.slice(0, 1), ...more];
    expect((await peer.ask({ ...message, headers })).status).toBe(202);
    const bob = await world.client('bob', { identity: 'asserted' });
    const { messages } = await bob.retrieve();
    expect(messages[0]!.payload.toString().includes('alice@example.org')).toBe(isShown);
  });
});

describe('a server that starts again', () => {
  test('AUTH-02: takes no nonce of its former self, and its clients do not mind', async () => {
    world = await new World({ credentials }).start();
    const bob = await world.client('bob', { credentials: bobs });
    expect((await bob.register()).status).toBe(200);
    await world.restart();
    expect((await bob.register()).status).toBe(200);
    expect((await bob.retrieve()).status).toBe(200);
    expect(await world.counted()).toMatchObject({
      'actors.authentication.wrong': 0,
      'actors.authentication.challenges': 1,
    });
  });

  test('D-18: a message that comes again with its old credentials is stored once', async () => {
    world = await new World({ credentials }).start();
    const peer = await world.peer();
    const [challenge] = challenges(await peer.ask({ method: 'PUBLISH' }));
    const uri = 'sip:alice@example.org';
    const proof = { username: 'bob', ...bobs, method: 'MESSAGE', uri };
    const message = {
      ...{ method: 'MESSAGE', uri, same: 9 },
      headers: [authorization(challenge!, proof)],
    };
    expect((await peer.ask(message)).status).toBe(202);
    await world.restart();
    expect((await peer.ask(message)).status).toBe(202);
    expect((await world.counted())['actors.duplicates']).toBe(1);
    const alice = await world.client('alice', { credentials: { password: 'wonderland' } });
    expect((await alice.retrieve()).count).toBe(1);
  });
});
