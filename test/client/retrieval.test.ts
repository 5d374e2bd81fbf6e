import { describe, expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/connect.js';
import { parseMultipart, partHeader } from '../../src/wire/multipart.js';
import { dialogOfRequest } from '../../src/wire/sip/dialog.js';
import { msrpMedia, parseSdp } from '../../src/wire/sdp.js';
import { parseUriList } from '../../src/wire/xml/resource-lists.js';
import { memoryInUse } from '../fuzz/duration.js';
import { useStage } from './stage.js';

const stage = useStage();

const fragment = (body: string, type = 'text/plain'): Buffer =>
  Buffer.from(
    'From: <sip:nia@example.com>;tag=n1a\r\nTo: <sip:bob@example.org>\r\nCall-ID: c1\r\n' +
      'Date: Fri, 20 Nov 2026 09:00:00 GMT\r\nSubject: Keys\r\n' +
      `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

describe('retrieval', () => {
  test('IMSpec-DMT-C-003: everything, by a recvonly offer without list and Require', async () => {
    const bob = await stage.client();
    const { peer } = stage;
    const outcome = bob.retrieve();
    const invite = await peer.requests.take();
    const { request } = invite;
    expect(request.uri).toBe('sip:Deferred@poste.localhost');
    expect(request.header('Accept-Contact')).toBe('*;+g.oma.sip-im;require;explicit');
    expect(request.header('Contact')).toContain(';+g.oma.sip-im');
    expect(request.header('User-Agent')).toMatch(/^IM-client\/OMA1\.0 PosteRestante\//);
    expect(request.header('P-Asserted-Identity')).toBe('<sip:bob@example.org>');
    expect(request.header('Require')).toBeUndefined();
    const media = msrpMedia(parseSdp(request.body))!;
    expect(media).toMatchObject({ direction: 'recvonly', setup: 'active' });
    expect(media.path[0]).toContain(':9/');
    await peer.accept(invite, 'focus');
    for (const [index, body] of ['one', '', 'drei\u0000'].entries()) {
      peer.send('focus', `d000000${index}`, 'message/sipfrag;version=2.0', fragment(body));
      expect((await peer.reported.take()).status).toBe(200);
    }
    peer.sip.bye('focus', 'bye', [['Reason', 'SIP;cause=200;text="done"']]);
    const { messages, ...rest } = await outcome;
    expect(rest).toMatchObject({ status: 200, ended: 'server', count: 3 });
    expect(rest.cause).toContain('cause=200');
    expect(messages.map((message) => message.body.toString())).toEqual(['one', '', 'drei\u0000']);
    expect(messages[0]).toMatchObject({
      form: 'sipfrag',
      from: 'sip:nia@example.com',
      to: 'sip:bob@example.org',
      callId: 'c1',
      subject: 'Keys',
      contentType: 'text/plain',
      date: new Date('2026-11-20T09:00:00Z'),
      receivedAt: new Date('2026-11-20T09:00:01Z'),
      duplicate: false,
    });
  });

  test('ST-02: UPDATE refreshes the session, an offer in it is refused', async () => {
    const bob = await stage.client();
    const { peer } = stage;
    const outcome = bob.retrieve();
    const invite = await peer.requests.take();
    expect(invite.request.list('Allow')).toContain('UPDATE');
    await peer.accept(invite, 'focus', undefined, { localTag: 'focus' });
    const dialog = dialogOfRequest(invite.request, 'focus');
    const update = { owner: 'refresh', method: 'UPDATE', uri: '', from: '', to: '', route: [] };
    for (const [localCseq, body, status] of [
      [1, undefined, 200],
      [2, Buffer.from('v=0\r\n'), 488],
    ] as const) {
      const request = { ...update, id: `u${localCseq}`, dialog: { ...dialog, localCseq } };
      const headers = [['Content-Type', 'application/sdp']] as const;
      peer.sip.request(body ? { ...request, headers, body } : { ...request, headers: [] });
      const { response } = await peer.responses.take();
      expect(response.status).toBe(status);
      if (status === 200) expect(response.header('Contact')).toContain('sip:');
    }
    const bye = { ...update, method: 'BYE', id: 'bye', dialog: { ...dialog, localCseq: 3 } };
    peer.sip.request({ ...bye, headers: [] });
    expect((await outcome).ended).toBe('server');
  });

  test('IMSpec-DMT-C-002: selected messages, by a recipient list that is required', async () => {
    const bob = await stage.client({ server: stage.peer.server('tcp') });
    const outcome = bob.retrieve({ ids: ['70000001@s07.example.net', 'sip:3@s07.example.net'] });
    const { request, transaction } = await stage.peer.requests.take();
    expect(request.uri).toBe('sip:Deferred@s07.example.net');
    expect(request.list('Require')).toEqual(['recipient-list-invite']);
    const parts = parseMultipart(request.body, request.header('Content-Type')!);
    expect(parts.map((part) => partHeader(part, 'content-type'))).toEqual([
      'application/sdp',
      'application/resource-lists+xml',
    ]);
    expect(partHeader(parts[1]!, 'content-disposition')).toBe('recipient-list');
    expect(parseUriList(parts[1]!.body)).toEqual([
      'sip:70000001@s07.example.net',
      'sip:3@s07.example.net',
    ]);
    stage.peer.sip.respond(transaction, {
      status: 403,
      headers: [['Warning', '399 s07.example.net "127 Service not authorised"']],
    });
    expect(await outcome).toEqual({
      status: 403,
      reason: 'Forbidden',
      warning: '127 Service not authorised',
      ended: 'none',
      count: 0,
      messages: [],
    });
  });

  test('MSRP-13: a message that comes again under its Message-ID is marked', async () => {
    const bob = await stage.client();
    const duplicates: boolean[] = [];
    for (const owner of ['first', 'second']) {
      const outcome = bob.retrieve({
        onMessage: ({ duplicate }) => void duplicates.push(duplicate),
      });
      await stage.peer.accept(await stage.peer.requests.take(), owner);
      stage.peer.send(owner, 'd70000001', 'text/plain', Buffer.from('again'));
      await stage.peer.reported.take();
      stage.peer.sip.bye(owner, 'bye', []);
      expect((await outcome).messages).toEqual([]);
      await stage.peer.responses.take();
    }
    expect(duplicates).toEqual([false, true]);
  });

  test('is passive where it is told to be', async () => {
    const bob = await stage.client({ msrpRole: 'passive' });
    const outcome = bob.retrieve();
    const invite = await stage.peer.requests.take();
    expect(msrpMedia(parseSdp(invite.request.body))!.setup).toBe('actpass');
    await stage.peer.accept(invite, 'focus');
    stage.peer.send('focus', 'd70000001', 'text/plain', Buffer.from('x'));
    await stage.peer.reported.take();
    stage.peer.sip.bye('focus', 'bye', []);
    expect((await outcome).count).toBe(1);
  });

  test('SDP-05: holdconn in the answer is ignored: the client connects', async () => {
    const bob = await stage.client();
    const outcome = bob.retrieve();
    await stage.peer.accept(await stage.peer.requests.take(), 'focus', undefined, { held: true });
    stage.peer.send('focus', 'd70000001', 'text/plain', Buffer.from('x'));
    await stage.peer.reported.take();
    stage.peer.sip.bye('focus', 'bye', []);
    expect((await outcome).count).toBe(1);
  });

  test('confirms a message only when its consumer has it, one after the other', async () => {
    const bob = await stage.client();
    const begun: string[] = [];
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let heard: () => void = () => {};
    const firstBegun = new Promise<void>((resolve) => (heard = resolve));
    const outcome = bob.retrieve({
      onMessage: async ({ messageId }) => {
        begun.push(messageId);
        heard();
        if (messageId === 'd0000001') await gate;
      },
    });
    await stage.peer.accept(await stage.peer.requests.take(), 'focus');
    stage.peer.send('focus', 'd0000001', 'text/plain', Buffer.from('1'));
    stage.peer.send('focus', 'd0000002', 'text/plain', Buffer.from('2'));
    await firstBegun;
    expect(begun).toEqual(['d0000001']);
    expect(stage.peer.reported.size).toBe(0);
    release();
    expect((await stage.peer.reported.take()).messageId).toBe('d0000001');
    expect((await stage.peer.reported.take()).messageId).toBe('d0000002');
    stage.peer.sip.bye('focus', 'bye', []);
    expect((await outcome).count).toBe(2);
  });

  test('ends the session when its consumer fails, and tells why', async () => {
    const bob = await stage.client();
    const outcome = bob.retrieve({
      onMessage: () => {
        throw new Error('disk full');
      },
    });
    const failure = expect(outcome).rejects.toThrow('disk full');
    await stage.peer.accept(await stage.peer.requests.take(), 'focus');
    stage.peer.send('focus', 'd0000001', 'text/plain', Buffer.from('1'));
    await failure;
    const bye = await stage.peer.requests.take();
    expect(bye.request.method).toBe('BYE');
    stage.peer.respond(bye, { status: 200 });
  });

  test('gives up at the bound of what it collects, and hands over what was confirmed', async () => {
    const bob = await stage.client({ limits: { collectedBytes: 10 } });
    const outcome = bob.retrieve().catch((error: unknown) => error);
    await stage.peer.accept(await stage.peer.requests.take(), 'focus');
    stage.peer.send('focus', 'd0000001', 'text/plain', Buffer.from('123456'));
    stage.peer.send('focus', 'd0000002', 'text/plain', Buffer.from('123456'));
    const error = (await outcome) as { code: string; messages: DeliveredMessage[] };
    expect(error.code).toBe('CLIENT_OVERFLOW');
    expect(error.messages.map((message) => message.messageId)).toEqual(['d0000001']);
  });

  test('refuses a message above its bound with 413 and goes on', async () => {
    const bob = await stage.client({ limits: { messageBytes: 1000 } });
    const outcome = bob.retrieve();
    await stage.peer.accept(await stage.peer.requests.take(), 'focus');
    stage.peer.send('focus', 'd0000001', 'text/plain', Buffer.alloc(1001));
    expect((await stage.peer.sent.take()).status).toBe(413);
    stage.peer.send('focus', 'd0000002', 'text/plain', Buffer.alloc(1000));
    expect((await stage.peer.reported.take()).status).toBe(200);
    stage.peer.sip.bye('focus', 'bye', []);
    expect((await outcome).messages.map(({ body }) => body.length)).toEqual([1000]);
  });

  test('SIP-07: is cancelled by the user before there is an answer', async () => {
    const bob = await stage.client();
    const user = new AbortController();
    const outcome = bob.retrieve({ signal: user.signal });
    const failure = expect(outcome).rejects.toMatchObject({ code: 'CLIENT_CANCELLED' });
    const invite = await stage.peer.requests.take();
    stage.peer.respond(invite, { status: 180 });
    user.abort();
    await failure;
    expect(await stage.peer.cancelled.take()).toBe(invite.transaction);
  });

  test('tells of a server that is not there', async () => {
    const bob = await stage.client({ limits: { answerMs: 50 } });
    await expect(bob.retrieve()).rejects.toMatchObject({ code: 'CLIENT_TIMEOUT' });
    await expect(bob.retrieve({ ids: [] })).rejects.toMatchObject({ code: 'CLIENT_USAGE' });
  });

  test('streams ten thousand messages in flat memory', async () => {
    const bob = await stage.client();
    let octets = 0;
    let count = 0;
    const outcome = bob.retrieve({
      onMessage: ({ payload }) => {
        octets += payload.length;
        count++;
      },
    });
    await stage.peer.accept(await stage.peer.requests.take(), 'focus');
    const payload = Buffer.alloc(2000, 'x');
    const before = memoryInUse().outside;
    let peak = 0;
    for (let sent = 0; sent < 10_000; sent += 100) {
      for (let n = 0; n < 100; n++) {
        stage.peer.send('focus', `d${String(sent + n).padStart(8, '0')}`, 'text/plain', payload);
      }
      for (let n = 0; n < 100; n++) await stage.peer.reported.take();
      if (sent % 2_000 === 1_000) peak = Math.max(peak, memoryInUse().outside - before);
    }
    stage.peer.sip.bye('focus', 'bye', []);
    expect((await outcome).count).toBe(10_000);
    expect({ octets, count }).toEqual({ octets: 20_000_000, count: 10_000 });
    expect(peak).toBeLessThan(16_000_000);
  });
});
