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
  ...(['C-001', 'C-002', 'C-003'] as const).map((number) => ({
    ...{ id: `IMSpec-DMT-${number}` as const, title: 'of the client', clause: 'OMA IM 11.1.1' },
    of: 'client' as const,
  })),
] as const satisfies readonly Item[];

export type ItemId = (typeof items)[number]['id'];
