import { describe, expect, test } from 'vitest';
import { cpimFacts, parseCpim } from '../../src/wire/cpim.js';
import { useStage } from './stage.js';
import { writeMessageSummary } from '../../src/wire/message-summary.js';
import { dialogOfRequest } from '../../src/wire/sip/dialog.js';
import type { SipReceived } from '../../src/ports.js';

const stage = useStage();

describe('registration', () => {
  test('D-40: names the feature tag, is granted, and is ended by Expires 0', async () => {
    const bob = await stage.client();
    const registered = bob.register({ expires: 600 });
    const first = await stage.peer.requests.take();
    expect(first.request.uri).toBe('sip:example.org');
    const contact = first.request.header('Contact')!;
    expect(contact).toContain(';+g.oma.sip-im');
    stage.peer.respond(first, {
      status: 200,
      headers: [
        ['Contact', '<sip:bob@192.0.2.9>;expires=999'],
        ['Contact', `<${stage.contactOf(bob)}>;expires=300`],
      ],
    });
    expect(await registered).toMatchObject({ status: 200, expires: 300 });
    const gone = bob.unregister();
    const second = await stage.peer.requests.take();
    expect(second.request.header('Expires')).toBe('0');
    expect(second.request.header('Call-ID')).toBe(first.request.header('Call-ID'));
    stage.peer.respond(second, { status: 200 });
    expect(await gone).toMatchObject({ status: 200, expires: 0 });
  });

  test('a refusal is an outcome', async () => {
    const bob = await stage.client();
    const registered = bob.register();
    stage.peer.respond(await stage.peer.requests.take(), { status: 403 });
    expect(await registered).toMatchObject({ status: 403, expires: 0 });
    expect(await bob.unregister()).toMatchObject({ status: 200 });
  });
});

describe('submission', () => {
  test('S4-202: carries what the user gave, and tells the answer', async () => {
    const bob = await stage.client({ displayName: 'Bob' });
    const sent = bob.send('sip:nia@example.com', Buffer.from([0, 255, 13, 10]), {
      contentType: 'application/octet-stream',
      subject: 'Grüße',
      expires: 60,
      urgent: true,
    });
    const received = await stage.peer.requests.take();
    const { request } = received;
    expect(request.method).toBe('MESSAGE');
    expect(request.uri).toBe('sip:nia@example.com');
    expect(request.header('Contact')).toBeUndefined();
    expect(request.header('From')).toContain('Bob');
    expect(request.header('Subject')).toBe('Grüße');
    expect(request.header('Expires')).toBe('60');
    expect(request.header('Priority')).toBe('urgent');
    expect([...request.body]).toEqual([0, 255, 13, 10]);
    stage.peer.respond(received, { status: 202 });
    const outcome = await sent;
    expect(outcome).toMatchObject({ status: 202, callId: request.header('Call-ID') });
  });

  test('MSG-07: has one MESSAGE at a time on its way to a URI', async () => {
    const bob = await stage.client();
    const sent = ['a', 'b'].map((body) => bob.send('sip:nia@example.com', body));
    const other = bob.send('sip:tomas@example.net', 'c');
    const first = await stage.peer.requests.take();
    const second = await stage.peer.requests.take();
    expect([first, second].map(({ request }) => request.body.toString()).sort()).toEqual([
      'a',
      'c',
    ]);
    const [a, c] = first.request.body.toString() === 'a' ? [first, second] : [second, first];
    stage.peer.respond(c, { status: 202 });
    await other;
    expect(stage.peer.requests.size).toBe(0);
    stage.peer.respond(a, { status: 603, headers: [['Warning', '399 h "Not stored: quota"']] });
    expect(await sent[0]).toMatchObject({ status: 603, warning: 'Not stored: quota' });
    const third = await stage.peer.requests.take();
    expect(third.request.body.toString()).toBe('b');
    stage.peer.respond(third, { status: 202 });
    expect((await sent[1])!.status).toBe(202);
  });

  test('D-17: asks for reports by CPIM', async () => {
    const bob = await stage.client();
    const sent = bob.send('sip:nia@example.com', 'hello', { requestReports: true });
    const received = await stage.peer.requests.take();
    const cpim = parseCpim(received.request.body);
    const facts = cpimFacts(cpim);
    expect([...facts.dispositions].sort()).toEqual(['negative-delivery', 'processing']);
    expect(cpim.body.toString()).toBe('hello');
    stage.peer.respond(received, { status: 202 });
    expect((await sent).imdnMessageId).toBe(facts.messageId);
  });

  test('refuses line breaks in what becomes a header field, and more than may wait', async () => {
    const bob = await stage.client({ limits: { queuedSubmissions: 1 } });
    const usage = { code: 'CLIENT_USAGE' };
    await expect(bob.send('sip:a@b', '', { subject: 'a\r\nVia: x' })).rejects.toMatchObject(usage);
    const sending = bob.send('sip:nia@example.com', '1');
    const waiting = bob.send('sip:nia@example.com', '2');
    const full = bob.send('sip:nia@example.com', '3');
    await expect(full).rejects.toMatchObject({ code: 'CLIENT_OVERFLOW' });
    const stopped = { code: 'CLIENT_STOPPED' };
    const both = [sending, waiting].map((one) => expect(one).rejects.toMatchObject(stopped));
    await bob.stop();
    await Promise.all(both);
    await expect(bob.send('sip:nia@example.com', '4')).rejects.toMatchObject(stopped);
  });
});

