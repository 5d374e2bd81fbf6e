/** The XCAP server: HTTP in front of application usages (RFC 4825), on a listener of its own. */

import { STATUS_CODES } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import rateLimit from '@fastify/rate-limit';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../../ports.js';
import { isLoopback } from './address.js';
import { XcapCapsUsage } from './caps.js';
import { XcapExchange } from './exchange.js';
import type { XcapResponse } from './exchange.js';
import { Identification } from './identity.js';
import { defaultXcapLimits } from './options.js';
import { HttpTrace, rawFields } from './trace.js';
import type { XcapLimits, XcapServerOptions, XcapTls } from './options.js';

export interface XcapServer {
  /** Where it listens, once it does. */
  readonly address: { readonly address: string; readonly port: number };
  /** Opens the listener. Rejects with XcapListenError. */
  start(): Promise<void>;
  /** Certificate of connections to come. Throws when it cannot be used. */
  reloadCertificate(tls: XcapTls): void;
  counters(): Readonly<Record<string, number>>;
  /** Takes no further connection, lets requests end for at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** The listener could not be opened. */
export class XcapListenError extends Error {
  readonly code = 'XCAP_LISTEN';

  constructor(cause: unknown) {
    super(`XCAP_LISTEN: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'XcapListenError';
  }
}

export function createXcapServer(options: XcapServerOptions): XcapServer {
  return new Listener(options);
}

const methods = ['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH', 'OPTIONS'];

class Listener implements XcapServer {
  readonly #options: XcapServerOptions;
  readonly #limits: XcapLimits;
  readonly #log: Log;
  readonly #exchange: XcapExchange;
  readonly #identification: Identification;
  readonly #app: FastifyInstance;
  readonly #peers = new Map<string, number>();
  readonly #counters = {
    'xcap.requests': 0,
    'xcap.refused': 0,
    'xcap.failed': 0,
    'xcap.malformed': 0,
    'xcap.connections.refused': 0,
  };
  #address = { address: '', port: 0 };

  constructor(options: XcapServerOptions) {
    const { root, usages, trustedProxies, authentication, log } = options;
    this.#options = options;
    this.#limits = { ...defaultXcapLimits, ...options.limits };
    this.#log = log;
    this.#exchange = new XcapExchange(root, [new XcapCapsUsage(usages), ...usages]);
    this.#identification = new Identification(trustedProxies, authentication);
    this.#app = this.#createApp();
    if (options.trace) this.#traced(new HttpTrace(options.trace.trace, options.trace.clock));
  }

  get address(): { readonly address: string; readonly port: number } {
    return this.#address;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  async start(): Promise<void> {
    const { server } = this.#app;
    const { connections } = this.#limits;
    server.maxConnections = connections;
    server.on('connection', (socket: Socket) => this.#admit(socket));
    server.on('drop', () => this.#counters['xcap.connections.refused']++);
    try {
      await this.#app.register(rateLimit, this.#rate());
      this.#routes();
      const { host, port } = this.#options;
      await this.#app.listen({ host, port });
    } catch (error) {
      throw new XcapListenError(error);
    }
    const { address, port } = server.address() as AddressInfo;
    this.#address = { address, port };
  }

  reloadCertificate({ certificate, key }: XcapTls): void {
    const { server } = this.#app as { readonly server: unknown };
    if (server instanceof HttpsServer) server.setSecureContext({ cert: certificate, key });
  }

  async stop(graceMs: number): Promise<void> {
    const { server } = this.#app;
    const closed = this.#app.close();
    if (graceMs > 0 && server.listening) await settledWithin(closed, graceMs);
    server.closeAllConnections();
    await closed;
  }

  // ------------------------------------------------------------------------------ assembly

  #createApp(): FastifyInstance {
    const { requestMs, idleMs, bodyOctets, headerOctets } = this.#limits;
    const http = { maxHeaderSize: headerOctets };
    const { tls } = this.#options;
    const common = {
      bodyLimit: bodyOctets,
      requestTimeout: requestMs,
      connectionTimeout: idleMs,
      keepAliveTimeout: idleMs,
      // The path is read by us: routers take apart, decode and normalise.
      rewriteUrl: () => '/',
      clientErrorHandler: (error: Error, socket: Socket) => this.#malformed(error, socket),
    };
    if (!tls) return fastify({ ...common, http });
    const https = { ...http, cert: tls.certificate, key: tls.key };
    return fastify({ ...common, https });
  }

  /** What no request can be read from has no head; its answer is counted, not traced. */
  #traced(trace: HttpTrace): void {
    this.#app.addHook('onRequest', (request, _reply, done) => {
      const { method, originalUrl, raw } = request;
      const start = `${method} ${originalUrl} HTTP/${raw.httpVersion}`;
      trace.record('in', raw.socket, start, rawFields(raw.rawHeaders));
      done();
    });
    this.#app.addHook('onSend', (request, reply, _payload, done) => {
      const start = `HTTP/1.1 ${reply.statusCode} ${STATUS_CODES[reply.statusCode] ?? ''}`;
      trace.record('out', request.raw.socket, start.trimEnd(), Object.entries(reply.getHeaders()));
      done();
    });
  }

  #routes(): void {
    const app = this.#app;
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    const handler = (request: FastifyRequest, reply: FastifyReply) => this.#answer(request, reply);
    app.route({ method: methods, url: '/', handler });
    app.setNotFoundHandler(handler);
    app.setErrorHandler((error, _request, reply) => this.#failed(error, reply));
  }

  #rate(): Parameters<typeof rateLimit>[1] & object {
    const { rate, rateMs, rateKeys } = this.#limits;
    return {
      max: rate,
      timeWindow: rateMs,
      cache: rateKeys,
      keyGenerator: (request) => this.#rateKey(request),
      addHeaders: silent,
      addHeadersOnExceeding: silent,
    };
  }

  /** Behind a proxy everybody has the same address. */
  #rateKey(request: FastifyRequest): string {
    const address = addressOf(request);
    if (!this.#identification.isProxy(address)) return address;
    const who = headerOf(request, asserted) ?? headerOf(request, intended) ?? '';
    return `${address} ${who.slice(0, 256)}`;
  }

  // ------------------------------------------------------------------------------- requests

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    this.#counters['xcap.requests']++;
    const { method, originalUrl: target } = request;
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const answer = await this.#exchange.answer({
      ...{ method, target, body },
      type: headerOf(request, 'content-type')?.split(';', 1)[0]!.trim().toLowerCase(),
      ifMatch: headerOf(request, 'if-match'),
      ifNoneMatch: headerOf(request, 'if-none-match'),
      identify: () => this.#identification.identify(this.#identified(request, body)),
    });
    if (answer.status >= 400) this.#counters['xcap.refused']++;
    return this.#send(reply, answer);
  }

  #identified(request: FastifyRequest, body: Buffer): Parameters<Identification['identify']>[0] {
    const address = addressOf(request);
    const authorization = headerOf(request, 'authorization');
    return {
      ...{ address, body },
      method: request.method,
      uri: request.originalUrl,
      authorization: authorization === undefined ? [] : [authorization],
      isPrivate: this.#options.tls !== undefined || isLoopback(address),
      asserted: headerOf(request, asserted),
      intended: headerOf(request, intended),
    };
  }

  #send(reply: FastifyReply, { status, headers, body }: XcapResponse): FastifyReply {
    this.#head(reply, status);
    for (const [name, value] of headers) {
      reply.header(name, typeof value === 'string' ? value : [...value]);
    }
    if (body === undefined) return reply.send();
    return reply.send(typeof body === 'string' ? body : Readable.from(body));
  }

  #head(reply: FastifyReply, status: number): void {
    reply.code(status).headers({
      Server: this.#options.product,
      'Cache-Control': 'private, no-cache',
      'X-Content-Type-Options': 'nosniff',
    });
  }

  /** What Fastify refuses has a status; everything else is the fault of the store, or ours. */
  #failed(error: unknown, reply: FastifyReply): FastifyReply {
    const { statusCode: status = 500, code } = error as { statusCode?: number; code?: unknown };
    if (status < 500) {
      this.#counters['xcap.refused']++;
      this.#head(reply, status);
      return reply.removeHeader('content-type').send();
    }
    this.#counters['xcap.failed']++;
    if (isOfStore(code)) {
      this.#log.warn({ code }, 'XCAP: the store cannot be asked');
      this.#head(reply, 503);
      return reply.header('Retry-After', '5').send();
    }
    this.#log.error({ err: error }, 'XCAP request failed');
    this.#head(reply, 500);
    return reply.send();
  }

  // ----------------------------------------------------------------------------- connections

  #admit(socket: Socket): void {
    const peer = socket.remoteAddress ?? '';
    const count = this.#peers.get(peer) ?? 0;
    if (count >= this.#limits.connectionsPerPeer) {
      this.#counters['xcap.connections.refused']++;
      socket.destroy();
      return;
    }
    this.#peers.set(peer, count + 1);
    socket.once('close', () => {
      const left = this.#peers.get(peer)! - 1;
      if (left === 0) this.#peers.delete(peer);
      else this.#peers.set(peer, left);
    });
  }

  #malformed(error: Error, socket: Socket): void {
    this.#counters['xcap.malformed']++;
    const { code } = error as NodeJS.ErrnoException;
    this.#log.debug({ code }, 'XCAP: no HTTP request');
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const line = malformedLines.get(code ?? '') ?? '400 Bad Request';
    socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }
}

const silent = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
} as const;

const asserted = 'x-3gpp-asserted-identity';
const intended = 'x-3gpp-intended-identity';

const malformedLines: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

function isOfStore(code: unknown): boolean {
  return typeof code === 'string' && /^(?:STORE|ACCOUNTS?)_/.test(code);
}

function addressOf(request: FastifyRequest): string {
  return request.socket.remoteAddress ?? '';
}

/** Several fields of one name are one list. */
function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

async function settledWithin(closed: Promise<unknown>, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise((resolve) => {
    timer = setTimeout(resolve, graceMs).unref();
  });
  await Promise.race([closed, grace]);
  clearTimeout(timer);
}
