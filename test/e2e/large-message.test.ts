/** Large message mode over real sockets: in by INVITE and MSRP (S4, D-14 to D-16). */

import { afterEach, describe, expect, test } from 'vitest';
import type { MessageWaiting } from '../../src/client/im-client.js';
import type { SettingsInput } from '../../src/config.js';
import type { Content } from '../../src/ports.js';
import { generated, LargePeer, largeMessageTag } from './large-peer.js';
import type { Dialog, InviteMore } from './large-peer.js';
import { hostname, startWorld, type World } from './world.js';

let world: World;
const peers: LargePeer[] = [];

async function start(limits: SettingsInput['limits'] = {}): Promise<void> {
  world = await startWorld(limits);
}

async function peer(user: string): Promise<LargePeer> {
  const { port } = world.server.sip.find(({ transport }) => transport === 'tcp')!;
  const opened = await LargePeer.open(user, { sipPort: port });
  peers.push(opened);
  return opened;
}

afterEach(async () => {
  for (const one of peers.splice(0)) await one.close();
  await world.end();
});

/** A session of nia with the mailbox of tomas. */
async function session(nia: LargePeer, more: InviteMore = {}): Promise<Dialog> {
  const dialog = await nia.inviteToSend(
    'tomas',
    [largeMessageTag, ['Subject', 'Floor plan']],
    more,
  );
  expect(dialog.response.status).toBe(200);
  await nia.next('connected');
  return dialog;
}

/** Sends a message whole; the status of its last SEND, after a REPORT if that is a success. */
async function deliver(
  nia: LargePeer,
  { owner }: Dialog,
  messageId: string,
  content: Content,
  contentType?: string,
): Promise<number> {
  nia.send(owner, messageId, content, contentType);
  const { status } = await nia.next('sent');
  if (status === 200) {
    expect(await nia.next('reported')).toMatchObject({ messageId, status: 200 });
  }
  return status;
}

async function stored(user = 'tomas') {
  const account = world.server.accounts;
  return account.histories(`${user}@example.org`, { limit: 100 });
}

