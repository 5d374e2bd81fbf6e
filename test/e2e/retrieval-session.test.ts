/** The session of a retrieval that was accepted, over the wire (S3 11.3.1, D-66 to D-75). */

import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import type { PolicyPort, PolicyVerdict } from '../../src/ports.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest } from '../../src/wire/sip/message.js';
import {
  bind,
  branchOf,
  confirm,
  entry,
  expectRequest,
  invitation,
  listOf,
  listType,
  retrieve,
  send,
  storeMessages,
  withLists,
} from './retrieval-scene.js';
import { description, sdpType, withServer, type Sketch } from './sip-scene.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

const noPush: SettingsInput['limits'] = { push: { default: false } };

test('S3-200-SERVER, S3-200-ALLOW, S3-200-AUTOMATA, S3-200-SDP, IMSpec-DMT-S-011, SDP-02, D-66: the 200 header by header', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const { accepted } = await retrieve(scene);
    expect(accepted.header('Server')).toMatch(/^IM-serv\/OMA1\.0 PosteRestante\//);
    for (const method of ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'UPDATE', 'SUBSCRIBE']) {
      expect(accepted.list('Allow')).toContain(method);
    }
    expect(accepted.header('Contact')).toMatch(/;automata;isfocus;\+g\.oma\.sip-im$/);
    expect(accepted.header('Content-Type')).toBe('application/sdp');
    const sdp = accepted.body.toString();
    expect(sdp).toMatch(/\r\na=sendonly\r\n/);
    expect(sdp).toMatch(/\r\na=setup:passive\r\n/);
    expect(sdp).toMatch(/\r\na=accept-types:message\/sipfrag /);
    expect(sdp).toMatch(/\r\na=path:msrp:\/\/127\.0\.0\.1:\d+\/[^;]{8,};tcp\r\n/);
  }, noPush));

test('D-69: an empty mailbox is answered 200, then BYE says why, after the binding SEND or the wait', () =>
  withServer(
    async (scene) => {
      for (const binds of [true, false]) {
        const retrieval = await retrieve(scene, { callId: `empty-${binds}` });
        const msrp = binds ? await bind(retrieval) : undefined;
        const bye = await expectRequest(scene, 'BYE');
        expect(bye.header('Reason')).toBe('SIP;cause=200;text="No deferred messages"');
        msrp?.socket.destroy();
      }
    },
    { ...noPush, retrieval: { emptyMs: 1_000 } },
  ));

test('D-72, D-73: ascending Message-IDs, one message after the other, BYE behind the last REPORT', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 4);
    const msrp = await bind(await retrieve(scene));
    for (const index of [0, 1, 2, 3]) {
      expect(await confirm(msrp, index)).toContain(`message ${index + 1}`);
    }
    await expectRequest(scene, 'BYE');
    expect(msrp.requests.map(({ flag }) => flag)).toEqual(['$', '$', '$', '$']);
    msrp.socket.destroy();
  }, noPush));

test('D-75, MSRP-31: a payload SEND of the client gets 403, and the session lives', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const retrieval = await retrieve(scene);
    const msrp = await bind(retrieval);
    const path = /a=path:(\S+)/.exec(retrieval.accepted.body.toString())![1]!;
    msrp.write(send(path, 'payload1', 'hello'));
    expect(await msrp.status('payload1')).toBe(403);
    expect(await confirm(msrp, 0)).toContain('message 1');
    await expectRequest(scene, 'BYE');
    msrp.socket.destroy();
  }, noPush));

