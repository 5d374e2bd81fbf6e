/** What may come to an account whose paths are looked for: of some sort, to the end, or step by step. */

import type { MailboxEvent } from '../../../src/machines/events.js';
import type { ActorSnapshot } from '../../../src/machines/index.js';
import type { Scene } from './inputs.js';
import { alphabetOfMailbox } from './mailbox-inputs.js';
import { ways } from './ways.js';

const of = (...types: readonly string[]): ReadonlySet<string> => new Set(types);
const ofAlphabet =
  (types: ReadonlySet<string>, also: (event: MailboxEvent) => boolean = () => true) =>
  (mailbox: ActorSnapshot, at: number): readonly MailboxEvent[] =>
    alphabetOfMailbox(mailbox, at).filter((event) => types.has(event.type) && also(event));
const isNotPassedOn = (event: MailboxEvent): boolean => !('forward' in event);
/** Of the registrations only the plain one. */
const isPassedOn = (event: MailboxEvent): boolean => {
  if (event.type !== 'register.received') return 'forward' in event;
  const [contact, ...others] = event.register.contacts;
  return (
    others.length === 0 && contact?.expires === 3600 && contact.im && event.limits.push.default
  );
};

/** Whatever may come of some sort, to the end. */
const open: readonly Scene[] = [
  {
    name: 'storing',
    depth: 3,
    asks: ofAlphabet(
      of('message.received', 'register.received', 'deletion.requested'),
      isNotPassedOn,
    ),
  },
  {
    name: 'retrieval',
    depth: 3,
    asks: ofAlphabet(
      of('message.received', 'retrieval.requested', 'conference.requested'),
      isNotPassedOn,
    ),
  },
  {
    name: 'subscription',
    depth: 3,
    asks: ofAlphabet(of('message.received', 'subscribe.received'), isNotPassedOn),
  },
  {
    name: 'recording',
    depth: 3,
    asks: ofAlphabet(
      of('invitation.received', 'message.recorded', 'register.received'),
      isNotPassedOn,
    ),
  },
  {
    name: 'passing on',
    depth: 3,
    asks: ofAlphabet(
      of('message.received', 'invitation.received', 'register.received'),
      isPassedOn,
    ),
  },
  {
    name: 'settings',
    depth: 3,
    asks: ofAlphabet(of('settings.received', 'settings.published', 'register.received')),
  },
  {
    name: 'operation',
    depth: 3,
    asks: ofAlphabet(
      of(
        ...['message.received', 'message.imported', 'push.requested', 'delivery.paused'],
        ...['delivery.resumed', 'requeue.requested', 'account.removed', 'register.received'],
      ),
      isNotPassedOn,
    ),
  },
];

/** Ways last: what they lead to is what the others have not found. */
export const scenes: readonly Scene[] = [...open, ...ways];