const state = (pager: number, messageId?: string) => ({
  waiting: pager > 0,
  account: 'sip:bob@example.org',
  classes: [{ name: 'Pager-Message', new: pager, old: 0, newUrgent: 0, oldUrgent: 0 }],
  headers: messageId === undefined ? [] : [[['Message-ID', messageId] as const]],
});

describe('watcher', () => {
  const tag = 'po7mw';

  function notify(subscribe: SipReceived, cseq: number, body: Buffer, end = false): void {
    const { sip } = stage.peer;
    const dialog = dialogOfRequest(subscribe.request, tag);
    sip.request({
      owner: `n${cseq}`,
      id: String(cseq),
      method: 'NOTIFY',
      ...{ uri: '', from: '', to: '', route: [] },
      headers: [
        ['Contact', `<${sip.contactUri('mwi')}>`],
        ['Event', 'message-summary'],
        ['Subscription-State', end ? 'terminated;reason=timeout' : 'active;expires=3600'],
        ['Content-Type', 'application/simple-message-summary'],
      ],
      body,
      dialog: { ...dialog, localCseq: cseq },
    });
  }

  test('IMSpec-DMT-C-001: shows states, also one that overtakes the 200', async () => {
    const bob = await stage.client();
    const states = bob.watch();
    const subscribe = await stage.peer.requests.take();
    expect(subscribe.request.header('Event')).toBe('message-summary');
    expect(subscribe.request.header('Accept')).toBe('application/simple-message-summary');
    notify(subscribe, 1, writeMessageSummary(state(1)));
    expect((await stage.peer.responses.take()).response.status).toBe(200);
    stage.peer.respond(subscribe, {
      status: 200,
      localTag: tag,
      headers: [
        ['Contact', `<${stage.peer.sip.contactUri('mwi')}>`],
        ['Expires', '3600'],
      ],
    });
    notify(subscribe, 2, writeMessageSummary(state(2, '7@s07.example.net')));
    expect((await states.next()).value).toMatchObject({
      waiting: true,
      account: 'sip:bob@example.org',
      classes: [{ class: 'Pager-Message', new: 1, old: 0 }],
    });
    expect((await states.next()).value!.messages).toEqual([[['Message-ID', '7@s07.example.net']]]);
    notify(subscribe, 3, Buffer.from('Messages-Waiting: perhaps\r\n'));
    await stage.peer.responses.take();
    expect((await stage.peer.responses.take()).response.status).toBe(400);
    const left = states.return!();
    const last = await stage.peer.requests.take();
    expect(last.request.header('Expires')).toBe('0');
    expect(last.request.header('Call-ID')).toBe(subscribe.request.header('Call-ID'));
    expect(last.request.header('To')).toContain(tag);
    stage.peer.respond(last, { status: 200, headers: [['Expires', '0']] });
    notify(subscribe, 4, writeMessageSummary(state(0)), true);
    await left;
    notify(subscribe, 5, writeMessageSummary(state(0)));
    await stage.peer.responses.take();
    expect((await stage.peer.responses.take()).response.status).toBe(481);
  });

  test('IMSpec-DMO-C-010: a refusal is thrown where the states are read', async () => {
    const bob = await stage.client();
    const states = bob.watch();
    stage.peer.respond(await stage.peer.requests.take(), { status: 403 });
    await expect(states.next()).rejects.toMatchObject({ code: 'CLIENT_REFUSED', status: 403 });
    expect((await states.next()).done).toBe(true);
  });
});

