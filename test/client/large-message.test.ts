import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/connect.js';
import type { MsrpIncoming, MsrpSink } from '../../src/ports.js';
import { parseCpim, cpimFacts } from '../../src/wire/cpim.js';
import { msrpMedia, parseSdp } from '../../src/wire/sdp.js';
import { useStage } from './stage.js';

const stage = useStage();

/** Takes in one message, and answers it with a status. */
function taking(status: number, seen: MsrpIncoming[], bodies: Buffer[]) {
  return (incoming: MsrpIncoming): MsrpSink => {
    seen.push(incoming);
    const body = Buffer.alloc(incoming.total ?? 0);
    bodies.push(body);
    return {
      write: (offset, bytes) => void bytes.copy(body, offset),
      complete: () => status,
      abort: () => undefined,
    };
  };
}

describe('sending', () => {
  test('D-15: tag and sendonly offer; the octets arrive; stored is what the REPORT says', async () => {
    const bob = await stage.client();
    const { peer } = stage;
    const seen: MsrpIncoming[] = [];
    const bodies: Buffer[] = [];
    peer.receive = taking(200, seen, bodies);
    const body = randomBytes(300_000);
    const sent = bob.sendLarge('sip:nia@example.com', body, {
      contentType: 'image/png',
      subject: 'Plan',
      urgent: true,
      messageId: 'm4Pq77sA',
    });
    const invite = await peer.requests.take();
    const { request } = invite;
    expect(request.uri).toBe('sip:nia@example.com');
    expect(request.header('Contact')).toContain(';+g.oma.sip-im.large-message');
    expect(request.header('Accept-Contact')).toContain('+g.oma.sip-im.large-message');
    expect(request.header('Subject')).toBe('Plan');
    expect(request.header('Priority')).toBe('urgent');
    expect(msrpMedia(parseSdp(request.body))).toMatchObject({ direction: 'sendonly' });
    await peer.accept(invite, 'recording');
    expect(await sent).toMatchObject({
      status: 200,
      msrpStatus: 200,
      reported: true,
      messageId: 'm4Pq77sA',
      callId: request.header('Call-ID'),
    });
    expect(seen[0]).toMatchObject({ messageId: 'm4Pq77sA', contentType: 'image/png' });
    expect(bodies[0]!.equals(body)).toBe(true);
    expect((await peer.requests.take()).request.method).toBe('BYE');
  });

  test('D-17: with reports, the content is CPIM whose head names the message', async () => {
    const bob = await stage.client();
    const bodies: Buffer[] = [];
    stage.peer.receive = taking(200, [], bodies);
    const sent = bob.sendLarge('sip:nia@example.com', Buffer.from('plan'), {
      contentType: 'text/plain',
      requestReports: true,
    });
    await stage.peer.accept(await stage.peer.requests.take(), 'recording');
    const { imdnMessageId } = await sent;
    const cpim = parseCpim(bodies[0]!);
    expect(cpimFacts(cpim)).toMatchObject({ messageId: imdnMessageId });
    expect(cpim.body.toString()).toBe('plan');
  });

  test('S4-603-LM: a refusal of the INVITE is an outcome', async () => {
    const bob = await stage.client();
    const sent = bob.sendLarge('sip:nia@example.com', Buffer.from('x'));
    stage.peer.respond(await stage.peer.requests.take(), { status: 603, reason: 'Declined' });
    const outcome = await sent;
    expect(outcome).toMatchObject({ status: 603, reported: false });
    expect(outcome.msrpStatus).toBeUndefined();
  });

  test('D-16: 413 in the middle is an outcome too', async () => {
    const bob = await stage.client();
    stage.peer.receive = () => 413;
    const sent = bob.sendLarge('sip:nia@example.com', randomBytes(100_000));
    await stage.peer.accept(await stage.peer.requests.take(), 'recording');
    expect(await sent).toMatchObject({ status: 200, msrpStatus: 413, reported: false });
  });

  test('RFC 4975 8.6: what is above max-size is not sent', async () => {
    const bob = await stage.client();
    const sent = bob.sendLarge('sip:nia@example.com', Buffer.alloc(101));
    const invite = await stage.peer.requests.take();
    void stage.peer.accept(invite, 'recording', undefined, { maxSize: 100 });
    expect(await sent).toMatchObject({ status: 200, msrpStatus: 413 });
    expect((await stage.peer.requests.take()).request.method).toBe('BYE');
  });

  test('a connection that is lost is an error; one too many is refused', async () => {
    const bob = await stage.client({ limits: { graceMs: 100, transfers: 1 } });
    const sent = bob.sendLarge('sip:nia@example.com', Buffer.alloc(10)).catch((e: unknown) => e);
    const second = bob.sendLarge('sip:nia@example.com', Buffer.alloc(10));
    await expect(second).rejects.toMatchObject({ code: 'CLIENT_OVERFLOW' });
    stage.peer.receive = () => {
      stage.peer.msrp.release('recording');
      return 400;
    };
    await stage.peer.accept(await stage.peer.requests.take(), 'recording');
    expect(await sent).toMatchObject({ msrpStatus: 400 });
  });

  test.each([
    ['a line break', { contentType: 'text/plain\r\nX: y' }],
    ['no Message-ID', { messageId: 'sip:1@h' }],
  ])('what cannot be written is wrong usage: %s', async (_, options) => {
    const bob = await stage.client();
    const sent = bob.sendLarge('sip:nia@example.com', Buffer.alloc(1), options);
    await expect(sent).rejects.toMatchObject({ code: 'CLIENT_USAGE' });
  });
});

