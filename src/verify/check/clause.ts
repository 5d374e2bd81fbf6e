/** The clauses that a trace is held to: the id of the conformance tables, and what it says. */

export interface Clause {
  /** SCR item, clause of the documents, decision, or rule of an RFC. */
  readonly id: string;
  readonly text: string;
}

const texts = {
  'IMSpec-DMO-C-010': 'a client subscribes to message waiting, renews it and ends it (11.2.1)',
  'IMSpec-DMT-C-001': 'a client answers NOTIFY of message waiting with 200 (11.2.1)',
  'IMSpec-DMT-C-002': 'a client asks for messages by a list of what it was told (11.1.1)',
  'IMSpec-DMT-C-003': 'a client asks for all messages without a list (11.1.1)',
  'IMSpec-DMT-S-001': 'a message for a user who is offline is stored, and nothing else (11.3.2.4)',
  'IMSpec-DMT-S-002': 'message waiting is subscribed to: 200, NOTIFY, or a refusal (11.3.2.6)',
  'IMSpec-DMT-S-003': 'only a user who is available is delivered to (11.3.2.3)',
  'IMSpec-DMT-S-004': 'a user who becomes available gets what is stored in one push (11.3.2.5)',
  'IMSpec-DMT-S-005': 'NOTIFY tells the counts as they are (11.3.2.3; RFC 3842 3.5)',
  'IMSpec-DMT-S-006': 'a retrieval is answered by the checks of 11.3.1.1',
  'IMSpec-DMT-S-007': 'the first check that fails decides the answer (S3 11.3.1, D-60)',
  'IMSpec-DMT-S-009': 'only messages of the user himself are given out (11.3.1.1)',
  'IMSpec-DMT-S-008': 'settings and PUBLISH decide how messages are delivered (11.3.1, RFC 3903)',
  'IMSpec-DMT-S-012': 'every message that is asked for is delivered (11.3.2.3)',
  'S2-PUSH-FLOW': 'INVITE, SEND of each message, BYE (S2 D.x 1-13)',
  'S2-ENCAP-SIP': 'a stored message keeps its Call-ID inside what is sent (S2 D.x 8, D-48)',
  'S4-202': 'a MESSAGE that is stored is answered 202 (S4 X.X.1; RFC 3428 7, MSG-03)',
  'S4-603-PM': 'a MESSAGE that is not stored is answered 603 (S4 X.X.1, D-11)',
  'S4-603-LM': 'a large message that is not taken in is answered 603 (S4 X.X.2, D-11)',
  'D-12': 'what is passed on is stored only where nobody is there (S4, D-12)',
  'D-15': 'who brings a large message offers to send it (S4, D-15)',
  'D-16': 'a large message is confirmed when all of it is there, and once (S4, D-16)',
  'D-31': 'a deletion is accepted with 202, or 404 where there is nothing of it (S1 12.4.2.8)',
  'D-72': 'messages are sent in the order in which they were stored, each once (D-47, D-72)',
  'D-73': 'the server ends the session with BYE when the last message is confirmed (S2 10, D-73)',
  'CNF-01': 'a conference is told with rising versions, full at first (RFC 4575 4, 5)',
  'EVT-01': 'NOTIFY follows the 2xx to SUBSCRIBE at once (RFC 6665 4.2.1.2)',
  'EVT-04': 'NOTIFY has Subscription-State with expires while active (RFC 6665 4.2.2)',
  'MWI-03': 'the first NOTIFY has no message headers, a later one those added (RFC 3842 3.5)',
  'MWI-06': 'NOTIFY follows a change of the counts, and every refresh (RFC 3842 3.4)',
  'FWD-01': 'what is passed on goes one hop further and stays what it is (RFC 3261 16.6)',
  'FWD-02': 'who ends one side of a session that was passed on ends both (ADR 0018)',
  'IMDN-01': 'a report is sent where it was asked for, and of what has happened (RFC 5438 8)',
  'IMDN-02': 'a message has one report of a kind at most (RFC 5438 12.1.3.1)',
  'MSG-01': 'the 2xx to a MESSAGE has neither Contact nor body (RFC 3428 7)',
  'SIP-06': 'a response repeats Via, From, Call-ID and CSeq, and has one To tag (RFC 3261 8.2.6.2)',
  'SIP-20': 'a request has To, From with tag, Call-ID, CSeq, Max-Forwards, Via (RFC 3261 8.1.1)',
  'AUTH-01': 'a challenge has WWW-Authenticate, and never Basic (RFC 3261 22.2)',
  'D-47': 'a push offers MSRP sendonly to IM clients, and is no conference (S2 2, CAP-05, SDP-05)',
  'D-75': 'who only receives binds the session and sends nothing else (D-75)',
  'DLG-01': 'a dialog is opened with a Contact (RFC 3261 12.1.1)',
  'DLG-02': 'the CSeq of requests in a dialog rises (RFC 3261 12.2.1.1)',
  'EVT-03': 'a subscription is granted no longer than asked for, 423 has Min-Expires (RFC 6665 4)',
  'IMDN-03': 'a report is CPIM with imdn.Message-ID and Content-Disposition (RFC 5438 7.2.1, 11)',
  'IMDN-05': 'who asks for reports says of which message, and when it was sent (RFC 5438 7.1.1)',
  'LIST-01': 'a list has its Content-Disposition, and INVITE requires it (RFC 5366 3, 5363 4)',
  'LIST-05': 'a re-INVITE has no list (RFC 5366 5.1)',
  'MSG-08': 'a MESSAGE outside a session has 1300 octets at most over UDP (RFC 3428 8)',
  'MSRP-01': 'an MSRP frame has its form (RFC 4975 7.1, 9)',
  'MSRP-05': 'chunks follow each other, and the last one ends the message (RFC 4975 5.1, 7.1.1)',
  'MSRP-08': 'all chunks of a message want the same reports (RFC 4975 7.1.1)',
  'MSRP-11': 'who is active sends at once, if only to bind the session (RFC 4975 5.4)',
  'MSRP-20': 'a SEND is answered at once (RFC 4975 7.2)',
  'MSRP-21': 'Success-Report brings one REPORT of all octets (RFC 4975 7.1.2)',
  'MSRP-30': 'what was said to be accepted is, and something of what is stored (RFC 4975 8.6)',
  'MWI-02': 'message waiting is an application/simple-message-summary that agrees (RFC 3842 5.2)',
  'PUB-01': 'the 200 to PUBLISH has SIP-ETag and Expires (RFC 3903 6)',
  'S2-ENCAP': 'a stored message is encapsulated when it is sent (S2 D.x 8, D-48)',
  'S3-200-ALLOW': 'the 200 to a retrieval has Allow (S3 11.3.1)',
  'S3-200-AUTOMATA': 'the 200 to a retrieval has automata in its Contact (S3 11.3.1)',
  'S3-200-SDP': 'the 200 to a retrieval answers sendonly (S3 11.3.1)',
  'S3-200-SERVER': 'the 200 to a retrieval has Server (S3 11.3.1)',
  'SDP-02': 'what is sendonly is answered recvonly (RFC 3264 6.1)',
  'SIP-01': '405 has Allow (RFC 3261 8.2.1)',
  'SIP-03': '420 has Unsupported (RFC 3261 8.2.2.3)',
  'TX-02': 'a 2xx to INVITE is acknowledged (RFC 3261 13.2.2.4)',
  'TX-01': 'a request has a final response (RFC 3261 17.1)',
  'TX-03': 'a transaction is answered finally once, and repeated as it was (RFC 3261 17.2)',
} as const;

export type ClauseId = keyof typeof texts;

export function clause(id: ClauseId): Clause {
  return { id, text: texts[id] };
}
