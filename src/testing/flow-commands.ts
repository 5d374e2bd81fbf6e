/** The commands of a flow: what peers do. */

import type { FlowWorld } from './flow.js';
import { loopbackPeer } from './simulated-ports.js';

/** `lines` belong to the command: header fields, or a body behind an empty one. */
export type FlowCommand = (
  world: FlowWorld,
  args: readonly string[],
  lines: readonly string[],
) => void | Promise<void>;

const stranger = { ...loopbackPeer, address: '203.0.113.9' };

interface Draft {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly headers: readonly string[];
  readonly body?: string;
}

/** A tilde stands for the blank in the owner of a leg. */
function ownerOf(arg = ''): string {
  return arg.replace('~', ' ');
}

function aor(user: string): string {
  if (/^(sip|tel):/.test(user)) return user;
  return user === 'Deferred' ? 'sip:Deferred@s07.poste.example.net' : `sip:${user}@example.net`;
}

/** The request of a draft; header fields of the flow come last, those of the same name replace. */
function write(world: FlowWorld, draft: Draft, lines: readonly string[]): string {
  const number = ++world.requests;
  const empty = lines.indexOf('');
  const given = empty < 0 ? lines : lines.slice(0, empty);
  const body = empty < 0 ? (draft.body ?? '') : lines.slice(empty + 1).join('\r\n');
  const names = new Set(given.map(nameOf));
  const fields = [
    `Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bK${number}`,
    'Max-Forwards: 70',
    `From: <${draft.from}>;tag=f${number}`,
    `To: <${draft.to}>`,
    `Call-ID: c${number}@ua.example.net`,
    `CSeq: ${number} ${draft.method}`,
    ...draft.headers,
  ].filter((field) => !names.has(nameOf(field)));
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  const start = `${draft.method} ${draft.uri} SIP/2.0`;
  return [
    start,
    ...fields,
    ...given.filter((field) => !field.endsWith(': -')),
    length,
    '',
    body,
  ].join('\r\n');
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).toLowerCase();
}

function sdp(direction: string, setup: string, types: string): string {
  return [
    'v=0',
    'o=- 51 1 IN IP4 192.0.2.30',
    's=-',
    'c=IN IP4 192.0.2.30',
    't=0 0',
    'm=message 9 TCP/MSRP *',
    `a=${direction}`,
    `a=setup:${setup}`,
    `a=accept-types:${types}`,
    'a=accept-wrapped-types:*',
    'a=path:msrp://192.0.2.30:9/client;tcp',
    '',
  ].join('\r\n');
}

