/** The requests of the tester: what a step is on the wire. */

import { formatDateTime } from '../../wire/date-time.js';
import { wrapCpim } from '../../wire/cpim.js';
import { writeMultipart } from '../../wire/multipart.js';
import type { SipOutgoing } from '../../ports.js';
import type { HeaderField } from '../../wire/sip/message.js';
import { writeSettings } from '../../wire/xml/settings.js';
import { writeUriList } from '../../wire/xml/resource-lists.js';
import { offer } from '../../wire/sdp.js';
import type { Cast } from './cast.js';
import { bracketed } from './settings.js';
import { briefSeconds, tooBriefSeconds } from './step-facts.js';
import type { RetrievalFault, Step } from './step.js';

export type Outgoing = Omit<SipOutgoing, 'id' | 'owner'>;

export const imTag = '+g.oma.sip-im';
const registerSeconds = 600;
const subscribeSeconds = 600;
export const sdpType = 'application/sdp';
export const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, MESSAGE, NOTIFY';

/** The text of a message; nothing else has it. */
export function textOf({ mark }: Cast, message: number): string {
  return `Conformance message ${message + 1} of ${mark}.`;
}

/** Of a message that asks for reports. */
export function imdnIdOf({ mark }: Cast, message: number): string {
  return `${mark}-${message + 1}`;
}

export function callIdOf({ mark }: Cast, message: number): string {
  return `message-${message + 1}-${mark}`;
}

export function submission(cast: Cast, step: Extract<Step, { readonly do: 'submit' }>): Outgoing {
  const { message, kind } = step;
  const { user, sender } = cast;
  const text = Buffer.from(textOf(cast, message));
  const wantsReports = kind === 'reports' || kind === 'brief';
  const headers: HeaderField[] = [...identity(cast, sender), ['Accept-Contact', `*;${imTag}`]];
  if (kind === 'urgent') headers.push(['Priority', 'urgent']);
  if (kind === 'brief') headers.push(['Expires', String(briefSeconds)]);
  if (kind === 'zero') headers.push(['Expires', '0']);
  headers.push(['Content-Type', wantsReports ? 'message/cpim' : 'text/plain;charset=utf-8']);
  const callId = callIdOf(cast, message);
  const request = { ...outside(cast, user, sender, user), method: 'MESSAGE', headers, callId };
  if (!wantsReports) return { ...request, body: text };
  const body = wrapCpim({
    ...{ from: sender, to: user, dateTime: formatDateTime(Date.now()) },
    headers: [
      ['NS', 'imdn <urn:ietf:params:imdn>'],
      ['imdn.Message-ID', imdnIdOf(cast, message)],
      ['imdn.Disposition-Notification', 'processing, negative-delivery'],
    ],
    ...{ contentType: 'text/plain;charset=utf-8', body: text },
  });
  return { ...request, body };
}

/** By the user himself, or as an S-CSCF tells of it (24.229 5.4.1.7). */
export function registration(
  cast: Cast,
  { client }: Extract<Step, { readonly do: 'register' }>,
): Outgoing {
  const { user, contact, settings } = cast;
  const expires = client === 'none' ? 0 : registerSeconds;
  const { callId } = cast.registration;
  const cseq = ++cast.registration.cseq;
  const binding = `<${contact}>${client === 'other' ? ';audio;video' : `;${imTag}`}`;
  const uri = `sip:${settings.domain}`;
  const request = { method: 'REGISTER', callId, cseq };
  if (settings.registration === 'plain') {
    const headers: HeaderField[] = [
      ...identity(cast, user),
      ['Contact', `${binding};expires=${expires}`],
      ['Expires', String(expires)],
    ];
    return { ...outside(cast, uri, user, user), ...request, headers };
  }
  const scscf = contact.replace(/^(sips?:)[^@]*@/i, '$1');
  const headers: HeaderField[] = [
    ...identity(cast, scscf),
    ['Contact', `<${scscf}>`],
    ['Expires', String(expires)],
    ['Event', 'registration'],
    ['Content-Type', 'message/sip'],
  ];
  const body = embeddedRegister({ uri, user, callId, cseq, binding, expires });
  return { ...outside(cast, uri, scscf, user), ...request, headers, body };
}

/** Of a sender with an account; what is pushed to him is refused. */
export function senderRegistration(cast: Cast, expires: number): Outgoing {
  const { sender, contact, mark } = cast;
  const headers: HeaderField[] = [
    ['Contact', `<${contact.replace(/^(sips?:)[^@]*@/i, '$1sender@')}>;${imTag}`],
    ['Expires', String(expires)],
  ];
  const request = { method: 'REGISTER', callId: `sender-${mark}`, cseq: expires === 0 ? 2 : 1 };
  return { ...outside(cast, `sip:${cast.settings.domain}`, sender, sender), ...request, headers };
}

