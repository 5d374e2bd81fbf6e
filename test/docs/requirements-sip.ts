/** SIP core, transport, identity and registration, in our own words. */

import { chapter } from './requirement.js';
import type { Chapter } from './requirement.js';

export const sipChapters: readonly Chapter[] = [
  chapter('SIP core: UAS and UAC', [
    ['SIP-01', 'RFC 3261 8.2.1', 'A method that is not allowed for the URI gets 405 with Allow.'],
    [
      'SIP-02',
      'RFC 3261 8.2.2.1',
      'An unknown scheme gets 416, an unknown user 404; tel URIs are taken where they name a mailbox.',
    ],
    [
      'SIP-03',
      'RFC 3261 8.2.2.3',
      'Options in Require that are not supported get 420, and Unsupported lists exactly those.',
    ],
    [
      'SIP-04',
      'RFC 3261 8.2.2.2',
      'A request that comes by two ways is taken once; the other copy gets 482.',
    ],
    [
      'SIP-05',
      'RFC 3261 8.2.3',
      'A body that is not understood and not optional gets 415 with Accept; a MESSAGE to be stored is opaque.',
    ],
    [
      'SIP-06',
      'RFC 3261 8.2.6.2',
      'A response repeats Via, From, Call-ID and CSeq and has one To tag for all of a request.',
    ],
    [
      'SIP-07',
      'RFC 3261 9.2',
      'CANCEL gets 200 and ends an INVITE without final answer with 487; later it changes nothing.',
    ],
    [
      'SIP-08',
      'RFC 3261 11.2',
      'OPTIONS is answered with Allow, Accept, Supported and Allow-Events of that URI.',
    ],
    [
      'SIP-09',
      'RFC 5621',
      'Multipart bodies are read; parts with handling=optional that are not understood are passed over.',
    ],
    [
      'SIP-10',
      'RFC 3261 8.2, 16.3',
      'Max-Forwards may be missing, and 0 does not matter to who is the target.',
    ],
    [
      'SIP-20',
      'RFC 3261 8.1.1',
      'A request has To, From with tag, an unguessable Call-ID, CSeq below 2^31, Max-Forwards 70 and a Via with a z9hG4bK branch.',
    ],
    [
      'SIP-21',
      'RFC 3261 8.1.2, 12.2.1.1',
      'A pre-loaded route set is followed: with lr the Request-URI stays and the topmost Route is the next hop.',
    ],
    [
      'SIP-22',
      'RFC 3261 8.1.3, 22.2',
      '401 and 407 are answered once per realm with CSeq + 1; 3xx, 408, 423 and 503 with Retry-After are handled.',
    ],
  ]),
  chapter('Dialogs and transactions', [
    [
      'DLG-01',
      'RFC 3261 12',
      'A dialog is Call-ID and both tags; route set and remote target are kept as the RFC says.',
    ],
    [
      'DLG-02',
      'RFC 3261 12.2.2',
      'A CSeq lower than the last gets 500, a gap is fine, an unknown dialog gets 481.',
    ],
    [
      'DLG-03',
      'RFC 3261 13.3.1.4',
      'The UAS core repeats its 2xx to INVITE until ACK over every transport; without ACK it ends with BYE.',
    ],
    [
      'DLG-04',
      'RFC 3261 14',
      'Re-INVITEs that cross get 491 or 500 with Retry-After; our own is tried again after the time of the RFC.',
    ],
    [
      'DLG-05',
      'RFC 3261 15',
      'BYE only after ACK or its time; 481 to a BYE ends the dialog as 200 does.',
    ],
    ['TX-01', 'RFC 3261 17', 'The four transactions run the timers A to K as the tables say.'],
    [
      'TX-02',
      'RFC 6026',
      'INVITE transactions have an Accepted state on both sides with timers L and M.',
    ],
    [
      'TX-03',
      'RFC 3261 17.1.3, 17.2.3',
      'Responses match by branch and CSeq method, requests by branch, sent-by and method.',
    ],
    [
      'TX-04',
      'RFC 3261 17.2.2',
      'A MESSAGE that comes again over UDP while timer J runs gets the same 202 and is stored once.',
    ],
  ]),
  chapter('SIP transport', [
    [
      'TP-01',
      'RFC 3261 18.1.1',
      'UDP, TCP and TLS; what is longer than 1300 octets leaves by a stream.',
    ],
    [
      'TP-02',
      'RFC 3261 18.2.1, RFC 3581',
      'received is added where sent-by differs; rport is filled in and answered to.',
    ],
    [
      'TP-03',
      'RFC 3261 18.3',
      'Content-Length frames streams; datagrams that are too short get 400, extra octets are dropped.',
    ],
    [
      'TP-04',
      'RFC 3261 18.2.2',
      'A response goes back by the connection of its request, else to received and sent-by.',
    ],
    [
      'TP-05',
      'RFC 3263',
      'The next hop is found by NAPTR, SRV and addresses; the next target is tried when one fails.',
    ],
    [
      'TP-06',
      'RFC 3261 19.1.4',
      'URIs are compared by their rules: the user part by case, the host without.',
    ],
    [
      'TP-07',
      'RFC 4475, RFC 5118',
      'Odd grammar is read, broken grammar is refused, and neither harms the server.',
    ],
    [
      'KA-01',
      'RFC 5626 4.4.1',
      'A double CRLF on a stream is answered with CRLF; as a client, no answer in 10 s means a failed flow.',
    ],
    [
      'KA-02',
      'RFC 5626, RFC 6223',
      'keep is answered; ob, reg-id and +sip.instance pass untouched.',
    ],
    [
      'ST-01',
      'RFC 4028 9',
      'A session interval below the minimum gets 422 with Min-SE; the 2xx keeps within the bounds and names the refresher.',
    ],
    [
      'ST-02',
      'RFC 4028 10',
      'A session is refreshed at its half and ended by BYE when nobody refreshes.',
    ],
    [
      'WS-01',
      'RFC 7118',
      'SIP over WebSocket: subprotocol sip, one message a frame, text and binary.',
    ],
    ['WS-02', 'RFC 7977', 'MSRP over WebSocket: subprotocol msrp, one chunk a frame.'],
  ]),
  chapter('Digest authentication', [
    [
      'AUTH-01',
      'RFC 7616, RFC 8760',
      'A challenge per algorithm, the best first, each with qop; no Basic; MD5 only when switched on.',
    ],
    [
      'AUTH-02',
      'RFC 7616 3.4',
      'Digests are computed and checked with nonce count, stale nonces and auth-int.',
    ],
    [
      'AUTH-03',
      'RFC 3261 22',
      'An asserted identity of a trusted peer stands for a digest; others are challenged; ACK and CANCEL never.',
    ],
  ]),
  chapter('MESSAGE', [
    ['MSG-01', 'RFC 3428 4, 7', 'No dialog and no Contact; a 2xx has no body.'],
    ['MSG-02', 'RFC 3428 7', 'The final answer comes at once, the durable write included.'],
    ['MSG-03', 'RFC 3428 7', 'What is stored is answered 202.'],
    [
      'MSG-04',
      'RFC 3428 7',
      '4xx and 5xx are failures to deliver, 603 is a refusal for all branches.',
    ],
    [
      'MSG-05',
      'RFC 3428 7',
      'A message expires at Date + Expires, at receipt + Expires without Date, else by the limit of the service.',
    ],
    [
      'MSG-06',
      'RFC 3428 7',
      'What expires is deleted, reported when asked for, and its metadata updated.',
    ],
    ['MSG-07', 'RFC 3428 8', 'Never two MESSAGEs to one URI pending at a time.'],
    ['MSG-08', 'RFC 3428 8', 'A MESSAGE of ours outside a session stays within 1300 octets.'],
    ['MSG-09', 'RFC 3428 6', 'text/plain is taken, message/cpim too.'],
    ['MSG-10', 'RFC 3428 11.4', 'An old Date is no reason to refuse.'],
    ['MSG-11', 'RFC 3428 table 1', 'The store adds Date where there is none.'],
  ]),
  chapter('Identity and registration', [
    [
      'PAI-01',
      'RFC 3325 5',
      'P-Asserted-Identity counts from trusted peers only and is ignored from others.',
    ],
    [
      'PAI-02',
      'RFC 3325 9.1',
      'A sip and a tel identity may stand together; either names the mailbox.',
    ],
    [
      'PAI-03',
      'RFC 3325 7',
      'With Privacy: id the identity is not shown to whom is not trusted, encapsulated messages included.',
    ],
    ['PAI-04', 'RFC 3325', 'From never authorises.'],
    [
      'TEL-01',
      'RFC 3966 4',
      'tel numbers are compared without separators; a global one is never equal to a local one.',
    ],
    ['PATH-01', 'RFC 3327 5', 'Path of a REGISTER becomes the route set in standalone mode.'],
    ['TPR-01', 'TS 24.229 5.4.1.7', 'A third-party REGISTER is known by From, To and Contact.'],
    [
      'TPR-02',
      'TS 24.229 5.4.1.7',
      'Its body may be none, service-info, the REGISTER, the 200, or several of them.',
    ],
    ['TPR-03', 'TS 24.229 5.4.1.7', 'It is answered at once with the same Expires.'],
    ['TPR-04', 'TS 24.229 5.4.1.7', 'Expires 0 means not available, and so does our own timer.'],
    ['TPR-05', 'TS 24.229 5.4.1.7', 'A burst for the identities of one user makes one push.'],
    ['TPR-06', 'RFC 3325', 'It is taken from trusted peers only; others get 403.'],
    ['REG-01', 'RFC 3680', 'The reg event package, where it is switched on, tells of contacts.'],
  ]),
];
