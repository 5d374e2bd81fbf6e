/** Messages of one session wait in the store, not in memory. */

import { beforeEach, expect, test } from 'vitest';
import { MediaSessions } from '../../src/actors/media-sessions.js';
import { formatOwner } from '../../src/actors/owner.js';
import type { MessageFacts } from '../../src/machines/events.js';
import type { MsrpOutgoing, Owner } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/clock.js';
import { SimulatedMsrp } from '../../src/testing/simulated-ports.js';
import { silent } from '../store/silent.js';

const account = 'bob@example.org';
const owner = formatOwner({ account, address: 'push/1' });
const body = 'x'.repeat(1_000);
const request = Buffer.from(
  `MESSAGE sip:${account} SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n${body}`,
);

let handed: MsrpOutgoing[];
let reads: number;
let unsent: number[];
let media: MediaSessions;

beforeEach(() => {
  handed = [];
  reads = 0;
  unsent = [];
  const msrp = new SimulatedMsrp({ host: 'store.example.org' });
  msrp.send = (message) => void handed.push(message);
  media = new MediaSessions({
    ...{ msrp, clock: new ManualClock(), log: silent, hostname: 'store.example.org' },
    ...{ payloadHeadBytes: 4_096, sentTypes: ['message/sipfrag'], privacy: true, cema: false },
    ...{ pathMs: 1_000, payloadOctets: 4_000 },
    store: {
      content: (_account, serial) => {
        reads++;
        if (serial === 3) return Promise.resolve(undefined);
        const read = (offset: number, length: number) => request.subarray(offset, offset + length);
        return Promise.resolve({ size: request.length, read });
      },
    },
    unsent: (sender, status) => {
      unsent.push(status);
      media.answered(owner, sender);
    },
  });
  media.describe(owner, { direction: 'sendonly', active: false }, () => undefined);
});

function send(serial: number): Owner {
  const message = { class: 'Pager-Message', size: 1_000 } as MessageFacts;
  const form = 'message/sipfrag';
  const effect = { session: 'push/1', serial, form, receivedAt: 0, message } as const;
  media.send(account, { type: 'msrp.send', ...effect, successReport: true });
  return formatOwner({ account, address: `ua/${serial}`, session: 'push/1' });
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const serials = () => handed.map(({ owner: sender }) => /ua\/(\d+)/.exec(sender)![1]);

test('U9: no more is read than payloadOctets; an answer lets the next one go, in order', async () => {
  const senders = [10, 11, 12, 13, 14, 15].map(send);
  await settled();
  expect(reads).toBe(4);
  expect(serials()).toEqual(['10', '11', '12', '13']);
  media.answered(owner, senders[1]!);
  media.answered(owner, senders[1]!);
  await settled();
  expect(serials()).toEqual(['10', '11', '12', '13', '14']);
  media.answered(owner, senders[0]!);
  await settled();
  expect(serials()).toEqual(['10', '11', '12', '13', '14', '15']);
});

test('one that cannot be read gives its place to the next', async () => {
  for (const serial of [3, 10, 11, 12, 13]) send(serial);
  await settled();
  expect(unsent).toEqual([400]);
  expect(serials()).toEqual(['10', '11', '12', '13']);
});

test('what waits when the session is released is not read', async () => {
  for (const serial of [10, 11, 12, 13, 14]) send(serial);
  media.release(owner);
  await settled();
  expect(reads).toBe(4);
  expect(handed).toEqual([]);
});