/** The REGISTER of the client, as it came to the S-CSCF. */
function embeddedRegister(told: {
  readonly uri: string;
  readonly user: string;
  readonly callId: string;
  readonly cseq: number;
  readonly binding: string;
  readonly expires: number;
}): Buffer {
  const { uri, user, callId, cseq, binding, expires } = told;
  const lines = [
    `REGISTER ${uri} SIP/2.0`,
    'Via: SIP/2.0/UDP client.invalid;branch=z9hG4bKembedded',
    'Max-Forwards: 70',
    `From: <${user}>;tag=embedded`,
    `To: <${user}>`,
    `Call-ID: embedded-${callId}`,
    `CSeq: ${cseq} REGISTER`,
    `Contact: ${binding}`,
    `Expires: ${expires}`,
    'Content-Length: 0',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

export function subscription(
  cast: Cast,
  { fault }: Extract<Step, { readonly do: 'subscribe' }>,
): Outgoing {
  const { user, contact } = cast;
  const seconds = fault === 'brief' ? tooBriefSeconds : subscribeSeconds;
  const asserted = fault === 'identity' ? stranger : user;
  const accept = fault === 'accept' ? 'text/html' : 'application/simple-message-summary';
  const headers: HeaderField[] = [
    ...identity(cast, asserted),
    ['Contact', `<${contact}>;${imTag}`],
    ['Event', fault === 'event' ? 'unknown-event' : 'message-summary'],
    ['Accept', accept],
    ['Expires', String(seconds)],
    ['Allow', allow],
  ];
  return { ...outside(cast, user, asserted, user), method: 'SUBSCRIBE', headers };
}

export function refresh(cast: Cast, seconds = subscribeSeconds): readonly HeaderField[] {
  return [
    ...identity(cast, cast.user),
    ['Contact', `<${cast.contact}>;${imTag}`],
    ['Event', 'message-summary'],
    ['Accept', 'application/simple-message-summary'],
    ['Expires', String(seconds)],
  ];
}

/** `uris`: what the list names; absent: there is none. */
export function retrieval(
  cast: Cast,
  faults: readonly RetrievalFault[],
  path: string,
  uris?: readonly string[],
): Outgoing {
  const { user, contact, settings } = cast;
  const wrong = new Set(faults);
  const who = wrong.has('account') ? stranger : user;
  const uri = wrong.has('uri') ? nobodyAt(settings.deferred) : settings.deferred;
  const sdp = description(path, wrong.has('media') ? 'sendrecv' : 'recvonly', 'active');
  const boundary = `boundary-${cast.mark}`;
  const headers: HeaderField[] = [
    ...(wrong.has('identity') ? [] : identity(cast, who)),
    ['Contact', `<${contact}>;${imTag}`],
    ...(wrong.has('tag') ? [] : [['Accept-Contact', `*;${imTag};require;explicit`] as const]),
    ['Allow', allow],
    ...(uris === undefined ? [] : [['Require', 'recipient-list-invite'] as const]),
    ['Content-Type', uris === undefined ? sdpType : `multipart/mixed;boundary="${boundary}"`],
  ];
  const body = uris === undefined ? sdp : withList(sdp, uris, boundary);
  const from = wrong.has('identity') ? 'sip:anonymous@anonymous.invalid' : who;
  return { ...outside(cast, uri, from, uri), method: 'INVITE', headers, body };
}

export function publication(cast: Cast, deliver: boolean | undefined, etag?: string): Outgoing {
  const { user, settings } = cast;
  const body = deliver === undefined ? undefined : writeSettings({ offlineDelivery: deliver });
  const headers: HeaderField[] = [
    ...identity(cast, user),
    ['Event', settings.settingsEvent],
    ['Expires', deliver === undefined ? '0' : '3600'],
    ...(etag === undefined ? [] : [['SIP-If-Match', etag] as const]),
    ...(body ? [['Content-Type', settings.settingsType] as const] : []),
  ];
  const request = { ...outside(cast, user, user, user), method: 'PUBLISH', headers };
  return { ...request, ...(body && { body }) };
}

/** RFC 4579 5.11: whoever has the conference is asked to let the message go. */
export function deletion(cast: Cast, uri: string): Outgoing {
  const { user, contact, settings } = cast;
  const headers: HeaderField[] = [
    ...identity(cast, user),
    ['Contact', `<${contact}>;${imTag}`],
    ['Accept-Contact', `*;${imTag}`],
    ['Refer-To', `<${uri};method=BYE>`],
    ['Refer-Sub', 'false'],
    ['Require', 'norefersub'],
  ];
  const { deferred } = settings;
  return { ...outside(cast, deferred, user, deferred), method: 'REFER', headers };
}

/** SDP of the tester, which receives. */
export function description(
  path: string,
  direction: 'recvonly' | 'sendrecv',
  setup: 'active' | 'passive',
): Buffer {
  const now = Date.now();
  return offer({
    ...{ sessionId: now, sessionVersion: 1, path: [path], direction, setup },
    acceptTypes: ['message/sipfrag', 'message/sip', 'message/cpim', 'multipart/mixed', '*'],
    acceptWrappedTypes: ['*'],
  });
}

/** Nobody of the domain. */
export const stranger = 'sip:stranger@elsewhere.invalid';

function nobodyAt(deferred: string): string {
  return deferred.replace(/^(sips?:)[^@]*@/i, '$1nobody-retrieves-here@');
}

export function identity({ settings }: Cast, uri: string): HeaderField[] {
  return settings.identity === 'asserted' ? [['P-Asserted-Identity', `<${uri}>`]] : [];
}

/** Over TLS the certificate is for the host of the target, which is the next hop for that. */
export function outside({ settings }: Cast, uri: string, from: string, to: string) {
  const { host, port, transport } = settings.target;
  const route = `<sip:${bracketed(host)}:${port};transport=tls;lr>`;
  const addressed = { uri, from: `<${from}>`, to: `<${to}>` };
  return { ...addressed, route: transport === 'tls' ? [route] : [] };
}

function withList(sdp: Buffer, uris: readonly string[], boundary: string): Buffer {
  const list: HeaderField[] = [
    ['Content-Type', 'application/resource-lists+xml'],
    ['Content-Disposition', 'recipient-list'],
  ];
  const media: HeaderField[] = [['Content-Type', sdpType]];
  const parts = [
    { headers: media, body: sdp },
    { headers: list, body: writeUriList(uris) },
  ];
  return writeMultipart(parts, boundary);
}