function list(ids: readonly string[]): string {
  const entries = ids.map((id) => {
    const uri = id.includes(':') ? id : `sip:${id}@s07.poste.example.net`;
    return `<entry uri="${uri}"/>`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">' +
    `<list>${entries.join('')}</list></resource-lists>`
  );
}

const clientTypes = 'message/sipfrag message/sip message/cpim';

/** `message nia tomas`: a submission. */
function message(world: FlowWorld, args: readonly string[], lines: readonly string[]): void {
  const [from = '', to = ''] = args;
  const asserted = `P-Asserted-Identity: <${aor(from)}>`;
  const headers = [asserted, 'Content-Type: text/plain'];
  const draft = { method: 'MESSAGE', uri: aor(to), from: aor(from), to: aor(to), headers };
  world.sip.receive(write(world, { ...draft, body: 'The keys are under the pot.' }, lines));
}

/** `register tomas 3600`, `register tomas 3600 third-party`. */
function register(world: FlowWorld, args: readonly string[], lines: readonly string[]): void {
  const [user = '', expires = '3600', by] = args;
  const to = aor(user);
  const scscf = 'sip:scscf.example.net';
  const contact =
    by === 'third-party' ? `<${scscf}>` : `<sip:${user}@192.0.2.30:5060>;+g.oma.sip-im`;
  const headers = [`Contact: ${contact}`, `Expires: ${expires}`];
  const from = by === 'third-party' ? scscf : to;
  const draft = { method: 'REGISTER', uri: 'sip:example.net', from, to, headers };
  world.sip.receive(write(world, draft, lines));
}

/** `subscribe tomas`: to message waiting. */
function subscribe(world: FlowWorld, args: readonly string[], lines: readonly string[]): void {
  const user = aor(args[0] ?? '');
  const draft = {
    ...{ method: 'SUBSCRIBE', uri: user, from: user, to: user },
    headers: [
      'Contact: <sip:watcher@192.0.2.30:5060>',
      `P-Asserted-Identity: <${user}>`,
      'Event: message-summary',
      'Accept: application/simple-message-summary',
    ],
  };
  world.sip.receive(write(world, draft, lines));
}

/** `invite tomas` or `invite tomas 1 3`: a retrieval of all, or of some. */
function invite(world: FlowWorld, args: readonly string[], lines: readonly string[]): void {
  const [user = '', ...ids] = args;
  const offer = sdp('recvonly', 'active', clientTypes);
  const boundary = 'flow-boundary';
  const mixed = [
    `--${boundary}`,
    'Content-Type: application/sdp',
    '',
    `${offer}--${boundary}`,
    'Content-Type: application/resource-lists+xml',
    'Content-Disposition: recipient-list',
    '',
    list(ids),
    `--${boundary}--`,
    '',
  ].join('\r\n');
  const type = ids.length > 0 ? `multipart/mixed;boundary="${boundary}"` : 'application/sdp';
  const draft = {
    ...{ method: 'INVITE', uri: aor('Deferred'), from: aor(user), to: aor('Deferred') },
    headers: [
      `Contact: <sip:${user}@192.0.2.30:5060>;+g.oma.sip-im`,
      `P-Asserted-Identity: <${aor(user)}>`,
      'Accept-Contact: *;+g.oma.sip-im;require;explicit',
      `Content-Type: ${type}`,
    ],
    body: ids.length > 0 ? mixed : offer,
  };
  world.sip.receive(write(world, draft, lines));
}

/** `large nia tomas`: an INVITE that brings large messages. */
function large(world: FlowWorld, args: readonly string[], lines: readonly string[]): void {
  const [from = '', to = '', direction = 'sendonly'] = args;
  const draft = {
    ...{ method: 'INVITE', uri: aor(to), from: aor(from), to: aor(to) },
    headers: [
      `Contact: <sip:${from}@192.0.2.30:5060>;+g.oma.sip-im;+g.oma.sip-im.large-message`,
      `P-Asserted-Identity: <${aor(from)}>`,
      'Accept-Contact: *;+g.oma.sip-im.large-message;require;explicit',
      'Content-Type: application/sdp',
    ],
    body: sdp(direction, 'actpass', 'message/cpim'),
  };
  world.sip.receive(write(world, draft, lines));
}

/** `send <owner> <Message-ID> <octets> [aborted|lost|overrun]`: one large message, in two SENDs. */
function send(world: FlowWorld, args: readonly string[]): void {
  const [owner = '', messageId = '', octets = '0', broken] = args;
  const size = Number(octets);
  const half = Math.ceil(size / 2);
  const pieces = [Buffer.alloc(half, 'a'), Buffer.alloc(size - half, 'b')];
  const ending = broken === undefined ? {} : { broken: broken as 'lost' };
  const message = { messageId, contentType: 'text/plain', pieces, ...ending };
  void world.msrp.bring(owner, message).then((status) => {
    world.lines.push(`msrp   ${messageId} ${status}  (${owner})`);
  });
}

/** `request MESSAGE sip:…`: anything; header fields and body in the lines below. */
function request(world: FlowWorld, args: readonly string[], lines: readonly string[]): void {
  const [method = '', uri = '', from] = args;
  const draft = { method, uri, from: 'sip:nia@example.net', to: uri, headers: [] };
  world.sip.receive(
    write(world, draft, lines),
    from === 'stranger' ? { peer: stranger } : from === undefined ? {} : { owner: ownerOf(from) },
  );
}

export const flowCommands: ReadonlyMap<string, FlowCommand> = new Map<string, FlowCommand>([
  ['message', message],
  ['register', register],
  ['subscribe', subscribe],
  ['invite', invite],
  ['large', large],
  ['send', send],
  ['request', request],
  /** `answer <owner> <id> <status>`: a response to a request of ours; 200 to INVITE with SDP. */
  [
    'answer',
    ({ sip }, [owner, id = '', status = '200', types = clientTypes]) => {
      const accepted = id === 'invite' && status.startsWith('2');
      const body = Buffer.from(sdp('recvonly', 'active', types.replaceAll(',', ' ')));
      const headers = [['Content-Type', 'application/sdp']] as const;
      sip.answer(ownerOf(owner), id, Number(status), accepted ? { headers, body } : {});
    },
  ],
  ['timeout', ({ sip }, [owner, id = '']) => sip.fail(ownerOf(owner), id, 'timeout')],
  ['cancel', ({ sip }, [transaction = '']) => sip.cancel(transaction)],
  ['ack', ({ sip }, [owner = '']) => sip.acknowledge(owner)],
  ['no-ack', ({ sip }, [owner]) => sip.missAck(ownerOf(owner))],
  ['connected', ({ msrp }, [owner = '']) => msrp.connected(owner)],
  ['lost', ({ msrp }, [owner = '']) => msrp.lose(owner)],
  [
    'delivered',
    ({ msrp }, [session = '', status = '200']) => {
      msrp.answer(session, Number(status));
    },
  ],
  ['advance', (world, [time = '0']) => world.advance(Number(time) * 1000)],
  [
    'trace',
    (world, [state = 'on']) => {
      world.isTracing = state === 'on';
    },
  ],
  ['crash', (world) => world.crash()],
  ['fail', ({ store }, [code = '']) => store.failNext(code as 'STORE_UNAVAILABLE')],
  ['fail-xdms', ({ xdms }, [times = '1']) => xdms.failNext(Number(times))],
  [
    'hold',
    (world) => {
      world.held = world.store.hold();
    },
  ],
  [
    'release',
    (world) => {
      world.held?.release();
      world.held = undefined;
    },
  ],
]);
