/** What was decided where the documents are silent or disagree: identifiers to deletion. */

import { chapter } from '../docs/requirement.js';
import type { ConformanceChapter } from './conformance-chapter.js';

export const decisionChapters: readonly ConformanceChapter[] = [
  {
    level: 'decision',
    ...chapter('Decisions: identifiers', [
      [
        'D-01',
        'form',
        'A Message-ID is `sip:string@host`; message waiting prints it without scheme; input takes both, and angle brackets.',
      ],
      [
        'D-02',
        'kinds',
        'Ids count upwards for each host name; none is used again.',
        { partly: 'ids that are opaque instead (ADR 0014)' },
      ],
      ['D-03', 'no oracle', 'An id of another user and an unknown id get the same answer.'],
      ['D-04', 'host', 'The host of an id names a partition of the store, not a machine.'],
      [
        'D-05',
        'other ids',
        'Call-ID, MSRP Message-ID and imdn.Message-ID stay inside the payload; the outer Message-ID is the same on every redelivery.',
      ],
      [
        'D-06',
        'Deferred@',
        'The user part of the Deferred URI is exact; parameters do not matter; a Message-ID is a URI to call.',
      ],
    ]),
  },
  {
    level: 'decision',
    ...chapter('Decisions: storing', [
      [
        'D-10',
        '202',
        'A stored pager message is answered 202 after the commit, without Contact and body.',
      ],
      [
        'D-11',
        '603',
        'What is not stored is answered 603 Declined with a Warning; a malformed request gets its 4xx, an unknown recipient 404.',
      ],
      [
        'D-12',
        'when to defer',
        'A message is deferred when no contact is available or passing it on ended with 408, 430, 480, 500, 503, 504 or a failure of transport; other refusals are passed back.',
      ],
      [
        'D-13',
        'octets',
        'A pager message is stored as received; credentials are masked on delivery.',
      ],
      [
        'D-14',
        'large',
        'A large message is stored once, whole, with its header sets and the time of its last missing byte.',
      ],
      [
        'D-15',
        'large or not',
        'The feature tag for large messages tells a large message from a conversation; a conversation with an offline user gets 480.',
      ],
      [
        'D-16',
        'when large is decided',
        'The INVITE is refused or accepted at once; the last 200 and the REPORT follow the commit; what is broken off leaves nothing.',
      ],
      [
        'D-17',
        'stored report',
        'A report of storing is sent only when it was asked for, and once.',
      ],
      [
        'D-18',
        'duplicates',
        'A MESSAGE that comes again gets the same answer and is stored once, across restarts too.',
      ],
      [
        'D-19',
        'no identity',
        'A message without an asserted identity is stored; a proven identity is recorded instead.',
      ],
    ]),
  },
  {
    level: 'decision',
    ...chapter('Decisions: expiry, deletion, reports', [
      ['D-20', 'equal', 'An Expires equal to the maximum is kept.'],
      [
        'D-21',
        'above',
        'An Expires above the maximum becomes the default, and a default above the maximum is no setting.',
      ],
      ['D-22', 'base', 'Expiry counts from Date when that is near, else from receipt.'],
      ['D-23', 'zero', 'What has expired on arrival is declined, without a report.'],
      ['D-24', 'malformed', 'A malformed Expires counts as none.'],
      ['D-25', 'large', 'The Expires of an INVITE is not that of the large message.'],
      ['D-26', 'off', 'Expiry can be switched off.'],
      ['D-27', 'defaults', 'Seven days by default, thirty at most, by a timer for each message.'],
      ['D-28', 'in delivery', 'A message that is being delivered does not expire.'],
      ['D-29', 'order', 'Storage, report, metadata; a crash resumes at the step that is missing.'],
      [
        'D-30',
        'failure report',
        'What is deleted before any delivery is reported as failed when that was asked for.',
      ],
      [
        'D-31',
        'deletion',
        'REFER, MESSAGE with a list, and XCAP DELETE are three ways to ask for one thing.',
      ],
      [
        'D-32',
        'after delivery',
        'What was pushed is deleted, what was retrieved is kept as old; both can be set.',
      ],
      [
        'D-33',
        'confirmed',
        'A delivery is confirmed by the 200 of the last chunk and the REPORT, or by the 200 alone after a grace.',
      ],
    ]),
  },
  {
    level: 'decision',
    ...chapter('Decisions: availability, push, message waiting', [
      [
        'D-40',
        'available',
        'Available is who is registered with a contact that has the IM tag or no known capabilities.',
      ],
      ['D-41', 'push or wait', 'The setting decides; absent, a default does.'],
      [
        'D-42',
        'asking anyway',
        'A retrieval is served although the setting says push, or forbidden.',
      ],
      [
        'D-43',
        'class',
        'Pager messages count as Pager-Message, large ones as Multimedia-Message; urgent ones apart.',
      ],
      ['D-44', 'new and old', 'New is what was never delivered, old what was delivered and kept.'],
      ['D-45', 'who watches', 'The own mailbox only; another gets 403, an unknown one 404.'],
      ['D-46', 'unasked', 'Nobody is notified who did not subscribe.'],
      [
        'D-47',
        'push',
        'One session for all messages, oldest first, no isfocus; a refusal leaves everything stored and is tried again.',
      ],
      [
        'D-48',
        'form',
        'The form of the payload is the first that the client accepts; without one nothing is sent.',
      ],
      ['D-49', 'time', 'The time of receipt is the creation-date of the outer SEND.'],
      [
        'D-50',
        'at a time',
        'One push of a mailbox at a time; retrievals run beside it; the outer Message-ID is equal.',
      ],
    ]),
  },
  {
    level: 'decision',
    ...chapter('Decisions: retrieval', [
      [
        'D-60',
        'order',
        'The checks are made in the order of the clause; the first that fails decides.',
      ],
      [
        'D-61',
        'tag',
        'The IM tag counts in any value of any Accept-Contact, unless it is negated.',
      ],
      ['D-62', '403', 'The Warning of a 403 tells which check failed.'],
      ['D-63', 'no account', 'Who has no account gets the same 403 as who is not authorised.'],
      ['D-64', 'identity', 'The asserted or proven identity decides, From does not.'],
      [
        'D-65',
        'recvonly',
        'The effective direction of the message line is recvonly; no description is a 403.',
      ],
      ['D-66', 'answer', 'Server, Allow, automata and isfocus, sendonly.'],
      [
        'D-67',
        'focus',
        'The focus and its virtual UAs are actors; no octets go over the network between them.',
      ],
      ['D-68', 'some unknown', 'What is known is delivered; when nothing is, 404.'],
      ['D-69', 'empty', 'An empty mailbox is answered 200, then BYE.'],
      [
        'D-70',
        'empty list',
        'A list that names nothing is malformed; what is named twice comes once.',
      ],
      ['D-71', 'no Require', 'A list is taken without Require too.'],
      ['D-72', 'order', 'Messages come in the order of their ids, one at a time.'],
      [
        'D-73',
        'end',
        'The focus ends the session; a client that ends it earlier leaves the rest as new.',
      ],
      [
        'D-74',
        'change',
        'A refresh is accepted, a list in it is refused, and so is another direction.',
      ],
      [
        'D-75',
        'first SEND',
        'An active client binds with an empty SEND; content from it is refused, and the session lives.',
      ],
    ]),
  },
  {
    level: 'decision',
    ...chapter('Decisions: metadata', [
      [
        'D-80',
        'when',
        'The intent is durable before the 202, the metadata follow; an outage of the XDMS delays nothing.',
      ],
      ['D-81', 'how', 'One history element for each message, put and deleted by its attribute.'],
      ['D-82', 'missing', 'The document comes into being with the first message and stays.'],
      ['D-83', 'divergence', 'The document is rebuilt from the store.'],
      ['D-84', 'size', 'The size is that of the message as delivered.'],
      ['D-85', 'large', 'A large message is told as pager, never as conference.'],
    ]),
  },
];
