/**
 * A stand-in for drachtio-server: its control protocol on one side, our SIP endpoint on the other.
 * It does what the source of drachtio-server 0.9 does where an application can see it.
 */

import type {
  HeaderField,
  SipMessage,
  SipRequest,
  SipResponse,
} from '../../../src/wire/sip/message.js';
import type { Clock, SipHandler, SipReceived, TraceEntry } from '../../../src/ports.js';
import { systemRandom } from '../../../src/system.js';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { tagOf, uriOf } from '../../../src/wire/sip/name-addr.js';
import { serialiseRequest, serialiseResponse } from '../../../src/wire/sip/serialise.js';
import { createSipEndpoint, type SipEndpoint } from '../../../src/transport/sip/endpoint.js';
import type { SipPlace } from '../../../src/testing/sip-peer.js';
import { resolveAddress, type Target } from '../../../src/transport/sip/resolve.js';
import { freePort } from '../../loopback-port.js';
import { ControlSocket, type Command } from './control-socket.js';

export const secret = 'cymru';

const meta = ['application', 0, 'udp', '127.0.0.1', 5060, '00:00:00.000000'] as const;
/** What `makeTags` of the server drops, and what the endpoint is given otherwise. */
const dropped = new Set(['via', 'route', 'rseq', 'record-route', 'content-length']);
const given = new Set(['from', 'to', 'call-id', 'cseq']);

interface Invite {
  readonly request: SipRequest;
  localTag?: string;
}

/** A request of the application that the server sends. */
interface Sending {
  readonly rid: string;
  readonly key: string;
  readonly dialogId: string;
  sent?: SipMessage;
  isCancelled?: boolean;
}

export class StandIn implements SipHandler {
  /** Methods the application has asked for. */
  readonly routes = new Set<string>();
  /** ACKs of 200s that the application has sent, by dialog. */
  readonly acks: string[] = [];
  /** CANCELs of the application that were taken. */
  cancels = 0;
  readonly control: ControlSocket;
  readonly #transport: 'udp' | 'tcp';
  readonly #endpoint: SipEndpoint;
  readonly #received = new Map<string, SipReceived>();
  readonly #invites = new Map<string, Invite>();
  readonly #sendings = new Map<string, Sending>();
  /** CANCELs: the server does not tell how they end. */
  readonly #cancels = new Set<string>();
  readonly #ways = new Map<string, Target>();
  /** Route sets of the subscriptions the server knows, by Call-ID. */
  readonly #routeSets = new Map<string, readonly string[]>();
  /** 200s of INVITEs that were cancelled: their ACK is followed by a BYE of the server. */
  readonly #stale = new Map<string, SipResponse>();
  #last: Buffer = Buffer.alloc(0);
  #count = 0;

  constructor(transport: 'udp' | 'tcp', clock: Clock) {
    this.#transport = transport;
    this.control = new ControlSocket((command) => this.#perform(command));
    const quiet = (): void => undefined;
    this.#endpoint = createSipEndpoint({
      listeners: [{ transport, host: '127.0.0.1', port: 0 }],
      clock,
      random: systemRandom,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      trace: { record: (entry) => this.#trace(entry) },
      resolve: (hop) => {
        const way = this.#ways.get(hop.host);
        return way ? [way] : resolveAddress(hop);
      },
    });
  }

