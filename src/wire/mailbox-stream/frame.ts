/**
 * Mailboxes as one stream of octets, to be kept or to be brought into another store.
 *
 *     poste-restante mailbox 1 LF
 *     kind u8 | length u32 | body | checksum u32       a frame; the last one is of kind E
 *
 * Kinds are `A` an account, `M` a message, `D` octets of the message in front, `E` the end; all but
 * `D` have a body of JSON. Numbers are big-endian. The checksum is the CRC-32 of kind, length and
 * body, begun with that of the frame in front, so that a frame that is missing, repeated or out of
 * place is found out like one that is damaged.
 */

import { WireError } from '../error.js';
import { accountRecordOf, endRecordOf, messageRecordOf } from './record.js';
import type { AccountRecord, EndRecord, MessageRecord } from './record.js';

/** CRC-32 as `zlib.crc32` has it. */
export type Checksum = (octets: Uint8Array, begun: number) => number;

export type MailboxFrame =
  | { readonly kind: 'account'; readonly record: AccountRecord }
  | { readonly kind: 'message'; readonly record: MessageRecord }
  | { readonly kind: 'data'; readonly octets: Buffer }
  | { readonly kind: 'end'; readonly record: EndRecord };

export const mailboxStreamType = 'application/vnd.poste-restante.mailbox';

/** Octets of one frame of kind `D` at most. */
export const mailboxDataMax = 262_144;
const recordMax = 4_194_304;

const name = 'poste-restante mailbox ';
const firstLine = Buffer.from(`${name}1\n`);

const codes = { account: 0x41, message: 0x4d, data: 0x44, end: 0x45 } as const;
const kinds: ReadonlyMap<number, string> = new Map(
  Object.entries(codes).map(([kind, code]) => [code, kind]),
);

/** Makes the octets of frames, one after the other. */
export class MailboxStreamWriter {
  readonly #checksum: Checksum;
  #last = 0;
  #messages = 0;
  #octets = 0;

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  begin(): Buffer {
    this.#last = this.#checksum(firstLine, 0);
    return firstLine;
  }

  account(record: AccountRecord): Buffer {
    return this.#frame(codes.account, json(record));
  }

  message(record: MessageRecord): Buffer {
    this.#messages++;
    return this.#frame(codes.message, json(record));
  }

  /** At most `mailboxDataMax` of them. */
  data(octets: Buffer): Buffer {
    this.#octets += octets.length;
    return this.#frame(codes.data, octets);
  }

  end(): Buffer {
    return this.#frame(codes.end, json({ messages: this.#messages, octets: this.#octets }));
  }

  #frame(code: number, body: Buffer): Buffer {
    const frame = Buffer.allocUnsafe(9 + body.length);
    frame[0] = code;
    frame.writeUInt32BE(body.length, 1);
    body.copy(frame, 5);
    this.#last = this.#checksum(frame.subarray(0, 5 + body.length), this.#last);
    frame.writeUInt32BE(this.#last, 5 + body.length);
    return frame;
  }
}

function json(record: object): Buffer {
  return Buffer.from(JSON.stringify(record));
}

/**
 * Reads a stream however it is cut into pieces. Throws `MAILBOX_FORMAT`, `MAILBOX_VERSION`,
 * `MAILBOX_DAMAGED`, `MAILBOX_RECORD` at the frame where that is seen, and `MAILBOX_TRUNCATED` when
 * it ends before its end; what was read before is proven only when `finish` returns.
 */
export class MailboxStreamReader {
  readonly #checksum: Checksum;
  #pieces: Buffer[] = [];
  #size = 0;
  #last = 0;
  #begun = false;
  #ended = false;
  #inAccount = false;
  /** Octets of the message that are still to come. */
  #owed = 0;
  #messages = 0;
  #octets = 0;

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  *feed(octets: Buffer): Generator<MailboxFrame> {
    if (octets.length > 0) {
      this.#pieces.push(octets);
      this.#size += octets.length;
    }
    if (!this.#begun && !this.#readFirstLine()) return;
    for (;;) {
      if (this.#ended) {
        if (this.#size > 0) throw damaged('something stands behind the end');
        return;
      }
      const frame = this.#readFrame();
      if (!frame) return;
      yield frame;
    }
  }

  /** No more octets will come. */
  finish(): void {
    if (!this.#ended) throw new WireError('MAILBOX_TRUNCATED', 'the stream is cut off');
  }

  #readFirstLine(): boolean {
    const line = this.#peek(firstLine.length);
    if (!line) return false;
    if (line.toString('latin1', 0, name.length) !== name) {
      throw new WireError('MAILBOX_FORMAT', 'this is no mailbox stream');
    }
    if (!line.equals(firstLine)) {
      throw new WireError('MAILBOX_VERSION', 'another version has written this mailbox stream');
    }
    this.#drop(firstLine.length);
    this.#last = this.#checksum(firstLine, 0);
    this.#begun = true;
    return true;
  }

  #readFrame(): MailboxFrame | undefined {
    const head = this.#peek(5);
    if (!head) return undefined;
    const kind = kinds.get(head[0]!);
    const length = head.readUInt32BE(1);
    if (kind === undefined || length > (kind === 'data' ? mailboxDataMax : recordMax)) {
      throw damaged('a frame is of no kind, or too long');
    }
    const frame = this.#peek(9 + length);
    if (!frame) return undefined;
    const last = this.#checksum(frame.subarray(0, 5 + length), this.#last);
    if (last !== frame.readUInt32BE(5 + length)) throw damaged('a frame fails its checksum');
    this.#last = last;
    this.#drop(9 + length);
    return this.#frameOf(kind, frame.subarray(5, 5 + length));
  }

  #frameOf(kind: string, body: Buffer): MailboxFrame {
    if (kind === 'data') {
      if (body.length === 0 || body.length > this.#owed) throw damaged('octets of no message');
      this.#owed -= body.length;
      this.#octets += body.length;
      return { kind, octets: body };
    }
    if (this.#owed > 0) throw damaged('a message lacks octets');
    if (kind === 'account') {
      this.#inAccount = true;
      return { kind, record: accountRecordOf(parse(body)) };
    }
    if (kind === 'message') {
      if (!this.#inAccount) throw damaged('a message of no account');
      const record = messageRecordOf(parse(body));
      this.#owed = record.content;
      this.#messages++;
      return { kind, record };
    }
    const record = endRecordOf(parse(body));
    if (record.messages !== this.#messages || record.octets !== this.#octets) {
      throw damaged('the end tells of other messages');
    }
    this.#ended = true;
    return { kind: 'end', record };
  }

  /** The next octets, which stay; undefined while there are not so many. */
  #peek(size: number): Buffer | undefined {
    if (this.#size < size) return undefined;
    if (this.#pieces[0]!.length < size) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!.subarray(0, size);
  }

  #drop(size: number): void {
    this.#pieces[0] = this.#pieces[0]!.subarray(size);
    this.#size -= size;
    if (this.#pieces[0].length === 0) this.#pieces.shift();
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    throw new WireError('MAILBOX_RECORD', 'a record is no JSON');
  }
}

function damaged(hint: string): WireError {
  return new WireError('MAILBOX_DAMAGED', hint);
}
