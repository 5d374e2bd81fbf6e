/** Messages too large for memory: written to a file as they come, opened by their two ends. */

import { join } from 'node:path';
import type { FilesPort, MsrpIncoming, MsrpSink, OpenFile } from '../ports.js';
import { openMessage } from './encapsulation.js';
import type { Consumer } from './intake.js';
import type { DeliveredMessage } from './im-client.js';

/** Header fields before a body, and delimiters behind it, are found within so many octets. */
const endBytes = 65_536;

const timedOut = 408;
const failed = 500;
const taken = 200;

const nothing = Buffer.alloc(0);

/** What the client keeps of all spooled messages. */
export interface SpoolOwner {
  isKnown(messageId: string): boolean;
  remember(messageId: string): void;
  /** The message is not coming in any more. */
  freeSpool(octets: number): void;
}

export class SpooledInbound implements MsrpSink {
  readonly #owner: SpoolOwner;
  readonly #incoming: MsrpIncoming & { readonly total: number };
  readonly #consumer: Consumer;
  readonly #path: string;
  readonly #files: FilesPort;
  readonly #file: Promise<OpenFile>;
  #over = false;

  /** `name` is unique among the messages of the client. */
  constructor(
    owner: SpoolOwner,
    incoming: MsrpIncoming & { readonly total: number },
    consumer: Consumer,
    place: { readonly files: FilesPort; readonly directory: string; readonly name: string },
  ) {
    this.#owner = owner;
    this.#incoming = incoming;
    this.#consumer = consumer;
    this.#path = join(place.directory, place.name);
    this.#files = place.files;
    this.#file = this.#files.create(this.#path);
    // Told by whoever writes first, or by `complete`.
    this.#file.catch(() => undefined);
  }

  async write(offset: number, bytes: Buffer): Promise<void> {
    if (this.#over) return;
    const file = await this.#file;
    // A disk that fills up takes a part first, and refuses the rest.
    for (let at = 0; at < bytes.length;) {
      const written = await file.write(bytes.subarray(at), offset + at);
      if (written === 0) throw new Error('the spool takes nothing more');
      at += written;
    }
    this.#consumer.progress();
  }

  async complete(total: number): Promise<number> {
    let message: DeliveredMessage;
    try {
      const file = await this.#file;
      await file.sync();
      await this.#files.syncDirectoryOf(this.#path);
      message = await this.#open(file, total);
      await file.close();
    } catch {
      // A disk that fails: the server keeps the message.
      await this.#discard();
      return failed;
    }
    if (!(await this.#consumer.take(message))) {
      await this.#discard();
      return timedOut;
    }
    this.#end();
    this.#owner.remember(this.#incoming.messageId);
    return taken;
  }

  abort(): void {
    void this.#discard();
  }

  /** The parsers see head and tail as one message, whose body is cut out between them. */
  async #open(file: OpenFile, total: number): Promise<DeliveredMessage> {
    const tailAt = Math.max(endBytes, total - endBytes);
    const head = await file.read(0, Math.min(endBytes, total));
    const tail = await file.read(Math.min(tailAt, total), Math.max(0, total - tailAt));
    const ends = Buffer.concat([head, tail]);
    const { messageId, contentType, headers } = this.#incoming;
    const isKnown = this.#owner.isKnown(messageId);
    const message = openMessage({ messageId, contentType, headers, payload: ends }, isKnown);
    const offset = message.body.byteOffset - ends.byteOffset;
    const size = message.body.length + total - ends.length;
    const isView = message.body.buffer === ends.buffer && offset >= 0 && offset <= head.length;
    const body = isView ? { offset, size } : { offset: 0, size: total };
    const spooled = { path: this.#path, size: total, body };
    return { ...message, body: nothing, payload: nothing, spooled };
  }

  async #discard(): Promise<void> {
    if (this.#over) return;
    this.#end();
    await this.#file.then((file) => file.close()).catch(() => undefined);
    // There may be no file, and whoever clears the directory may have been faster.
    await this.#files.remove(this.#path).catch(() => undefined);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.freeSpool(this.#incoming.total);
  }
}