test('D-74, LIST-05: a refresh is taken, a list and another direction are not', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const retrieval = await retrieve(scene);
    const { inside, accepted } = retrieval;
    const msrp = await bind(retrieval);
    const again = (cseq: number, more: Parameters<typeof invitation>[1]): Sketch => ({
      ...invitation(scene, more),
      ...inside,
      cseq,
    });
    const same = await scene.ask(again(2, {}));
    expect(same.status).toBe(200);
    expect(/o=.*/.exec(same.body.toString())).toEqual(/o=.*/.exec(accepted.body.toString()));
    scene.send({ method: 'ACK', ...inside, cseq: 2 });
    const listed = await scene.ask(again(3, { body: withLists(listOf(entry(1))), type: listType }));
    expect([listed.status, listed.header('Unsupported')]).toEqual([420, 'recipient-list-invite']);
    scene.send({ method: 'ACK', ...inside, cseq: 3, branch: branchOf(listed) });
    const turned = await scene.ask(again(4, { body: description({ direction: 'sendrecv' }) }));
    expect(turned.status).toBe(488);
    scene.send({ method: 'ACK', ...inside, cseq: 4, branch: branchOf(turned) });
    expect(await confirm(msrp, 0)).toContain('message 1');
    await expectRequest(scene, 'BYE');
    msrp.socket.destroy();
  }, noPush));

test('D-66: 100 at once, and no other provisional response, even to who could acknowledge one', async () => {
  let decide: (verdict: PolicyVerdict) => void = () => undefined;
  const policy: PolicyPort = {
    judge: ({ operation }) =>
      operation === 'store' ? { allowed: true } : new Promise((resolve) => (decide = resolve)),
  };
  await withServer(
    async (scene) => {
      await storeMessages(scene, 1);
      const callId = 'provisional';
      scene.send({
        ...invitation(scene, { headers: [['Supported', '100rel, timer']] }),
        ...{ callId },
      });
      // The answer waits for the policy, and 100 does not wait for the answer.
      expect((await scene.peer.arrivals.next()).message).toMatchObject({ status: 100 });
      decide({ allowed: true });
      const { message } = await scene.peer.arrivals.next();
      expect(message).toMatchObject({ kind: 'response', status: 200 });
      expect(message.header('RSeq')).toBeUndefined();
      expect(message.list('Require')).not.toContain('100rel');
    },
    noPush,
    'udp',
    {},
    { policy },
  );
});

test.each(['INVITE', 'UPDATE'])(
  'D-74, DLG-03: a new Contact by %s is where the BYE goes; a list and a turn are refused',
  async (method) => {
    const elsewhere = await openUnrepeatedPeer();
    try {
      await withServer(async (scene) => {
        await storeMessages(scene, 1);
        const retrieval = await retrieve(scene);
        const { inside } = retrieval;
        const msrp = await bind(retrieval);
        let cseq = 1;
        const change = async (headers: readonly HeaderField[], body: string, type: string) => {
          cseq++;
          const fields: HeaderField[] = [...headers, ['Content-Type', type]];
          const answer = await scene.ask({ method, ...inside, cseq, headers: fields, body });
          const branch = answer.status < 300 ? {} : { branch: branchOf(answer) };
          if (method === 'INVITE') scene.send({ method: 'ACK', ...inside, cseq, ...branch });
          return answer;
        };
        const { port } = elsewhere;
        const moved = ['Contact', `<sip:tomas@127.0.0.1:${port}>;+g.oma.sip-im`] as const;
        const taken = await change([moved], description({}), sdpType[1]);
        expect([taken.status, /a=sendonly/.test(taken.body.toString())]).toEqual([200, true]);
        const turned = description({ direction: 'sendrecv' });
        expect((await change([moved], turned, sdpType[1])).status).toBe(488);
        const listed = await change([moved], withLists(listOf(entry(1))), listType);
        expect([listed.status, listed.header('Unsupported')]).toEqual([
          420,
          'recipient-list-invite',
        ]);
        expect(await confirm(msrp, 0)).toContain('message 1');
        const { message, reply } = await elsewhere.arrivals.next();
        expect(message).toMatchObject({ kind: 'request', method: 'BYE' });
        reply(responseTo(message as SipRequest, 200));
        msrp.socket.destroy();
      }, noPush);
    } finally {
      await elsewhere.close();
    }
  },
);
