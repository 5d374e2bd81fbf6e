/** What a handler of an `MsrpPort` hears, kept for tests, with messages for it to hear of. */

import type {
  Content,
  MsrpHandler,
  MsrpIncoming,
  MsrpOutgoing,
  MsrpSink,
  Owner,
} from '../ports.js';

export type MsrpHeard =
  | { readonly type: 'connected'; readonly owner: Owner }
  | { readonly type: 'lost'; readonly owner: Owner; readonly cause: string }
  | { readonly type: 'sent' | 'reported'; readonly owner: Owner; readonly text: string }
  | { readonly type: 'received'; readonly owner: Owner; readonly text: string; body: Buffer }
  | { readonly type: 'aborted'; readonly owner: Owner; readonly text: string };

/** A handler that keeps what it hears and takes in every message. */
export class MsrpRecorder implements MsrpHandler {
  readonly heard: MsrpHeard[] = [];
  /** Decides about a message instead of the recorder. */
  onReceive: ((owner: Owner, incoming: MsrpIncoming) => MsrpSink | number | undefined) | undefined;
  /** What `complete` of every sink returns. */
  onComplete: (total: number) => number | Promise<number> = () => 200;
  #waiting: (() => void)[] = [];

  connected(owner: Owner): void {
    this.#add({ type: 'connected', owner });
  }

  lost(owner: Owner, cause: string): void {
    this.#add({ type: 'lost', owner, cause });
  }

  sent(owner: Owner, messageId: string, status: number): void {
    this.#add({ type: 'sent', owner, text: `${messageId} ${status}` });
  }

  reported(owner: Owner, messageId: string, status: number): void {
    this.#add({ type: 'reported', owner, text: `${messageId} ${status}` });
  }

  receive(owner: Owner, incoming: MsrpIncoming): MsrpSink | number {
    return this.onReceive?.(owner, incoming) ?? this.sink(owner, incoming);
  }

  /** A sink that keeps the body in memory. */
  sink(owner: Owner, incoming: MsrpIncoming): MsrpSink {
    const pieces: { readonly offset: number; readonly bytes: Buffer }[] = [];
    return {
      write: (offset, bytes) => {
        pieces.push({ offset, bytes: Buffer.from(bytes) });
      },
      complete: (total) => {
        const body = Buffer.alloc(total);
        for (const { offset, bytes } of pieces) bytes.copy(body, offset);
        this.#add({ type: 'received', owner, text: incoming.messageId, body });
        return this.onComplete(total);
      },
      abort: (cause) => {
        this.#add({ type: 'aborted', owner, text: `${incoming.messageId} ${cause}` });
      },
    };
  }

  /** Everything of one type, as `owner text`. */
  of(type: MsrpHeard['type']): string[] {
    const lines: string[] = [];
    for (const heard of this.heard) {
      if (heard.type !== type) continue;
      const rest = 'text' in heard ? heard.text : 'cause' in heard ? heard.cause : '';
      lines.push(`${heard.owner} ${rest}`.trimEnd());
    }
    return lines;
  }

  /** Bodies of the received messages in the order of their completion. */
  get bodies(): Buffer[] {
    return this.heard.flatMap((heard) => (heard.type === 'received' ? [heard.body] : []));
  }

  /** Resolves once `condition` holds; looks whenever something is heard. */
  async until(condition: (recorder: this) => boolean): Promise<void> {
    while (!condition(this)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves once a line of that type has been heard. */
  async hears(type: MsrpHeard['type'], line: string): Promise<void> {
    await this.until(() => this.of(type).includes(line));
  }

  /** Looks again: something outside has changed. */
  nudge(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #add(heard: MsrpHeard): void {
    this.heard.push(heard);
    this.nudge();
  }
}

/** A content in memory, read synchronously. */
export function bufferContent(bytes: Buffer): Content {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** Octets that show when pieces are exchanged, repeated or left out. */
export function patternBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >>> 11)) & 255;
  return bytes;
}

/** A plain text message of that session, to be changed with `changes`. */
export function outgoing(
  session: Owner,
  messageId: string,
  body: Buffer | string,
  changes: Partial<MsrpOutgoing> = {},
): MsrpOutgoing {
  const content = bufferContent(Buffer.from(body));
  const owner = `${session}/sender`;
  const rest = { headers: [], content, successReport: false, contentType: 'text/plain' };
  return { session, owner, messageId, ...rest, ...changes };
}
