/** What one participant sent and received, as it stood on the wire. */

import type { Trace, TraceEntry } from '../../src/ports.js';
import type { SipMessage, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { parseSip } from '../../src/wire/sip/parse.js';

type Direction = TraceEntry['direction'];

export class WireLog implements Trace {
  readonly entries: TraceEntry[] = [];

  record(entry: TraceEntry): void {
    this.entries.push(entry);
  }

  requests(direction: Direction, method: string): SipRequest[] {
    return this.#sip(direction).filter(
      (message): message is SipRequest => message.kind === 'request' && message.method === method,
    );
  }

  /** Final responses to a method. */
  responses(direction: Direction, method: string): SipResponse[] {
    return this.#sip(direction).filter(
      (message): message is SipResponse =>
        message.kind === 'response' &&
        message.status >= 200 &&
        message.header('CSeq')!.endsWith(` ${method}`),
    );
  }

  /** One line for each message, `>` sent and `<` received; provisional responses left out. */
  lines(): string[] {
    return this.entries.flatMap(({ protocol, direction, bytes }) => {
      const line = protocol === 'sip' ? sipLine(parseSip(bytes)) : msrpLine(bytes);
      return line === undefined ? [] : [`${direction === 'out' ? '>' : '<'} ${line}`];
    });
  }

  /** Heads of MSRP frames. */
  frames(direction: Direction, method: string): string[] {
    return this.entries
      .filter((entry) => entry.protocol === 'msrp' && entry.direction === direction)
      .map(({ bytes }) => bytes.toString('latin1'))
      .filter((head) => head.split('\r\n', 1)[0]!.endsWith(` ${method}`));
  }

  #sip(direction: Direction): SipMessage[] {
    return this.entries
      .filter((entry) => entry.protocol === 'sip' && entry.direction === direction)
      .map(({ bytes }) => parseSip(bytes));
  }
}

function sipLine(message: SipMessage): string | undefined {
  if (message.kind === 'request') return message.method;
  if (message.status < 200) return undefined;
  return `${message.status} ${message.header('CSeq')!.split(' ')[1]!}`;
}

function msrpLine(bytes: Buffer): string {
  const [, , ...rest] = bytes.toString('latin1').split('\r\n', 1)[0]!.split(' ');
  return `MSRP ${rest.join(' ')}`;
}
