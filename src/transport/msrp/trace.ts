/** The trace of a connection: heads and end-lines of its frames, never their bodies. */

import type { Clock, Trace } from '../../ports.js';
import type { MsrpFlag, MsrpHead } from '../../wire/msrp/frame.js';
import type { Carrier } from './carrier.js';

/** Records the frames of one connection. */
export class FrameTrace {
  readonly #trace: Trace;
  readonly #clock: Clock;
  readonly #carrier: Carrier;
  #head: MsrpHead | undefined;

  constructor(trace: Trace, clock: Clock, carrier: Carrier) {
    this.#trace = trace;
    this.#clock = clock;
    this.#carrier = carrier;
  }

  /** The head of a frame has come; it is recorded with its end-line. */
  head(head: MsrpHead): void {
    this.#head = head;
  }

  end(flag: MsrpFlag): void {
    const head = this.#head;
    if (!head) return;
    this.#head = undefined;
    this.#record('in', Buffer.from(`${headText(head)}\r\n-------${head.transactionId}${flag}\r\n`));
  }

  /** The parts of a frame that has been written, its body left out. */
  out(...parts: readonly Buffer[]): void {
    this.#record('out', Buffer.concat(parts));
  }

  #record(direction: 'in' | 'out', bytes: Buffer): void {
    const { socket, transport } = this.#carrier;
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    this.#trace.record({
      at: this.#clock.now(),
      protocol: 'msrp',
      direction,
      local: `${localAddress ?? ''}:${localPort ?? 0}`,
      remote: `${remoteAddress ?? ''}:${remotePort ?? 0}`,
      transport,
      bytes,
    });
  }
}

function headText(head: MsrpHead): string {
  const rest = head.kind === 'request' ? head.method : `${head.status} ${head.comment}`.trimEnd();
  const lines = [`MSRP ${head.transactionId} ${rest}`];
  for (const [name, value] of head.headers) lines.push(`${name}: ${value}`);
  const body = head.kind === 'request' && head.hasBody ? '\r\n\r\n' : '';
  return lines.join('\r\n') + body;
}