describe('taken in', () => {
  test('IMSpec-DMT-S-001, S1-STORE-LM: a message in many SENDs is stored before its last one is answered', async () => {
    await start();
    const nia = await peer('nia');
    const dialog = await session(nia);
    const sdp = dialog.response.body.toString();
    expect(sdp).toContain('a=recvonly\r\na=setup:passive\r\na=accept-types:*\r\n');
    expect(sdp).toContain('a=accept-wrapped-types:*\r\na=max-size:1000000000\r\n');
    const contact = dialog.response.header('Contact');
    expect(contact).toContain(';automata;+g.oma.sip-im;+g.oma.sip-im.large-message');
    expect(contact).not.toContain('isfocus');
    expect(await deliver(nia, dialog, 'm4Pq77sA', generated(300_000))).toBe(200);
    expect(await stored()).toHaveLength(1);
    expect(await dialog.bye()).toBe(200);
    expect((await world.server.counted())['actors.uploads']).toBe(0);
  });

  test('D-84, D-85: its history is a pager history with the size of the content', async () => {
    await start();
    const nia = await peer('nia');
    const dialog = await session(nia);
    await deliver(nia, dialog, 'm4Pq77sA', generated(123_456));
    const [history] = await stored();
    expect(history).toMatchObject({
      reference: `sip:1@${hostname}`,
      size: 123_456,
      subject: 'Floor plan',
      from: 'sip:nia@example.org',
      to: 'sip:tomas@example.org',
      authId: 'sip:nia@example.org',
    });
  });

  test('D-16: every message of a session gets an id of its own, an empty one too', async () => {
    await start();
    const nia = await peer('nia');
    const dialog = await session(nia);
    for (const [n, size] of [70_000, 0, 5].entries()) {
      expect(await deliver(nia, dialog, `message${n}`, generated(size))).toBe(200);
    }
    expect((await stored()).map(({ serial, size }) => [serial, size])).toEqual([
      [1, 70_000],
      [2, 0],
      [3, 5],
    ]);
  });

  test('MSRP-13, D-18: sent again in another session it is answered 200 and stored once', async () => {
    await start();
    const nia = await peer('nia');
    const content = generated(200_000);
    for (let time = 0; time < 2; time++) {
      const dialog = await session(nia);
      expect(await deliver(nia, dialog, 'm4Pq77sA', content)).toBe(200);
      await dialog.bye();
    }
    expect(await stored()).toHaveLength(1);
    const dialog = await session(nia);
    expect(await deliver(nia, dialog, 'another1', content)).toBe(200);
    expect(await stored()).toHaveLength(2);
    expect((await world.server.counted())['actors.duplicates']).toBe(1);
  });

  test('IMSpec-DMT-S-005, D-43: message waiting counts it as Multimedia-Message', async () => {
    await start();
    const tomas = await world.client('tomas');
    const states = tomas.watch();
    expect(await next(states)).toMatchObject({ waiting: false });
    const nia = await peer('nia');
    await deliver(nia, await session(nia), 'm4Pq77sA', generated(80_000));
    const state = await next(states);
    expect(state.classes).toContainEqual({
      ...{ class: 'Multimedia-Message', new: 1, old: 0 },
      ...{ newUrgent: 0, oldUrgent: 0 },
    });
    await states.return?.();
  });

  test('S1-EXP-LM, D-25: it expires by the default of large messages, not by its Expires', async () => {
    await start({ expiry: { large: 1 } });
    const tomas = await world.client('tomas');
    const states = tomas.watch();
    await next(states);
    const nia = await peer('nia');
    const headers = [largeMessageTag, ['Expires', '86400']] as const;
    const dialog = await nia.inviteToSend('tomas', headers);
    await nia.next('connected');
    await deliver(nia, dialog, 'm4Pq77sA', generated(80_000));
    expect(await next(states)).toMatchObject({ waiting: true });
    expect(await next(states)).toMatchObject({ waiting: false });
    expect(await stored()).toEqual([]);
    await states.return?.();
  });

  test('S4-NOTE2, D-17: a CPIM that asks for it is reported as stored, by MESSAGE', async () => {
    await start();
    const nia = await peer('nia');
    const dialog = await session(nia, { from: nia.address });
    const cpim = Buffer.from(
      `From: <${nia.address}>\r\nTo: <sip:tomas@example.org>\r\n` +
        'DateTime: 2026-11-20T09:00:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n' +
        'imdn.Message-ID: Qm8x2LrT0d9K\r\nimdn.Disposition-Notification: processing\r\n\r\n' +
        'Content-Type: application/octet-stream\r\n\r\n',
    );
    const rest = generated(200_000);
    const content: Content = {
      size: cpim.length + rest.size,
      read: (offset, length) => {
        if (offset < cpim.length) return cpim.subarray(offset, offset + length);
        return rest.read(offset - cpim.length, length);
      },
    };
    await deliver(nia, dialog, 'm4Pq77sA', content, 'message/cpim');
    const report = await nia.answer('MESSAGE');
    expect(report.body.toString()).toContain('<message-id>Qm8x2LrT0d9K</message-id>');
    expect(report.body.toString()).toContain('<stored/>');
  });
});

