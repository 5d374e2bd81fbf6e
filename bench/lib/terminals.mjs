/** Many terminals in one process: SIP on one UDP socket, an MSRP connection for each session. */

import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { clearInterval, setInterval } from 'node:timers';
import { MsrpParser } from '../../dist/wire/msrp/parse.js';
import { response as msrpResponse, report } from '../../dist/wire/msrp/write.js';
import { parseSip } from '../../dist/wire/sip/parse.js';

export const domain = 'example.test';
const host = '127.0.0.1';
const retransmitMs = 500;
/** A server takes so many connections from one address only. */
const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];

/** Requests and their answers, and requests of the server by their method. */
export class Terminals {
  #socket = dgram.createSocket('udp4');
  #pending = new Map();
  #answers = new Map();
  #handlers;
  #server;
  #number = 0;

  /** `handlers[method](request)` returns the status of the answer and what stands in it. */
  constructor(server, handlers = {}) {
    this.#server = server;
    this.#handlers = handlers;
  }

  async open() {
    this.#socket.bind(0, host);
    await once(this.#socket, 'listening');
    this.#socket.setRecvBufferSize(8_388_608);
    this.#socket.on('message', (datagram) => this.#take(parseSip(datagram)));
    this.#timer = setInterval(() => this.#retransmit(), retransmitMs / 2);
  }

  #timer;

  close() {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  get port() {
    return this.#socket.address().port;
  }

  /** Resolves with the final response. */
  ask(method, { uri, from, to = uri, headers = [], body = '', callId, fromTag, cseq = 1 }) {
    const number = this.#number++;
    const branch = `z9hG4bKterm${this.port}n${number}`;
    const call = callId ?? `term${this.port}n${number}`;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${host}:${this.port};branch=${branch}`,
      'Max-Forwards: 70',
      `From: <${from}>;tag=${fromTag ?? `f${number}`}`,
      `To: ${to.startsWith('<') ? to : `<${to}>`}`,
      `Call-ID: ${call}`,
      `CSeq: ${cseq} ${method}`,
      `P-Asserted-Identity: <${from}>`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const octets = Buffer.from(`${text.join('\r\n')}\r\n\r\n${body}`);
    this.#send(octets);
    if (method === 'ACK') return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#pending.set(branch, { octets, sentAt: Date.now(), resolve, provisional: false });
    });
  }

  contact(user) {
    return `Contact: <sip:${user}@${host}:${this.port};transport=udp>;+g.oma.sip-im`;
  }

  #send(octets) {
    this.#socket.send(octets, this.#server.port, host);
  }

  #take(message) {
    if (message.kind === 'response') {
      const branch = /branch=([^;,\s]+)/.exec(message.header('Via'))[1];
      const pending = this.#pending.get(branch);
      if (!pending) return;
      pending.provisional = true;
      if (message.status < 200) return;
      this.#pending.delete(branch);
      pending.resolve(message);
      return;
    }
    if (message.method === 'ACK') return;
    const branch = /branch=([^;,\s]+)/.exec(message.header('Via'))[1];
    const known = this.#answers.get(branch);
    if (known) {
      this.#send(known);
      return;
    }
    const { status, headers = [], body = '' } = this.#handlers[message.method](message);
    const tag = message.header('To').includes(';tag=') ? '' : `;tag=t${this.#number++}`;
    const text = [
      `SIP/2.0 ${status} OK`,
      ...message.fields('Via').map((via) => `Via: ${via}`),
      ...message.fields('Record-Route').map((route) => `Record-Route: ${route}`),
      `From: ${message.header('From')}`,
      `To: ${message.header('To')}${tag}`,
      `Call-ID: ${message.header('Call-ID')}`,
      `CSeq: ${message.header('CSeq')}`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const octets = Buffer.from(`${text.join('\r\n')}\r\n\r\n${body}`);
    this.#answers.set(branch, octets);
    this.#send(octets);
  }

  #retransmit() {
    const now = Date.now();
    for (const pending of this.#pending.values()) {
      if (pending.provisional || now - pending.sentAt < retransmitMs) continue;
      pending.sentAt = now;
      this.#send(pending.octets);
    }
  }
}

/** The session description of terminal `number`; its connection is opened by the terminal. */
export function descriptionOf(number, direction) {
  return [
    ...['v=0', `o=- ${number} 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0'],
    'm=message 9 TCP/MSRP *',
    ...[`a=${direction}`, 'a=setup:active', 'a=accept-types:*', 'a=accept-wrapped-types:*'],
    `a=path:${pathOf(number)}`,
    '',
  ].join('\r\n');
}

function pathOf(number) {
  return `msrp://${host}:9/terminal${number};tcp`;
}

/** One session: takes SENDs in, answers them when it is let, and sends. */
export class Session {
  #remote;
  #own;
  #socket;
  #held = [];
  #head;
  #body = [];
  #answered = new Map();
  #onMessage;
  #number = 0;
  isHolding;

  /** `remote` is the path of the other side; `onMessage(body)` comes once for each message. */
  constructor(number, remote, { onMessage, isHolding = false } = {}) {
    this.#own = pathOf(number);
    this.#remote = remote;
    this.#onMessage = onMessage;
    this.isHolding = isHolding;
    const [, port] = /:(\d+)\//.exec(remote);
    const localAddress = addresses[number % addresses.length];
    this.#socket = net.connect({ host, port: Number(port), localAddress, noDelay: true });
    this.#socket.on('error', () => this.#socket.destroy());
    const parser = new MsrpParser({
      head: (head) => (this.#head = head),
      body: (bytes) => this.#body.push(Buffer.from(bytes)),
      end: (flag) => this.#end(flag),
      fault: ({ error }) => this.#socket.destroy(error),
    });
    this.#socket.on('data', (chunk) => parser.push(chunk));
    this.bound = this.send(undefined).answered;
  }

  /** Resolves with the status; without a body it binds the session. */
  send(body, sentAtOnce = body?.length) {
    const id = `s${this.#number++}t${this.#own.length}x${Math.random().toString(36).slice(2, 8)}`;
    const head =
      `MSRP ${id} SEND\r\nTo-Path: ${this.#remote}\r\nFrom-Path: ${this.#own}\r\n` +
      `Message-ID: m${id}\r\n`;
    const answered = new Promise((resolve) => this.#answered.set(id, resolve));
    if (body === undefined) {
      this.#socket.write(`${head}-------${id}$\r\n`);
      return { answered };
    }
    const range = `Byte-Range: 1-${body.length}/${body.length}\r\n`;
    this.#socket.write(`${head}${range}Content-Type: application/octet-stream\r\n\r\n`);
    this.#socket.write(body.subarray(0, sentAtOnce));
    const finish = () => {
      this.#socket.write(body.subarray(sentAtOnce));
      this.#socket.write(`\r\n-------${id}$\r\n`);
      return answered;
    };
    return { answered, finish };
  }

  /** Answers what was held back, and everything from here on. */
  release() {
    this.isHolding = false;
    for (const head of this.#held.splice(0)) this.#answer(head);
  }

  close() {
    this.#socket.destroy();
  }

  #end(flag) {
    const head = this.#head;
    if (head.kind === 'response') {
      this.#answered.get(head.transactionId)?.(head.status);
      this.#answered.delete(head.transactionId);
      return;
    }
    if (head.method !== 'SEND') return;
    if (flag === '$' && head.contentType !== undefined) {
      this.#onMessage?.(Buffer.concat(this.#body));
      this.#body = [];
    }
    if (this.isHolding) this.#held.push(head);
    else this.#answer(head);
  }

  #answer({ transactionId, fromPath, toPath, messageId, byteRange, successReport }) {
    const to = { toPath: fromPath, fromPath: toPath };
    this.#socket.write(msrpResponse({ transactionId, status: 200, ...to }));
    const { end, total } = byteRange ?? {};
    const isLast = total !== undefined && (end === undefined || end === total);
    if (!successReport || !isLast) return;
    const range = { start: 1, end: total, total };
    const id = `r${transactionId}`;
    this.#socket.write(
      report({ transactionId: id, ...to, messageId, byteRange: range, status: 200 }),
    );
  }
}
