/** The requests that users of a simulation send, as they come over the wire. */

export const simulatedDomain = 'example.net';
export const simulatedHost = 's07.example.net';

export interface Envelope {
  readonly user: string;
  /** Unique for a request; a repetition of it has the same. */
  readonly call: string;
  /** Unique for every transmission. */
  readonly branch: string;
}

export function messageText(
  envelope: Envelope,
  message: { readonly to: string; readonly id: string; readonly reports: boolean },
): string {
  const { to, id, reports } = message;
  const aor = `sip:${to}@${simulatedDomain}`;
  const type = reports ? 'message/cpim' : 'text/plain';
  const headers = [`P-Asserted-Identity: <${aorOf(envelope)}>`, `Content-Type: ${type}`];
  const cpim = [
    `From: <${aorOf(envelope)}>`,
    `To: <${aor}>`,
    'DateTime: 2026-11-20T09:00:00Z',
    'NS: imdn <urn:ietf:params:imdn>',
    `imdn.Message-ID: ${id}`,
    'imdn.Disposition-Notification: negative-delivery, processing',
    '',
    'Content-Type: text/plain',
    '',
    `<<${id}>>`,
  ];
  const body = reports ? cpim.join('\r\n') : `<<${id}>>`;
  return requestText(envelope, 'MESSAGE', aor, aor, headers, body);
}

export function registerText(envelope: Envelope, cseq: number, expires: number): string {
  const aor = aorOf(envelope);
  const headers = [
    `Contact: <sip:${envelope.user}@192.0.2.30:5060>;+g.oma.sip-im`,
    `Expires: ${expires}`,
  ];
  const text = requestText(envelope, 'REGISTER', `sip:${simulatedDomain}`, aor, headers, '');
  return text.replace('CSeq: 1 ', `CSeq: ${cseq} `);
}

export function subscribeText(envelope: Envelope): string {
  const aor = aorOf(envelope);
  const headers = [
    `Contact: <sip:${envelope.user}@192.0.2.30:5060>`,
    `P-Asserted-Identity: <${aor}>`,
    'Event: message-summary',
    'Accept: application/simple-message-summary',
  ];
  return requestText(envelope, 'SUBSCRIBE', aor, aor, headers, '');
}

export function retrievalText(envelope: Envelope): string {
  const uri = `sip:Deferred@${simulatedHost}`;
  const headers = [
    `Contact: <sip:${envelope.user}@192.0.2.30:5060>;+g.oma.sip-im`,
    `P-Asserted-Identity: <${aorOf(envelope)}>`,
    'Accept-Contact: *;+g.oma.sip-im;require;explicit',
    'Content-Type: application/sdp',
  ];
  return requestText(envelope, 'INVITE', uri, uri, headers, clientSdpText);
}

const clientSdpText = [
  'v=0',
  'o=- 51 1 IN IP4 192.0.2.30',
  's=-',
  'c=IN IP4 192.0.2.30',
  't=0 0',
  'm=message 9 TCP/MSRP *',
  'a=recvonly',
  'a=setup:active',
  'a=accept-types:message/sipfrag message/sip message/cpim',
  'a=accept-wrapped-types:*',
  'a=path:msrp://192.0.2.30:9/client;tcp',
  '',
].join('\r\n');

/** The answer of a client to the INVITE of a push. */
export const clientAnswer = {
  headers: [['Content-Type', 'application/sdp']] as const,
  body: Buffer.from(clientSdpText),
};

function aorOf({ user }: Envelope): string {
  return `sip:${user}@${simulatedDomain}`;
}

function requestText(
  envelope: Envelope,
  method: string,
  uri: string,
  to: string,
  headers: readonly string[],
  body: string,
): string {
  const { call, branch } = envelope;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bK${branch}`,
    'Max-Forwards: 70',
    `From: <${aorOf(envelope)}>;tag=${call}`,
    `To: <${to}>`,
    `Call-ID: ${call}@ua.example.net`,
    `CSeq: 1 ${method}`,
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
