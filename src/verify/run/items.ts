/** The static conformance items of deferred messaging, and the clauses that no item names. */

export interface Item {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  /** Absent: for servers. */
  readonly of?: 'client';
}

/** In the order of the report. */
export const items = [
  { id: 'IMSpec-DMT-S-001', title: 'stores the message', clause: 'OMA IM 11.3.2.4' },
  { id: 'IMSpec-DMT-S-002', title: 'subscription to message waiting', clause: 'OMA IM 11.3.2.6' },
  { id: 'IMSpec-DMT-S-003', title: 'determines availability', clause: 'OMA IM 11.3.2.3' },
  { id: 'IMSpec-DMT-S-004', title: 'pushes deferred messages', clause: 'OMA IM 11.3.2.5' },
  { id: 'IMSpec-DMT-S-005', title: 'tells of waiting messages', clause: 'OMA IM 11.3.2.3' },
  { id: 'IMSpec-DMT-S-006', title: 'receives the retrieval request', clause: 'OMA IM 11.3.1' },
  { id: 'IMSpec-DMT-S-007', title: 'checks the request, in order', clause: 'OMA IM 11.3.1' },
  { id: 'IMSpec-DMT-S-008', title: 'delivery mode by settings', clause: 'OMA IM 11.3.1' },
  { id: 'IMSpec-DMT-S-009', title: 'extracts the messages wanted', clause: 'OMA IM 11.3.1.1' },
  { id: 'IMSpec-DMT-S-010', title: '403 when not authorised', clause: 'OMA IM 11.3.1.1.2' },
  { id: 'IMSpec-DMT-S-011', title: 'MSRP session with the client', clause: 'OMA IM 11.3.1.1.2' },
  { id: 'IMSpec-DMT-S-012', title: 'delivers offline messages', clause: 'OMA IM 11.3.2.3' },
  { id: 'S4-NOTE2', title: 'reports that a message is stored', clause: 'RFC 5438 8.2' },
  { id: 'S1-EXP', title: 'expires a message, and reports it', clause: 'OMA IM 12.4.2.3' },
  { id: 'S1-DEL-USER', title: 'deletes on request of the user', clause: 'OMA IM 12.4.2.8' },
  { id: 'S1-DEL-LIST', title: 'deletes what a URI list names', clause: 'OMA IM 12.4.2.8' },
  { id: 'S1-STORE-PM', title: 'stores a pager message whole', clause: 'OMA IM 12.4.2.3' },
  { id: 'S4-603-PM', title: 'keeps nothing that it refuses', clause: 'OMA IM 11.3.2.4' },
  { id: 'D-03', title: 'tells nobody of messages of others', clause: 'OMA IM 11.3.1.1.2' },
  { id: 'S1-STORE-LM', title: 'stores a large message', clause: 'OMA IM 12.4.2.3' },
  { id: 'D-16', title: 'drops a message that is broken off', clause: 'RFC 4975 7.3.1' },
  { id: 'S2-ENCAP-MSRP', title: 'large message with its INVITE', clause: 'OMA IM D.x step 8' },
  { id: 'S1-MSGID-FORM', title: 'Message-ID', clause: 'OMA IM 12.4.2.3' },
  { id: 'S3-FOCUS-LIST', title: 'conference of the list', clause: 'OMA IM 11.3.1.1.2' },
  { id: 'S3-FOCUS-ALL', title: 'conference of everything', clause: 'OMA IM 11.3.1.1.2' },
  { id: 'S1-META-ADD', title: 'metadata of a message', clause: 'OMA IM 12.4.2.4' },
  { id: 'S1-META-DEL', title: 'no metadata of what is gone', clause: 'OMA IM 12.4.2.4' },
  { id: 'S8-XCAP', title: 'settings in the XDMS', clause: 'OMA IM 11.3.1' },
  { id: 'AUTH-01', title: 'asks for credentials', clause: 'RFC 3261 22' },
  { id: 'AUTH-02', title: 'proves that it knows the password', clause: 'RFC 7616 3.5' },
  ...(['C-001', 'C-002', 'C-003'] as const).map((number) => ({
    ...{ id: `IMSpec-DMT-${number}` as const, title: 'of the client', clause: 'OMA IM 11.1.1' },
    of: 'client' as const,
  })),
] as const satisfies readonly Item[];

export type ItemId = (typeof items)[number]['id'];
