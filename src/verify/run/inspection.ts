/** The closer look at what has come: header by header, as the clauses say. */

import { parseMessageSummary } from '../../wire/message-summary.js';
import { msrpMedia, parseSdp } from '../../wire/sdp.js';
import type { MsrpSdpFacts } from '../../wire/sdp.js';
import type { HeaderField, SipMessage, SipRequest, SipResponse } from '../../wire/sip/message.js';
import type { ItemId } from './items.js';
import type { SeenSend } from './seen.js';

/** Something a message has to have, and what it has. */
export interface Finding {
  readonly item: ItemId;
  readonly clause: string;
  readonly expected: string;
  /** Absent: it is as expected. */
  readonly seen?: string;
}

type Look = (
  item: ItemId,
  clause: string,
  expected: string,
  ok: boolean,
  seen: string | undefined,
) => void;

function findings(look: (note: Look) => void): readonly Finding[] {
  const all: Finding[] = [];
  look((item, clause, expected, ok, seen) => {
    all.push({ item, clause, expected, ...(!ok && { seen: seen ?? 'nothing' }) });
  });
  return all;
}

/** The push: who it is for, what it offers, and that it is no conference (S2, SDP-02). */
export function inspectInvite(request: SipRequest): readonly Finding[] {
  return findings((note) => {
    const item = 'IMSpec-DMT-S-004';
    const media = mediaOf(request);
    const contact = request.header('Contact');
    note(item, 'RFC 3261 8.1.1.8', 'INVITE with Contact', contact !== undefined, contact);
    note(item, 'OMA IM 11.3.2.5', 'INVITE offers MSRP', media !== undefined, bodyOf(request));
    const direction = media?.direction;
    note(item, 'OMA IM D.x step 1', 'the offer is sendonly', direction === 'sendonly', direction);
  });
}

/** 11.3.1, second list, and the answer. */
export function inspectAcceptance(response: SipResponse): readonly Finding[] {
  return findings((note) => {
    const item = 'IMSpec-DMT-S-006';
    const clause = 'OMA IM 11.3.1';
    const server = response.header('Server');
    note(item, clause, 'Server: IM-serv/OMA…', /^IM-serv\/OMA\d/.test(server ?? ''), server);
    const allow = response.list('Allow');
    note(item, clause, 'Allow with INVITE and BYE', has(allow, 'INVITE', 'BYE'), allow.join(', '));
    const contact = response.header('Contact');
    note(item, clause, 'Contact with automata', /;\s*automata\b/i.test(contact ?? ''), contact);
    const media = mediaOf(response);
    const session = 'IMSpec-DMT-S-011';
    note(session, 'RFC 4975 8.1', 'an SDP answer with path', media !== undefined, bodyOf(response));
    const { direction, acceptTypes, setup } = media ?? {};
    note(session, 'RFC 3264 6.1', 'the answer is sendonly', direction === 'sendonly', direction);
    const types = acceptTypes?.length ?? 0;
    note(session, 'RFC 4975 8.6', 'the answer has accept-types', types > 0, acceptTypes?.join(' '));
    note(session, 'RFC 6135 4.2', 'the answer to active is passive', setup === 'passive', setup);
  });
}

/** D-62: who may not retrieve is told so. */
export function inspectRefusal(
  response: SipResponse,
  item: ItemId | undefined,
): readonly Finding[] {
  return findings((note) => {
    if (item !== 'IMSpec-DMT-S-010') return;
    const warning = response.header('Warning');
    const ok = /^399\s+\S+\s+"127 /.test(warning ?? '');
    note(item, 'OMA IM 11.3.1.1.2 step 1', 'Warning 399 with text 127', ok, warning);
  });
}

/** A message as it was submitted, with what says when it came. */
export function inspectSend(
  { message, headers }: SeenSend,
  item: ItemId,
  sent: { readonly text: string; readonly callId: string; readonly sender: string },
): readonly Finding[] {
  return findings((note) => {
    const ends = message.body.toString('utf8').endsWith(sent.text);
    note(item, 'OMA IM 11.3.1.1.2', 'the body as submitted', ends, message.fault ?? message.form);
    const wrapped = message.form === 'sip' || message.form === 'sipfrag';
    if (wrapped) {
      const { callId, from } = message;
      note(item, 'OMA IM D.x step 8', `Call-ID ${sent.callId}`, callId === sent.callId, callId);
      note(item, 'OMA IM D.x step 8', `From ${sent.sender}`, from === sent.sender, from);
    }
    const disposition = fieldOf(headers, 'Content-Disposition');
    const dated = /creation-date/i.test(disposition ?? '');
    note(item, 'OMA IM D.x step 8', 'Content-Disposition with creation-date', dated, disposition);
  });
}

/** The counts of a NOTIFY; undefined when they cannot be read. */
export function countsOf(request: SipRequest): { new: number; old: number } | undefined {
  try {
    const { classes, waiting } = parseMessageSummary(request.body);
    const sum = { new: 0, old: 0 };
    for (const counted of classes) {
      sum.new += counted.new;
      sum.old += counted.old;
    }
    return classes.length === 0 && waiting ? undefined : sum;
  } catch {
    // A body that is none is seen as such by whoever waits for counts.
    return undefined;
  }
}

/** Message-IDs that a NOTIFY names, with scheme. */
export function namedIn(request: SipRequest): readonly string[] {
  try {
    const { headers } = parseMessageSummary(request.body);
    return headers.flatMap((block) => {
      const id = fieldOf(block, 'Message-ID')?.replace(/^<(.*)>$/, '$1');
      if (id === undefined) return [];
      return [/^sips?:/i.test(id) ? id : `sip:${id}`];
    });
  } catch {
    // See above.
    return [];
  }
}

/** RFC 3842 5.2: the first NOTIFY has no header fields of messages; RFC 6665: and a state. */
export function inspectNotify(request: SipRequest, first: boolean): readonly Finding[] {
  return findings((note) => {
    const item = first ? 'IMSpec-DMT-S-002' : 'IMSpec-DMT-S-005';
    const state = request.header('Subscription-State');
    note(item, 'RFC 6665 4.1.3', 'Subscription-State', state !== undefined, state);
    const type = request.header('Content-Type') ?? '';
    const isSummary = /^application\/simple-message-summary/i.test(type);
    note(item, 'RFC 3842 3.5', 'application/simple-message-summary', isSummary, type);
    if (!first) return;
    const named = namedIn(request);
    const text = 'no header fields of messages in the first NOTIFY';
    note('IMSpec-DMT-S-005', 'RFC 3842 5.2', text, named.length === 0, named.join(' '));
  });
}

/** The m=message line of a body; undefined without one that can be read. */
export function mediaOf(message: SipMessage): MsrpSdpFacts | undefined {
  try {
    return msrpMedia(parseSdp(message.body));
  } catch {
    // Whoever wants media says what came instead.
    return undefined;
  }
}

function fieldOf(headers: readonly HeaderField[], name: string): string | undefined {
  return headers.find(([field]) => field.toLowerCase() === name.toLowerCase())?.[1];
}

function has(list: readonly string[], ...wanted: readonly string[]): boolean {
  const upper = new Set(list.map((one) => one.toUpperCase()));
  return wanted.every((one) => upper.has(one));
}

function bodyOf(message: SipMessage): string {
  return message.header('Content-Type') ?? 'no body';
}
