/** Everything that is sent in this process, as somebody between the hosts would have seen it. */

import { Socket as UdpSocket } from 'node:dgram';
import { Socket as TcpSocket } from 'node:net';
import { Conversation } from '../../../src/verify/capture/conversation.js';
import { HttpStream } from '../../../src/verify/capture/http-stream.js';
import { captureLimits } from '../../../src/verify/capture/limits.js';
import { Messages } from '../../../src/verify/capture/messages.js';
import { Remarks } from '../../../src/verify/capture/remarks.js';
import type { Observed } from '../../../src/verify/capture/observed.js';

type Send = (this: UdpSocket, ...args: unknown[]) => unknown;
type Write = (this: TcpSocket, ...args: unknown[]) => boolean;

/** Of a connection in one direction, what is no whole frame yet. */
interface Stream {
  left: Buffer;
  http?: HttpStream;
}

const httpStart = /^(?:(?:GET|PUT|DELETE|HEAD) \/|HTTP\/1\.1 )/;

export class Tap {
  readonly messages: Observed[] = [];
  readonly #now: () => number;
  readonly #send: unknown = Reflect.get(UdpSocket.prototype, 'send');
  readonly #write: unknown = Reflect.get(TcpSocket.prototype, 'write');
  readonly #streams = new Map<string, Stream>();

  /** What both directions of a connection have in common, by its ends. */
  readonly #talks = new Map<string, Conversation>();

  readonly #waiting = new Map<TcpSocket, Buffer[]>();
  readonly #emit: unknown = Reflect.get(UdpSocket.prototype, 'emit');

  /** `other`: the UDP port of another process, of which only what arrives can be seen. */
  constructor(now: () => number, other?: number) {
    this.#now = now;
    if (other !== undefined) this.#listen(other);
    const send = this.#send as Send;
    const write = this.#write as Write;
    const datagram = (socket: UdpSocket, args: unknown[]): void => this.#datagram(socket, args);
    const octets = (socket: TcpSocket, data: unknown): void => this.#octets(socket, data);
    UdpSocket.prototype.send = function (this: UdpSocket, ...args: unknown[]): void {
      datagram(this, args);
      send.apply(this, args);
    };
    TcpSocket.prototype.write = function (this: TcpSocket, ...args: unknown[]): boolean {
      octets(this, args[0]);
      return write.apply(this, args);
    };
  }

