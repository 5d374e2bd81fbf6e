/** The events of large messages that come in, hostile ones included. */

import type { Limits, MailboxEvent, RecordingEvent } from '../../src/machines/events.js';
import { recording, type ActorSnapshot } from '../../src/machines/index.js';
import type { MailboxContext } from '../../src/machines/mailbox-context.js';
import type { RecordingContext } from '../../src/machines/recording.js';
import type { Alphabet } from './alphabet.js';
import { invitation, large, limits, noPush, offer } from './facts.js';

/** What those who bring large messages cause. */
export function recordingsOf(
  { recordings, bridges, block: { end } }: MailboxContext,
  at: number,
  tight: Limits,
): readonly MailboxEvent[] {
  const at1 = { at, limits: tight };
  const invited = { ...at1, type: 'invitation.received', transaction: 't', invitation } as const;
  const number = recordings[0] ?? 0;
  const recorded = {
    ...at1,
    type: 'message.recorded',
    transaction: 't',
    recording: number,
    message: large,
    duplicate: false,
    block: { from: end + 1, to: end + 2 },
  } as const;
  return [
    invited,
    { ...invited, invitation: {} },
    { ...invited, forward: { hops: 9, offer: 'o' } },
    { ...invited, forward: { hops: 0, offer: 'o' } },
    { ...at1, type: 'bridge.ended', bridge: bridges[0] ?? 0 },
    { ...at1, type: 'undelivered', to: `bridge/${bridges[0] ?? 0}` },
    { ...invited, limits: { ...tight, recording: { ...tight.recording, count: 0 } } },
    { ...invited, invitation: { ...invitation, size: 1_000_000 } },
    recorded,
    { ...recorded, recording: 9999 },
    { ...recorded, limits: noPush },
    { ...recorded, duplicate: true },
    { ...recorded, message: { ...large, transient: true } },
    { ...recorded, message: { ...large, size: 1_000_000 } },
    { ...at1, type: 'recording.ended', recording: number },
    { ...at1, type: 'undelivered', to: `recording/${number}` },
  ];
}

const wires = [
  'invite.failed',
  'invite.cancelled',
  'ack.received',
  'ack.missing',
  'bye.answered',
  'msrp.connected',
  'msrp.lost',
] as const;

function recordingEvents(_snapshot: ActorSnapshot, at: number): readonly RecordingEvent[] {
  const of = { at, limits };
  const born = {
    ...of,
    type: 'invitation.received',
    transaction: 't',
    recording: 4,
    maxSize: 50_000,
  } as const;
  const reinvite = { ...of, type: 'reinvite.received', transaction: 't', list: false } as const;
  const bye = { ...of, type: 'bye.received', transaction: 't' } as const;
  return [
    { ...born, invitation },
    { ...born, invitation: {} },
    ...wires.map((type) => ({ ...of, type })),
    ...[7, 8, 9].map((serial) => ({ ...of, type: 'message.kept', serial }) as const),
    { ...of, type: 'msrp.progress' },
    reinvite,
    { ...reinvite, list: true },
    { ...reinvite, offer },
    { ...reinvite, offer: { ...offer, direction: 'sendonly' } },
    bye,
    { ...bye, fields: [['Reason', 'SIP;cause=200']] },
    { ...of, type: 'timer.expired', name: 'wait' },
  ];
}

export const recordingAlphabet: Alphabet = {
  name: 'recording',
  definition: recording,
  events: recordingEvents,
  essence: ({ value, context }) => {
    const { kept } = context as Partial<RecordingContext>;
    return [value, kept?.length];
  },
};