describe('the spool', () => {
  let spool: string;
  beforeEach(() => {
    spool = mkdtempSync(join(tmpdir(), 'poste-spool-'));
  });
  afterEach(() => rmSync(spool, { recursive: true, force: true }));

  const body = randomBytes(400_000);
  const cpim = Buffer.concat([
    Buffer.from('From: <sip:nia@example.com>\r\nTo: <sip:bob@example.org>\r\n\r\n'),
    Buffer.from('Content-Type: image/png\r\n\r\n'),
    body,
  ]);
  const send = Buffer.concat([
    Buffer.from(
      'MSRP i7Kd02ppQ9 SEND\r\nTo-Path: msrp://192.0.2.20:2855/k3;tcp\r\n' +
        'From-Path: msrp://192.0.2.10:7394/w3;tcp\r\nMessage-ID: m4Pq90tB\r\n' +
        `Byte-Range: 1-${body.length}/${body.length}\r\nContent-Type: image/png\r\n\r\n`,
    ),
    body,
    Buffer.from('\r\n-------i7Kd02ppQ9$\r\n'),
  ]);
  const mixed = Buffer.concat([
    Buffer.from(
      '--b1\r\nContent-Type: message/sipfrag\r\n\r\nFrom: <sip:nia@example.com>;tag=1\r\n' +
        'Subject: Plan\r\n\r\n--b1\r\nContent-Type: message/msrp\r\n\r\n',
    ),
    send,
    Buffer.from('\r\n--b1--\r\n'),
  ]);

  test.each([
    ['cpim', 'message/cpim', cpim],
    ['msrp', 'message/msrp', send],
    ['mixed', 'multipart/mixed;boundary=b1', mixed],
    ['original', 'image/png', body],
  ])('a message too large for memory lies in a file: %s', async (form, type, payload) => {
    const messages: DeliveredMessage[] = [];
    const bob = await stage.client({ spool, limits: { graceMs: 100, messageBytes: 200_000 } });
    const { peer } = stage;
    const onMessage = (message: DeliveredMessage): void => void messages.push(message);
    const outcome = bob.retrieve({ onMessage });
    await peer.accept(await peer.requests.take(), 'focus');
    peer.send('focus', 'd70000001', type, payload);
    expect((await peer.reported.take()).status).toBe(200);
    peer.sip.bye('focus', 'bye', []);
    await outcome;
    const [message] = messages;
    expect(message).toMatchObject({ form, contentType: 'image/png' });
    expect(message!.body).toHaveLength(0);
    const { path, size, body: place } = message!.spooled!;
    expect(size).toBe(payload.length);
    const stored = readFileSync(path).subarray(place.offset, place.offset + place.size);
    expect(digest(stored)).toBe(digest(body));
    if (form === 'mixed') expect(message!.subject).toBe('Plan');
  });

  test('a message that breaks off leaves no file', async () => {
    const bob = await stage.client({ spool, limits: { graceMs: 100, messageBytes: 1_000 } });
    const { peer } = stage;
    const outcome = bob.retrieve({ onMessage: () => undefined }).catch((e: unknown) => e);
    await peer.accept(await peer.requests.take(), 'focus');
    let begin: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      begin = resolve;
    });
    peer.msrp.send({
      ...{ session: 'focus', owner: 'focus', messageId: 'd70000002', headers: [] },
      contentType: 'image/png',
      content: {
        size: 1_000_000,
        read: (offset, length) => {
          if (offset > 0) begin();
          return Buffer.alloc(length);
        },
      },
      successReport: true,
    });
    await started;
    peer.msrp.release('focus');
    await bob.stop({ unregister: false });
    await outcome;
    await expect.poll(() => readdirSync(spool)).toEqual([]);
  });
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
