/** The static conformance items of OMA SIMPLE IM for deferred messaging, in our own words. */

import { chapter } from '../docs/requirement.js';
import type { ConformanceChapter } from './conformance-chapter.js';

export const scrChapters: readonly ConformanceChapter[] = [
  {
    level: 'mandatory',
    ...chapter('Items of the IM client', [
      [
        'IMSpec-DMT-C-001',
        'TS 11.2.1',
        'The client takes message waiting: it answers each NOTIFY and tells the flag, the counts of each class, the account and the header blocks; it bears unknown classes, counters out of range and a NOTIFY before the answer to its SUBSCRIBE.',
      ],
      [
        'IMSpec-DMT-C-002',
        'TS 11.1.1',
        'The client retrieves selected messages: an INVITE to the Deferred URI with Accept-Contact, Require: recipient-list-invite, a recvonly description and the URI list; what was named comes, nothing else.',
      ],
      [
        'IMSpec-DMT-C-003',
        'TS 11.1.1',
        'The client retrieves everything: the same INVITE without list and without Require; every stored message comes once, in order.',
      ],
      [
        'IMSpec-DMO-C-010',
        'TS 11.2.1',
        'The client subscribes to message waiting, refreshes before the subscription runs out, ends it with Expires: 0 and begins anew with another Call-ID after it has lapsed.',
      ],
    ]),
  },
  {
    level: 'mandatory',
    ...chapter('Items of the IM server', [
      [
        'IMSpec-DMT-S-001',
        'TS 11.3.2.4',
        'The server stores pager and large messages for the served user: what is acknowledged is durable, byte for byte, under an id of its own.',
      ],
      [
        'IMSpec-DMT-S-002',
        'TS 11.3.2.6',
        'The server takes subscriptions to message waiting: 200 and a NOTIFY at once, refusals, refreshes, and a last NOTIFY at the end.',
      ],
      [
        'IMSpec-DMT-S-003',
        'TS 11.3.2.3',
        'The server determines the availability of the client by registration, feature tags, expiry and the identities of one user; only an available user is delivered to.',
      ],
      [
        'IMSpec-DMT-S-004',
        'TS 11.3.2.5',
        'When the client becomes available, deferred messages are delivered in one push session; what was not confirmed stays stored.',
      ],
      [
        'IMSpec-DMT-S-005',
        'TS 11.3.2.3',
        'Message waiting is notified when the counts change, at most once a second, with header blocks of new messages only.',
      ],
      [
        'IMSpec-DMT-S-006',
        'TS 11.3.1',
        'The server receives a request for stored messages, checks it in order, and answers an accepted one with Server, Allow, automata and a description.',
      ],
      [
        'IMSpec-DMT-S-007',
        'TS 11.3.1',
        'The checks of a retrieval take precedence over each other in their order, pair by pair.',
      ],
      [
        'IMSpec-DMT-S-008',
        'TS 11.3.1',
        'The setting for offline delivery decides between pushing and waiting to be asked; it can be published, and lapses to its default.',
      ],
      [
        'IMSpec-DMT-S-009',
        'TS 11.3.1.1',
        'The messages of a retrieval are those of the list that are the user’s, or all without a list; those of other users never leave.',
      ],
      [
        'IMSpec-DMT-S-010',
        'TS 11.3.1.1.2',
        'Who is not authorised gets 403 with Warning 127, with or without an account, and nothing is opened for them.',
      ],
      [
        'IMSpec-DMT-S-011',
        'TS 11.3.1.1.2',
        'An MSRP session with the client is set up from the descriptions, by either side; it is bound by the first SEND.',
      ],
      [
        'IMSpec-DMT-S-012',
        'TS 11.3.2.3',
        'Every stored octet is delivered, in chunks when it is large, and again under the same Message-ID after a broken session.',
      ],
    ]),
  },
];