  get address(): SipPlace {
    const { address, port } = this.#endpoint.addresses[0]!;
    return { transport: this.#transport, address, port };
  }

  async start(): Promise<void> {
    await this.#endpoint.start(this);
    // Its own also while it is closed: whoever comes again must not find another.
    await this.control.open(await freePort());
  }

  async stop(): Promise<void> {
    await this.#endpoint.stop(0);
    await this.control.close();
  }

  // ------------------------------------------------------------ from the network

  request(received: SipReceived): void {
    const { request, transaction, owner, peer } = received;
    const { method } = request;
    const isOutside = owner === undefined;
    const isRouted = !isOutside || this.routes.has(method.toLowerCase());
    const hasTag = tagOf(request.header('To')) !== undefined;
    if (isOutside && hasTag && (method === 'BYE' || method === 'UPDATE')) {
      this.#endpoint.respond(transaction, { status: 481, headers: [] });
    } else if (!isRouted || !this.control.isConnected) {
      this.#endpoint.respond(transaction, { status: 503, headers: [] });
    } else {
      this.#received.set(transaction, received);
      if (method === 'INVITE' && isOutside) this.#invites.set(transaction, { request });
      const from = ['network', request.bytes.length, peer.transport, peer.address, peer.port];
      this.control.send(['sip', ...from, 'time', transaction, owner ?? '', ''], request.bytes);
    }
  }

  response(_owner: string, id: string, response: SipResponse): void {
    const sending = this.#sendings.get(id);
    if (this.#cancels.has(id) || !sending) return;
    const isAccepted = response.status === 200;
    const method = response.header('CSeq')!.split(' ')[1];
    const dialogId = isAccepted && method === 'INVITE' ? sending.dialogId : '';
    if (response.status >= 200) this.#sendings.delete(id);
    if (isAccepted && sending.isCancelled) this.#stale.set(dialogId, response);
    this.#network(id, dialogId, response.bytes);
  }

  failure(_owner: string, id: string, cause: 'timeout' | 'transport'): void {
    const sending = this.#sendings.get(id);
    if (this.#cancels.has(id) || !sending) return;
    this.#sendings.delete(id);
    if (!sending.sent) {
      this.#refuse(sending.rid, 'requested protocol/transport not available');
      return;
    }
    const status = cause === 'timeout' ? 408 : 503;
    this.#network(id, '', serialiseResponse({ status, headers: copied(sending.sent) }));
  }

  cancelled(transaction: string): void {
    const invite = this.#invites.get(transaction);
    if (!invite) return;
    this.#received.delete(transaction);
    this.#network(transaction, '', ofInvite(invite, 'CANCEL'));
  }

  acknowledged(owner: string): void {
    const invite = this.#invites.get(owner);
    if (invite) this.#network(`ack-${++this.#count}`, owner, ofInvite(invite, 'ACK'));
  }

  unacknowledged(owner: string): void {
    const { request, localTag } = this.#invites.get(owner)!;
    const from = `${request.header('To')!};tag=${localTag!}`;
    this.#sendOwnBye(owner, request, from, request.header('From')!);
  }

  /** The server ends the dialog of that Call-ID with a BYE of its own, as at a session timer. */
  expire(callId: string): void {
    this.unacknowledged([...this.#invites.keys()].find((id) => id.startsWith(`${callId};`))!);
  }

  #sendOwnBye(dialogId: string, message: SipMessage, from: string, to: string): void {
    const headers: HeaderField[] = [
      ['Via', 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKown'],
      ['From', from],
      ['To', to],
      ['Call-ID', message.header('Call-ID')!],
      ['CSeq', '1 BYE'],
    ];
    const bytes = serialiseRequest({ method: 'BYE', uri: uriOf(to)!, headers });
    this.control.send(['sip', ...meta, 'unsolicited', dialogId, ''], bytes);
  }

  // -------------------------------------------------------- from the application

  #perform({ tokens, text }: Command): void {
    const [rid = '', verb, first = '', second = '', proxy = ''] = tokens;
    if (verb === 'authenticate') this.#authenticate(rid, first);
    else if (verb === 'route') {
      this.routes.add(first);
      this.control.send(['response', rid, 'OK']);
    } else if (verb !== 'sip') this.#refuse(rid, 'Unknown message type');
    else if (text.startsWith('SIP/2.0')) this.#answer(rid, first, messageOf(text));
    else if (second !== '') this.#inDialog(rid, second, messageOf(text));
    else if (text.startsWith('CANCEL')) this.#cancel(rid, first, messageOf(text));
    else this.#send(rid, proxy, messageOf(text));
  }

  #authenticate(rid: string, given: string): void {
    const { transport, address, port } = this.address;
    const listener = `${transport}/${address}:${port}`;
    if (given === secret) {
      this.control.send(['response', rid, 'OK', listener, 'v0.9.0', listener]);
      return;
    }
    this.control.send(['response', rid, 'NO', 'incorrect secret']);
  }

  #answer(rid: string, transaction: string, told: Told): void {
    const received = this.#received.get(transaction);
    if (!received) {
      this.#refuse(rid, 'Response not sent due to unknown transaction');
      return;
    }
    const [, code = '', ...words] = told.startLine.split(' ');
    const status = Number(code);
    const { request } = received;
    const localTag = tagOf(told.headers.find(([name]) => name === 'to')?.[1]);
    if (status >= 200) this.#received.delete(transaction);
    const isSuccess = status >= 200 && status < 300;
    const invite = this.#invites.get(transaction);
    const callId = request.header('Call-ID')!;
    const dialogId = `${callId};from-tag=${tagOf(request.header('From'))!}`;
    if (invite && isSuccess) this.#invites.set(dialogId, invite);
    if (request.method === 'SUBSCRIBE' && isSuccess) {
      this.#routeSets.set(callId, request.list('Record-Route'));
    }
    const { body } = told;
    this.#endpoint.respond(transaction, {
      status,
      reason: words.join(' '),
      headers: told.headers.filter(([name]) => !given.has(name)),
      ...(body.length > 0 ? { body } : {}),
      ...(localTag === undefined ? {} : { localTag }),
      ...(invite && isSuccess ? { owner: dialogId } : {}),
    });
    // One tag for the 100 and all that follows: the wire has the last word.
    if (invite) invite.localTag = tagOf(parseSip(this.#last).header('To'))!;
    const of = invite ? dialogId : '';
    this.control.send(
      ['response', rid, 'OK', ...meta, transaction, of, '', 'sent', ''],
      this.#last,
    );
  }

  #send(rid: string, proxy: string, told: Told): void {
    const { startLine, headers, body } = told;
    const [method = '', uri = ''] = startLine.split(' ');
    const value = (name: string) => headers.find(([one]) => one === name)?.[1] ?? '';
    if (body.length > 0 && value('content-type') === '') {
      this.#refuse(rid, 'missing content-type');
      return;
    }
    const [, host = '', port = '', transport] =
      /^sip:(?:[^@]*@)?([^:;]+)(?::(\d+))?(?:;.*transport=(udp|tcp))?/.exec(proxy) ?? [];
    const targetHost = /^sips?:(?:[^@]*@)?([^:;]+)/.exec(uri)?.[1] ?? '';
    if (host !== '') {
      const way = { address: host, port: Number(port) };
      const by = transport as 'udp' | 'tcp' | undefined;
      this.#ways.set(targetHost, by ? { ...way, transport: by } : way);
    }
    const id = `txn-${++this.#count}`;
    const callId = value('call-id');
    const dialogId = `${callId};from-tag=${tagOf(value('from'))!}`;
    const cseq = Number(value('cseq').split(' ')[0] || '1');
    this.#sendings.set(id, { rid, key: `${callId} ${cseq} ${method}`, dialogId });
    const common = {
      owner: method === 'INVITE' ? dialogId : id,
      id,
      method,
      headers: headers.filter(([name]) => !given.has(name)),
      ...(body.length > 0 ? { body } : {}),
    };
    const [from, to] = [value('from'), value('to')];
    const remoteTag = tagOf(to);
    const localTag = tagOf(from)!;
    const untagged = (address: string): string => address.replace(/;tag=.*$/, '');
    const dialog = {
      callId,
      localTag,
      remoteTag: remoteTag ?? '',
      localUri: uriOf(from)!,
      remoteUri: uriOf(to)!,
      remoteTarget: uri,
      routeSet: this.#routeSets.get(callId) ?? [],
      localCseq: cseq,
      remoteCseq: 0,
    };
    const outside = { uri, from: untagged(from), to: untagged(to), route: [] };
    if (remoteTag !== undefined) this.#endpoint.request({ ...common, ...outside, dialog });
    else this.#endpoint.request({ ...common, ...outside, callId, cseq, localTag });
  }

  /** The endpoint has sent the ACK with the 200; a BYE is told by its dialog. */
  #inDialog(rid: string, dialogId: string, told: Told): void {
    const method = told.startLine.split(' ')[0]!;
    if (method === 'ACK') {
      this.acks.push(dialogId);
      const stale = this.#stale.get(dialogId);
      if (stale) this.#sendOwnBye(dialogId, stale, stale.header('From')!, stale.header('To')!);
      return;
    }
    if (this.#stale.has(dialogId)) {
      this.#refuse(rid, 'Server error: unable to find dialog for dialog id provided');
      return;
    }
    const id = `txn-${++this.#count}`;
    const callId = dialogId.slice(0, dialogId.lastIndexOf(';from-tag='));
    this.#sendings.set(id, { rid, key: `${callId} * ${method}`, dialogId });
    this.#endpoint.bye(dialogId, id, told.headers);
  }