describe('refused', () => {
  test('S4-603-LM: without room the set-up is declined, and nothing is stored', async () => {
    await start({ quota: { messages: 1 } });
    const nia = await peer('nia');
    await deliver(nia, await session(nia), 'm4Pq77sA', generated(10));
    const { response } = await nia.inviteToSend('tomas');
    expect(response.status).toBe(603);
    expect(response.reason).toBe('Declined');
    expect(response.header('Warning')).toContain('Not stored: mailbox quota reached');
    expect(await stored()).toHaveLength(1);
    expect((await world.server.counted())['actors.sessions']).toBe(1);
  });

  test('D-16, U19: what grows above the quota later ends with 413 and leaves nothing', async () => {
    await start({ quota: { octets: 100_000 } });
    const nia = await peer('nia');
    const dialog = await session(nia);
    expect(dialog.response.body.toString()).toContain('a=max-size:100000\r\n');
    expect(await deliver(nia, dialog, 'tooLarge1', generated(100_001))).toBe(413);
    expect(await deliver(nia, dialog, 'fits1', generated(60_000))).toBe(200);
    // The session was promised more, the mailbox has it no longer.
    expect(await deliver(nia, dialog, 'second1', generated(60_000))).toBe(413);
    expect(await stored()).toHaveLength(1);
    expect((await world.server.counted())['actors.uploads']).toBe(0);
  });

  test('U16: is-composing is not taken in', async () => {
    await start();
    const nia = await peer('nia');
    const dialog = await session(nia);
    const type = 'application/im-iscomposing+xml';
    expect(await deliver(nia, dialog, 'composing', generated(100), type)).toBe(415);
    expect(await stored()).toEqual([]);
  });

  test('D-15: an INVITE without the tag is a conversation: 480', async () => {
    await start();
    const nia = await peer('nia');
    const tag = ['Accept-Contact', '*;+g.oma.sip-im'] as const;
    expect((await nia.inviteToSend('tomas', [tag])).response.status).toBe(480);
    expect((await nia.inviteToSend('tomas', [])).response.status).toBe(480);
  });

  test('D-15: a sendonly offer with the IM tag counts where that is configured', async () => {
    await start({ recording: { sendonly: true } });
    const nia = await peer('nia');
    const tag = ['Accept-Contact', '*;+g.oma.sip-im'] as const;
    expect((await nia.inviteToSend('tomas', [tag])).response.status).toBe(200);
    const { response } = await nia.inviteToSend('tomas', [tag], { direction: 'sendrecv' });
    expect(response.status).toBe(480);
  });

  test.each([
    [false, 480],
    [true, 200],
  ])(
    'SDP-08: a file transfer is no large message unless configured (%s: %i)',
    async (files, status) => {
      await start({ recording: { files } });
      const nia = await peer('nia');
      const sdp = ['a=file-selector:name:"plan.pdf" type:application/pdf size:4092'];
      const { response } = await nia.inviteToSend('tomas', [largeMessageTag], { sdp });
      expect(response.status).toBe(status);
    },
  );

  test('S4-603-LM: an announced size without room is declined at once', async () => {
    await start({ recording: { files: true, octets: 4_000 } });
    const nia = await peer('nia');
    const sdp = ['a=file-selector:name:"plan.pdf" type:application/pdf size:4092'];
    expect((await nia.inviteToSend('tomas', [largeMessageTag], { sdp })).response.status).toBe(603);
  });

  test.each(['recvonly', 'inactive'])(
    'SDP-02: an offer that is %s brings nothing: 488',
    async (direction) => {
      await start();
      const nia = await peer('nia');
      const { response } = await nia.inviteToSend('tomas', [largeMessageTag], { direction });
      expect(response.status).toBe(488);
    },
  );

  test('limits.recording.count: a session too many is answered 486, until another has ended', async () => {
    await start({ recording: { count: 1 } });
    const nia = await peer('nia');
    const first = await session(nia);
    expect((await nia.inviteToSend('tomas')).response.status).toBe(486);
    await first.bye();
    expect((await nia.inviteToSend('tomas')).response.status).toBe(200);
  });

  test('limits.recording.messages: a message too many in a session is answered 413', async () => {
    await start({ recording: { messages: 1 } });
    const nia = await peer('nia');
    const dialog = await session(nia);
    expect(await deliver(nia, dialog, 'first1', generated(10))).toBe(200);
    expect(await deliver(nia, dialog, 'second1', generated(10))).toBe(413);
  });
});

describe('cut off', () => {
  test('D-16: of a message whose connection is lost nothing is left', async () => {
    await start();
    const nia = await peer('nia');
    const dialog = await session(nia);
    let begin: (() => void) | undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const whole = generated(5_000_000);
    nia.send(dialog.owner, 'm4Pq77sA', {
      size: whole.size,
      read: (offset, length) => {
        if (offset < 2_000_000) return whole.read(offset, length);
        begin?.();
        return new Promise<Buffer>(() => undefined);
      },
    });
    await begun;
    nia.tear(dialog.owner);
    // The server ends what cannot go on.
    await nia.answer('BYE');
    expect(await stored()).toEqual([]);
    expect(await world.server.counted()).toMatchObject({
      'actors.uploads': 0,
      'actors.recordings.aborted': 1,
    });
    // It begins anew, and is stored once.
    expect(await deliver(nia, await session(nia), 'm4Pq77sA', whole)).toBe(200);
    expect(await stored()).toHaveLength(1);
  });

  test('U19, limits.recording.idleMs: a sender that falls silent is not waited for', async () => {
    await start({ recording: { idleMs: 1_500 } });
    const nia = await peer('nia');
    const dialog = await session(nia);
    expect(await deliver(nia, dialog, 'm4Pq77sA', generated(10))).toBe(200);
    expect((await nia.answer('BYE')).header('Call-ID')).toBe(dialog.response.header('Call-ID'));
    expect(await stored()).toHaveLength(1);
  });
});

async function next(states: AsyncIterableIterator<MessageWaiting>): Promise<MessageWaiting> {
  return (await states.next()).value as MessageWaiting;
}
