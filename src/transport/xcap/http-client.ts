/** HTTP to one server: kept-alive connections, bounded in number, in time and in octets. */

import { Agent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock, Trace } from '../../ports.js';
import { HttpTrace, rawFields } from './trace.js';
import { XdmsError } from './xdms-error.js';

export interface HttpTls {
  /** PEM: who vouches for the server; absent: the authorities that Node knows. */
  readonly authorities?: readonly Buffer[];
  /** PEM: shown to a server that asks. */
  readonly certificate?: Buffer;
  readonly key?: Buffer;
}

export interface HttpClientOptions {
  /** `http:` or `https:`, host and port. */
  readonly origin: URL;
  readonly clock: Clock;
  readonly tls?: HttpTls;
  readonly connections: number;
  /** Requests under way or waiting for a connection. */
  readonly pending: number;
  /** ms in which something has to move. */
  readonly timeoutMs: number;
  /** Octets of the body of an answer. */
  readonly answerOctets: number;
  /** Sees what goes and comes, without bodies. */
  readonly trace?: Trace | undefined;
}

export interface HttpQuestion {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Path and query, encoded. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** A body that is made while it is sent may be asked for again. */
  readonly body?: Buffer | (() => AsyncIterable<string>);
}

export interface HttpAnswer {
  readonly status: number;
  /** The values of a header field, by its name in lower case. */
  readonly fields: Readonly<Record<string, readonly string[] | undefined>>;
  readonly body: Buffer;
}

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #agent: Agent | HttpsAgent;
  readonly #trace: HttpTrace | undefined;
  #pending = 0;

  constructor(options: HttpClientOptions) {
    const { origin, connections: maxSockets, tls = {} } = options;
    const pool = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets };
    this.#options = options;
    this.#trace = options.trace && new HttpTrace(options.trace, options.clock);
    this.#agent =
      origin.protocol === 'https:'
        ? new HttpsAgent({
            ...pool,
            ...(tls.authorities && { ca: [...tls.authorities] }),
            ...(tls.certificate && { cert: tls.certificate, key: tls.key }),
          })
        : new Agent(pool);
  }

  /** Rejects with XdmsError, or with the error of whoever makes the body. */
  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    if (this.#pending >= this.#options.pending) {
      throw new XdmsError('XDMS_BUSY', 'too many requests wait for the XDMS');
    }
    this.#pending++;
    try {
      return await this.#exchange(question, true);
    } finally {
      this.#pending--;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #exchange(question: HttpQuestion, again: boolean): Promise<HttpAnswer> {
    const { origin, clock, timeoutMs } = this.#options;
    const { method, path, headers, body } = question;
    const length = Buffer.isBuffer(body) ? { 'Content-Length': body.length } : {};
    const send = origin.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send({
      ...{ method, path, agent: this.#agent },
      host: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port,
      headers: { ...headers, ...length },
    });
    if (this.#trace) traceExchange(this.#trace, request, question);
    const watch = new Watch(clock, timeoutMs, () =>
      request.destroy(new XdmsError('XDMS_TIMEOUT', `no answer within ${timeoutMs} ms`)),
    );
    let complete = false;
    try {
      const answered = answerOf(request);
      // What goes wrong while the body is written is told by whichever of the two fails first.
      answered.catch(() => undefined);
      const written = await write(request, body, watch);
      const response = await answered;
      const answer = await this.#read(response, watch);
      complete = written;
      return answer;
    } catch (error) {
      // RFC 7230 6.3.1: the server had closed the connection while it was idle.
      const code = (error as NodeJS.ErrnoException).code;
      if (again && request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) {
        return await this.#exchange(question, false);
      }
      throw causeOf(error);
    } finally {
      watch.end();
      if (!complete) request.destroy();
    }
  }

  async #read(response: IncomingMessage, watch: Watch): Promise<HttpAnswer> {
    const chunks: Buffer[] = [];
    let octets = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      watch.moved();
      octets += chunk.length;
      if (octets > this.#options.answerOctets) {
        throw new XdmsError('XDMS_ANSWER', 'the answer is too long');
      }
      chunks.push(chunk);
    }
    const { statusCode: status = 0, headersDistinct: fields } = response;
    return { status, fields, body: Buffer.concat(chunks) };
  }
}

/** A request goes when there is a connection for it; one that finds none has not gone. */
function traceExchange(trace: HttpTrace, request: ClientRequest, question: HttpQuestion): void {
  request.once('socket', (socket) => {
    const goes = (): void => {
      const start = `${question.method} ${question.path} HTTP/1.1`;
      trace.record('out', socket, start, Object.entries(request.getHeaders()));
    };
    if (socket.connecting) socket.once('connect', goes);
    else goes();
  });
  request.once('response', ({ socket, httpVersion, statusCode, statusMessage, rawHeaders }) => {
    const start = `HTTP/${httpVersion} ${statusCode ?? 0} ${statusMessage ?? ''}`.trimEnd();
    trace.record('in', socket, start, rawFields(rawHeaders));
  });
}

/** Ends what does not move any more. */
class Watch {
  readonly #arm: () => () => void;
  #withdraw: () => void;

  constructor(clock: Clock, timeoutMs: number, expired: () => void) {
    this.#arm = () => clock.after(timeoutMs, expired);
    this.#withdraw = this.#arm();
  }

  moved(): void {
    this.#withdraw();
    this.#withdraw = this.#arm();
  }

  end(): void {
    this.#withdraw();
  }
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
}

/** False when there was an answer, or the end of the connection, before the end of the body. */
async function write(
  request: ClientRequest,
  body: HttpQuestion['body'],
  watch: Watch,
): Promise<boolean> {
  if (typeof body !== 'function') {
    request.end(body);
    return true;
  }
  let answered = false;
  request.once('response', () => (answered = true));
  for await (const piece of body()) {
    if (request.destroyed || answered) return false;
    if (!request.write(piece)) await drained(request);
    watch.moved();
  }
  request.end();
  return true;
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'response'] as const;
    const done = (): void => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    for (const event of events) request.on(event, done);
  });
}

function causeOf(error: unknown): unknown {
  if (error instanceof XdmsError || !(error instanceof Error)) return error;
  const { syscall, code } = error as NodeJS.ErrnoException;
  const isNetwork = syscall !== undefined || /^(?:E[A-Z]+|ERR_TLS|HPE)/.test(code ?? '');
  if (!isNetwork) return error;
  return new XdmsError('XDMS_UNREACHABLE', code ?? error.message, { cause: error });
}
