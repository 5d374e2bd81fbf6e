/** The trace of XCAP: heads of HTTP messages, never their bodies, nor what proves who somebody is. */

import type { Clock, Trace } from '../../ports.js';

/** Whatever has the addresses of both ends. */
export interface TracedSocket {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly encrypted?: boolean;
}

export type TracedFields = Iterable<
  readonly [string, number | string | readonly string[] | undefined]
>;

/** Records the messages of one client or server. */
export class HttpTrace {
  readonly #trace: Trace;
  readonly #clock: Clock;

  constructor(trace: Trace, clock: Clock) {
    this.#trace = trace;
    this.#clock = clock;
  }

  record(direction: 'in' | 'out', socket: TracedSocket, start: string, fields: TracedFields): void {
    const { localAddress, localPort, remoteAddress, remotePort, encrypted } = socket;
    this.#trace.record({
      at: this.#clock.now(),
      protocol: 'xcap',
      direction,
      local: `${localAddress ?? ''}:${localPort ?? 0}`,
      remote: `${remoteAddress ?? ''}:${remotePort ?? 0}`,
      transport: encrypted === true ? 'tls' : 'tcp',
      bytes: Buffer.from(`${[start, ...linesOf(fields)].join('\r\n')}\r\n\r\n`, 'latin1'),
    });
  }
}

/** Names and values that take turns, as Node keeps what has come. */
export function* rawFields(raw: readonly string[]): Generator<readonly [string, string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at]!, raw[at + 1]!];
}

function* linesOf(fields: TracedFields): Generator<string> {
  for (const [name, value] of fields) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [value]) {
      yield `${name}: ${isSecret(name) ? schemeOf(String(one)) : one}`;
    }
  }
}

/** The answer to a challenge can be tried against a list of passwords, and so can its proof. */
function isSecret(name: string): boolean {
  return /^(?:(?:proxy-)?authorization|authentication-info|cookie)$/i.test(name);
}

function schemeOf(value: string): string {
  return /^[\w-]+(?= )/.exec(value)?.[0] ?? '';
}
