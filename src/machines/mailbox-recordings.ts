/** What a mailbox says to those who bring large messages (S4 X.X.2, D-15, D-16). */

import { tell } from './declaration.js';
import { bridging } from './mailbox-forward.js';
import { isFull, keepingSteps, type Recorded } from './mailbox-storage.js';
import { ask, change, effect, type MailboxContext, type On } from './mailbox-context.js';
import { isOfferToSend, recordingRoom } from './policy.js';

type Invited = On<'invitation.received'>;

export const recordingGuards = {
  isUnusable: ask((_context, { invitation }: Invited) => !isOfferToSend(invitation.offer)),
  hasNoRoom: ask((context, event: Invited) => {
    const { invitation, limits } = event;
    const room = recordingRoom(context.octets, limits);
    return room === 0 || isFull(context, 0, limits) || (invitation.size ?? 0) > room;
  }),
  hasTooManyRecordings: ask(
    ({ recordings }, { limits }: Invited) => recordings.length >= limits.recording.count,
  ),
};

export const recordingChanges = {
  addRecording: change(({ number, recordings }) => ({
    number: number + 1,
    recordings: [...recordings, number],
  })),
  dropRecording: change(({ recordings }, { recording }: On<'recording.ended'>) => ({
    recordings: recordings.filter((number) => number !== recording),
  })),
};

function refuse(status: number, more: { readonly reason?: string; readonly warning?: string }) {
  return effect('sip.respond', (_context, { transaction }: Invited) => ({
    type: 'sip.respond',
    transaction,
    status,
    ...more,
  }));
}

const tellInvitation = effect('tell', (context: MailboxContext, event: Invited) => {
  const recording = context.number - 1;
  const maxSize = recordingRoom(context.octets, event.limits);
  return tell(`recording/${recording}`, { ...event, recording, maxSize });
});

/** The answer to the last SEND of a message that is not kept. */
function confirm(status: number) {
  return effect('msrp.confirm', (_context, { transaction }: Recorded) => ({
    type: 'msrp.confirm',
    transaction,
    status,
    kept: false,
  }));
}

const confirmed = effect('msrp.confirm', (_context, { transaction }: Recorded) => ({
  type: 'msrp.confirm',
  transaction,
  status: 200,
  kept: true,
}));

/** The session may have ended meanwhile; what was complete is kept all the same. */
const tellKept = effect('tell', (context, { recording, at, limits }: Recorded) =>
  context.recordings.includes(recording)
    ? tell(`recording/${recording}`, {
        type: 'message.kept',
        at,
        serial: context.block.next - 1,
        limits,
      })
    : [],
);

/** What keeps a large message out of the mailbox, first that holds; it is there by then (D-16). */
export const recordedRefusals = [
  { guard: 'isDuplicate', actions: confirm(200) }, // MSRP-13, D-18
  { guard: 'isTransient', actions: confirm(415) }, // U16
  { guard: 'isFull', actions: confirm(413) },
] as const;

/** Stored by its virtual UA, then answered, then told of. */
export const keepRecorded = [
  ...keepingSteps.store,
  confirmed,
  tellKept,
  ...keepingSteps.announce,
] as const;

export const recordingEvents = {
  'invitation.received': [
    { guard: 'isUnusable', actions: refuse(488, {}) },
    ...bridging, // D-12: quota is of no concern to what is not stored
    {
      guard: 'hasNoRoom', // S4: what will not be stored is declined in the set-up (D-11)
      actions: refuse(603, { reason: 'Declined', warning: 'Not stored: mailbox quota reached' }),
    },
    { guard: 'hasTooManyRecordings', actions: refuse(486, { warning: 'Too many sessions' }) },
    { actions: ['addRecording', tellInvitation] },
  ],
  'recording.ended': { actions: 'dropRecording' },
} as const;
