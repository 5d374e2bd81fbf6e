/** What the clauses on deferred messages demand beyond the static conformance items. */

import { chapter } from '../docs/requirement.js';
import type { ConformanceChapter } from './conformance-chapter.js';

export const clauseChapters: readonly ConformanceChapter[] = [
  {
    level: 'mandatory',
    ...chapter('Storage, metadata and deletion', [
      [
        'S1-STORE-PM',
        'TS 12.4.2.3',
        'A pager message is stored whole, all headers and the body, before it is accepted.',
      ],
      [
        'S1-STORE-LM',
        'TS 12.4.2.3',
        'Of a large message are stored: headers of INVITE, 200 and BYE, the message, and when it was complete.',
      ],
      [
        'S1-MSGID-FORM',
        'TS 12.4.2.3',
        'A Message-ID is a SIP URI of a host name that the server owns, and unique.',
      ],
      ['S1-MSGID-NEXT', 'TS 12.4.2.3', 'In sequential mode the next message has the next number.'],
      ['S1-EXP-KEEP', 'TS 12.4.2.3', 'An Expires below the maximum is kept.'],
      ['S1-EXP-EQUAL', 'TS 12.4.2.3', 'An Expires equal to the maximum is kept.'],
      ['S1-EXP-ABOVE', 'TS 12.4.2.3', 'An Expires above the maximum becomes the default.'],
      ['S1-EXP-ABSENT', 'TS 12.4.2.3', 'Without Expires the default applies.'],
      ['S1-EXP-LM', 'TS 12.4.2.3', 'A large message expires by a default of its own.'],
      ['S1-EXP-ZERO', 'TS 12.4.2.3', 'Expires: 0 for an offline user is declined.'],
      [
        'S1-META-ADD',
        'TS 12.4.2.4',
        'A stored message adds one history element and changes no other.',
      ],
      ['S1-META-DEL', 'TS 12.4.2.4', 'A deleted message removes its history element and no other.'],
      ['S1-DEL-USER', 'TS 12.4.2.8', 'The client deletes messages of its mailbox.'],
      ['S1-DEL-EXPIRY', 'TS 12.4.2.8', 'A message that expires is deleted.'],
      [
        'S1-DEL-ORDER',
        'TS 12.4.2.8',
        'Deletion is storage, report, metadata, in this order, and resumes after a crash.',
      ],
    ]),
  },
  {
    level: 'mandatory',
    ...chapter('Push', [
      [
        'S2-PUSH-FLOW',
        'TS 11.3.2.5',
        'REGISTER, INVITE, 200, ACK, binding SEND, a SEND with its 200 and REPORT for each message, BYE: in this order, in one session.',
      ],
      [
        'S2-ENCAP-SIP',
        'TS 11.3.2.5',
        'A message goes as message/sip, its ids and identities intact.',
      ],
      [
        'S2-ENCAP-SIPFRAG',
        'TS 11.3.2.5',
        'A message goes as message/sipfrag, its ids and identities intact.',
      ],
      [
        'S2-ENCAP-MSRP',
        'TS 11.3.2.5',
        'A large message goes as message/msrp, its Message-ID and paths intact.',
      ],
    ]),
  },
  {
    level: 'mandatory',
    ...chapter('Retrieval', [
      ['S3-200-SERVER', 'TS 11.3.1', 'The 200 has a Server header.'],
      ['S3-200-ALLOW', 'TS 11.3.1', 'The 200 has an Allow header.'],
      ['S3-200-AUTOMATA', 'TS 11.3.1', 'The Contact of the 200 says automata.'],
      ['S3-200-SDP', 'TS 11.3.1', 'The 200 has a sendonly answer to the description.'],
      [
        'S3-FOCUS-LIST',
        'TS 11.3.1.1.2',
        'The focus invites the virtual UA of each message of the list.',
      ],
      ['S3-FOCUS-ALL', 'TS 11.3.1.1.2', 'Without a list it invites that of every stored message.'],
      ['S3-VUA-SEND', 'TS 11.3.1.1.2', 'Each virtual UA sends its message.'],
      ['S3-RELAY', 'TS 11.3.1.1.2', 'The focus relays it to the client in the form of a push.'],
    ]),
  },
  {
    level: 'mandatory',
    ...chapter('Answers to the sender', [
      ['S4-202', 'TS 11.3.2.4', 'A stored MESSAGE is answered 202.'],
      [
        'S4-603-PM',
        'TS 11.3.2.4',
        'A MESSAGE that is not stored is answered 603, and nothing stays.',
      ],
      [
        'S4-603-LM',
        'TS 11.3.2.4',
        'The INVITE of a large message that is not stored is answered 603.',
      ],
      [
        'S4-NOTE2',
        'TS 11.3.2.4',
        'A sender who asked for it is told once that the message was stored.',
      ],
    ]),
  },
];