describe('push', () => {
  test('D-47: is answered recvonly and active, and every message is confirmed', async () => {
    const bob = await stage.client();
    const incoming = bob.deliveries();
    const answer = await stage.peer.invite('push', stage.contactOf(bob));
    expect(answer.status).toBe(200);
    expect(answer.header('Server')).toMatch(/^IM-client\/OMA1\.0 /);
    expect(answer.body.toString()).toContain('a=recvonly');
    expect(answer.body.toString()).toContain('a=setup:active');
    for (const text of ['one', 'two']) {
      stage.peer.send('push', `d000${text}`, 'text/plain', Buffer.from(text));
      expect((await incoming.next()).value!.body.toString()).toBe(text);
      expect((await stage.peer.reported.take()).status).toBe(200);
    }
    stage.peer.sip.bye('push', 'bye', []);
    expect((await stage.peer.responses.take()).response.status).toBe(200);
  });

  test('SDP-05: holdconn in the offer is ignored: the server connects, or nobody can', async () => {
    const bob = await stage.client({ msrpRole: 'passive' });
    const answer = await stage.peer.invite('push', stage.contactOf(bob), 'holdconn');
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain('a=setup:passive');
    stage.peer.sip.bye('push', 'bye', []);
    await stage.peer.responses.take();
    const active = await stage.client();
    const refused = await stage.peer.invite('held', stage.contactOf(active), 'holdconn');
    expect(refused.status).toBe(488);
  });

  test('is declined with 480 when the user does not want it', async () => {
    const bob = await stage.client({ push: 'decline' });
    expect((await stage.peer.invite('push', stage.contactOf(bob))).status).toBe(480);
  });

  test('is refused when there are as many sessions as there may be', async () => {
    const bob = await stage.client({ limits: { deliveries: 1 } });
    expect((await stage.peer.invite('push', stage.contactOf(bob))).status).toBe(200);
    expect((await stage.peer.invite('more', stage.contactOf(bob))).status).toBe(486);
  });

  test('SDP-06: an offer that wants to connect to an active endpoint gets 488', async () => {
    const bob = await stage.client();
    expect((await stage.peer.invite('push', stage.contactOf(bob), 'active')).status).toBe(488);
  });

  test('a full queue holds the server back; what is not taken in time is not confirmed', async () => {
    const bob = await stage.client({ limits: { queuedMessages: 1, consumerMs: 50 } });
    const incoming = bob.deliveries();
    await stage.peer.invite('push', stage.contactOf(bob));
    stage.peer.send('push', 'd0000001', 'text/plain', Buffer.from('1'));
    stage.peer.send('push', 'd0000002', 'text/plain', Buffer.from('2'));
    const outcomes = [await stage.peer.sent.take(), await stage.peer.sent.take()];
    expect(outcomes.map(({ messageId, status }) => `${messageId} ${status}`)).toEqual([
      'd0000001 200',
      'd0000002 408',
    ]);
    expect((await incoming.next()).value!.messageId).toBe('d0000001');
  });
});

describe('requests outside of a session', () => {
  async function ask(method: string, headers: [string, string][] = [], to = '<sip:bob@x.org>') {
    const { sip } = stage.peer;
    sip.request({
      owner: 'ask',
      id: method,
      method,
      uri: `sip:bob@127.0.0.1:${port}`,
      from: '<sip:nia@example.com>',
      to,
      route: [],
      headers: [['Contact', `<${sip.contactUri('nia')}>`], ...headers],
      body: Buffer.from('hello'),
    });
    return (await stage.peer.responses.take()).response;
  }
  let port: number;

  test.each([
    ['OPTIONS', [], 200],
    ['SUBSCRIBE', [['Event', 'presence']], 405],
    ['INVITE', [], 488],
    ['BYE', [], 481],
    ['NOTIFY', [['Event', 'presence']], 489],
    ['NOTIFY', [['Event', 'message-summary']], 481],
  ] as [string, [string, string][], number][])(
    '%s %j is answered %i',
    async (method, headers, status) => {
      port = (await stage.client()).address.port;
      const response = await ask(method, headers);
      expect(response.status).toBe(status);
      if (status === 405 || status === 200) expect(response.header('Allow')).toContain('INVITE');
    },
  );

  test('DLG-02: an INVITE in a dialog that nobody knows is answered 481', async () => {
    port = (await stage.client()).address.port;
    expect((await ask('INVITE', [], '<sip:bob@x.org>;tag=gone')).status).toBe(481);
  });

  test('MSG-09: a MESSAGE that comes by itself is taken, such as a report', async () => {
    const bob = await stage.client();
    port = bob.address.port;
    expect((await ask('MESSAGE', [['Content-Type', 'text/plain']])).status).toBe(200);
    const { value } = await bob.deliveries().next();
    expect(value).toMatchObject({ form: 'page', from: 'sip:nia@example.com' });
    expect(value!.body.toString()).toBe('hello');
  });

  test('a MESSAGE that the consumer cannot take is left with the sender', async () => {
    const bob = await stage.client({ onDelivery: () => Promise.reject(new Error('disk full')) });
    port = bob.address.port;
    expect((await ask('MESSAGE', [['Content-Type', 'text/plain']])).status).toBe(480);
  });
});