  end(): void {
    Reflect.set(UdpSocket.prototype, 'send', this.#send);
    Reflect.set(TcpSocket.prototype, 'write', this.#write);
    Reflect.set(UdpSocket.prototype, 'emit', this.#emit);
  }

  #listen(other: number): void {
    const emit = this.#emit as (this: UdpSocket, ...args: unknown[]) => boolean;
    const heard = (target: string, bytes: Buffer): void => {
      this.#add('sip', 'udp', { source: `127.0.0.1:${other}`, target }, Buffer.from(bytes));
    };
    UdpSocket.prototype.emit = function (this: UdpSocket, ...args: unknown[]): boolean {
      const [event, bytes, from] = args as [string, Buffer, { readonly port: number }];
      if (event === 'message' && from.port === other) {
        heard(`127.0.0.1:${this.address().port}`, bytes);
      }
      return emit.apply(this, args);
    } as typeof UdpSocket.prototype.emit;
  }

  #datagram(socket: UdpSocket, args: readonly unknown[]): void {
    const [bytes, ...rest] = args;
    const [port, address] = rest
      .filter((one): one is number | string => typeof one === 'number' || typeof one === 'string')
      .slice(-2);
    const octets = Buffer.concat((Array.isArray(bytes) ? bytes : [bytes]) as Buffer[]);
    if (/^(?:\r\n)*$/.test(octets.toString('latin1'))) return;
    const source = `127.0.0.1:${socket.address().port}`;
    this.#add('sip', 'udp', { source, target: `${address}:${port}` }, Buffer.from(octets));
  }

  /** Frames of MSRP, and messages of SIP. */
  #octets(socket: TcpSocket, data: unknown): void {
    const { localPort, remotePort } = socket;
    const octets = typeof data === 'string' ? Buffer.from(data) : (data as Uint8Array);
    if (localPort === undefined || remotePort === undefined) {
      this.#early(socket, Buffer.from(octets));
      return;
    }
    const hosts = { source: `127.0.0.1:${localPort}`, target: `127.0.0.1:${remotePort}` };
    const key = `${hosts.source} ${hosts.target}`;
    const stream = this.#streams.get(key) ?? { left: Buffer.alloc(0) };
    this.#streams.set(key, stream);
    stream.left = Buffer.concat([stream.left, octets]);
    for (;;) {
      const isHttp =
        stream.http !== undefined || httpStart.test(stream.left.toString('latin1', 0, 16));
      if (isHttp) {
        stream.http ??= this.#http(hosts);
        stream.http.push(stream.left, { number: 0, at: 0 });
        stream.left = Buffer.alloc(0);
        return;
      }
      const isMsrp = stream.left.toString('latin1', 0, 5) === 'MSRP ';
      const frame = isMsrp ? frameOf(stream.left) : sipOf(stream.left);
      if (frame === undefined) return;
      stream.left = stream.left.subarray(frame.length);
      if (frame.length > 2) this.#add(isMsrp ? 'msrp' : 'sip', 'tcp', hosts, Buffer.from(frame));
    }
  }

  /** HTTP is written before its connection stands; it leaves when it does. */
  #early(socket: TcpSocket, octets: Buffer): void {
    const known = this.#waiting.get(socket);
    if (known) {
      known.push(octets);
      return;
    }
    if (!httpStart.test(octets.toString('latin1', 0, 16))) return;
    const waiting = [octets];
    this.#waiting.set(socket, waiting);
    socket.prependOnceListener('connect', () => {
      this.#waiting.delete(socket);
      for (const one of waiting) this.#octets(socket, one);
    });
  }

  #http(hosts: Pick<Observed, 'source' | 'target'>): HttpStream {
    const key = [hosts.source, hosts.target].sort().join(' ');
    const remarks = new Remarks(1);
    const messages = new Messages(captureLimits, remarks);
    messages.add = ({ protocol, bytes, source, target }) =>
      this.#add(protocol, 'tcp', { source, target }, bytes);
    const findings = { limits: captureLimits, messages, remarks };
    const talk = this.#talks.get(key) ?? new Conversation(findings, true);
    this.#talks.set(key, talk);
    return new HttpStream(talk, hosts);
  }

  #add(
    protocol: Observed['protocol'],
    transport: Observed['transport'],
    hosts: Pick<Observed, 'source' | 'target'>,
    bytes: Buffer,
  ): void {
    const number = this.messages.length + 1;
    this.messages.push({
      number,
      at: this.#now(),
      protocol,
      transport,
      ...hosts,
      bytes,
      cut: false,
    });
  }
}

function frameOf(octets: Buffer): Buffer | undefined {
  const text = octets.toString('latin1');
  const id = /^MSRP (\S+) /.exec(text)?.[1];
  if (id === undefined) return undefined;
  const end = new RegExp(`-------${id.replace(/[.+]/g, '\\$&')}[$+#]\r\n`).exec(text);
  return end === null ? undefined : octets.subarray(0, end.index + end[0].length);
}

function sipOf(octets: Buffer): Buffer | undefined {
  if (octets.toString('latin1', 0, 2) === '\r\n') return octets.subarray(0, 2);
  const end = octets.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /^Content-Length: *(\d+)/im.exec(octets.toString('latin1', 0, end))?.[1];
  const whole = end + 4 + Number(length ?? 0);
  return octets.length < whole ? undefined : octets.subarray(0, whole);
}