  #cancel(rid: string, transaction: string, told: Told): void {
    const sending = this.#sendings.get(transaction);
    if (!sending?.sent) {
      this.#refuse(rid, `unable to cancel unknown transaction id: ${transaction}`);
      return;
    }
    const id = `cancel-${++this.#count}`;
    this.#cancels.add(id);
    this.cancels++;
    sending.isCancelled = true;
    this.#endpoint.bye(
      sending.dialogId,
      id,
      told.headers.filter(([name]) => !given.has(name)),
    );
    this.control.send(['response', rid, 'OK', ...meta, id, 'sent', ''], sending.sent.bytes);
  }

  /** A command is confirmed with what has left for it. */
  #trace({ direction, bytes }: TraceEntry): void {
    if (direction === 'in') return;
    this.#last = bytes;
    const message = parseSip(bytes);
    if (message.kind !== 'request') return;
    const [number, method] = message.header('CSeq')!.split(' ');
    const callId = message.header('Call-ID')!;
    for (const [id, sending] of this.#sendings) {
      const isIt =
        sending.key === `${callId} ${number} ${method}` || sending.key === `${callId} * ${method}`;
      if (!isIt || sending.sent) continue;
      sending.sent = message;
      this.control.send(['response', sending.rid, 'OK', ...meta, id, 'sent', ''], bytes);
    }
  }

  #network(transaction: string, dialogId: string, bytes: Buffer): void {
    const { transport, address, port } = this.address;
    const from = ['network', bytes.length, transport, address, port, 'time'];
    this.control.send(['sip', ...from, transaction, dialogId, ''], bytes);
  }

  #refuse(rid: string, reason: string): void {
    this.control.send(['response', rid, 'NOK', reason]);
  }
}

/** A message of the application: the server measures the body itself, up to its first NUL. */
interface Told {
  readonly startLine: string;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer;
}

function messageOf(text: string): Told {
  const end = text.indexOf('\r\n\r\n');
  const [startLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.flatMap((line): HeaderField[] => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return dropped.has(name) ? [] : [[name, line.slice(colon + 1).trim()]];
  });
  const [body = ''] = text.slice(end + 4).split('\0');
  return { startLine, headers, body: Buffer.from(body) };
}

/** The ACK or CANCEL that belongs to an INVITE. */
function ofInvite({ request, localTag }: Invite, method: string): Buffer {
  const tag = localTag === undefined || method === 'CANCEL' ? '' : `;tag=${localTag}`;
  const number = request.header('CSeq')!.split(' ')[0]!;
  const headers: HeaderField[] = [
    ['Via', request.header('Via')!],
    ['From', request.header('From')!],
    ['To', `${request.header('To')!}${tag}`],
    ['Call-ID', request.header('Call-ID')!],
    ['CSeq', `${number} ${method}`],
  ];
  return serialiseRequest({ method, uri: request.uri, headers });
}

function copied(request: SipMessage): HeaderField[] {
  const names = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];
  return names.map((name) => [name, request.header(name)!]);
}
