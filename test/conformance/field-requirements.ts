/** What operators and users of other systems complain about, turned into requirements. */

import { chapter } from '../docs/requirement.js';
import type { ConformanceChapter } from './conformance-chapter.js';

export const fieldChapters: readonly ConformanceChapter[] = [
  {
    level: 'field',
    ...chapter('Requirements from the field', [
      ['U1', 'delivery', 'What was delivered is never delivered again once that is logged.'],
      ['U2', 'deletion', 'Deleting 100,000 messages is one bounded job that can be resumed.'],
      ['U3', 'push', 'A push goes to the registration that caused it.'],
      ['U4', 'content', 'The body is never touched, whatever its type.'],
      [
        'U5',
        'storing',
        'Storing depends on the account, not on a registration; unknown and offline are different answers.',
      ],
      ['U6', 'storing', 'What was accepted is there after a crash.'],
      ['U7', 'storing', 'A delivery that fails becomes a stored message, without a gap.'],
      [
        'U8',
        'push',
        'What is stored while the user is registered is pushed without a new REGISTER.',
      ],
      [
        'U9',
        'push',
        'A push of thousands of messages leaves other requests of the user responsive.',
      ],
      ['U10', 'push', 'Several devices of a user are served.'],
      ['U11', 'delivery', 'Push and retrieval of one message at once deliver it under one id.'],
      ['U12', 'expiry', 'Expiry needs no job of an administrator, and is exact.'],
      ['U13', 'bounds', 'Every table has a bound in time or size.'],
      ['U14', 'deletion', 'A large mailbox is deleted in batches; a body is stored once.'],
      ['U15', 'operation', 'How many messages a user has, and how old, is seen at once.'],
      ['U16', 'content', 'Notifications of typing and what expires at once are never stored.'],
      ['U17', 'quota', 'A full mailbox has a defined answer, and is counted.'],
      ['U18', 'content', 'What a client cannot take is not sent to it and stays.'],
      [
        'U19',
        'MSRP',
        'Unknown headers of MSRP are borne; bytes and time are bounded, the number of chunks is not.',
      ],
      ['U20', 'content', 'Binary and multipart bodies come through unharmed.'],
      ['U21', 'transport', 'The transport is chosen for each request by its size.'],
      [
        'U22',
        'registration',
        'A third-party REGISTER is taken with and without bodies, for tel and sip identities.',
      ],
      [
        'U23',
        'message waiting',
        'Subscriptions are bounded, survive restarts, and their CSeq never falls.',
      ],
      ['U24', 'storing', 'Durable first, then the answer; an XDMS that is away loses nothing.'],
      ['U25', 'operation', 'One writer for each mailbox; an operator can pause, flush and drop.'],
      ['U26', 'operation', 'A mailbox is exported and imported without loss.'],
      ['U27', 'operation', 'A set-up that fails says why.'],
      ['U28', 'trace', 'The trace has SIP, MSRP and XCAP, retransmissions included.'],
      ['U29', 'reports', 'Every end of a message can be reported.'],
      ['U30', 'start', 'The quick start shows the whole job within minutes.'],
      ['U31', 'embedding', 'An embedder may answer later than the stack does.'],
    ]),
  },
];
