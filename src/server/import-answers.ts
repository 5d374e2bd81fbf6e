/** What a shard answers when mailboxes are brought in through the front. */

import type { AccountId, Content, MailboxImport, OperatorPort } from '../ports.js';
import { StoreError } from '../store/store-error.js';
import type { MessageRecord } from '../wire/mailbox-stream/record.js';

/** Imports that are open at a time; one that was cut off is forgotten when so many came behind it. */
const importsMax = 16;

interface Open {
  readonly mailbox: MailboxImport;
  /** A large message that is coming in. */
  large?: { readonly content: PieceContent; readonly outcome: Promise<'kept' | 'known'> };
}

type Act = (...parameters: readonly never[]) => unknown;

export function importAnswers(accounts: () => Pick<OperatorPort, 'beginImport'>) {
  const imports = new Map<number, Open>();
  const open = (id: number): Open => {
    const found = imports.get(id);
    // The shard was started again: whoever brings in begins again.
    if (!found) throw new StoreError('STORE_UNAVAILABLE', 'the import was cut off');
    return found;
  };
  const forget = (id: number): void => {
    const found = imports.get(id);
    imports.delete(id);
    found?.large?.content.cut();
    found?.mailbox.end();
  };
  const answers: Record<string, Act> = {
    importBegin: async (account: AccountId, id: number) => {
      const mailbox = await accounts().beginImport(account);
      const [oldest] = imports.keys();
      if (imports.size >= importsMax) forget(oldest!);
      imports.set(id, { mailbox });
    },
    importAdmit: (id: number, messages: number, octets: number) =>
      open(id).mailbox.admit(messages, octets),
    importTake: (id: number, record: MessageRecord, octets: Uint8Array) =>
      open(id).mailbox.take(record, wholeContent(octets)),
    importOpen: (id: number, record: MessageRecord, size: number) => {
      const one = open(id);
      one.large?.content.cut();
      const content = new PieceContent(size);
      const outcome = one.mailbox.take(record, content);
      one.large = { content, outcome };
      // Whoever closes it hears of a failure; until then pieces have nowhere to go.
      outcome.then(
        () => content.drop(),
        () => content.drop(),
      );
    },
    importPiece: async (id: number, octets: Uint8Array) => {
      const { large } = open(id);
      await large?.content.give(octets);
      // What fails in its middle is told there, not when the rest has come as well.
      if (large?.content.isDropped === true) await large.outcome;
    },
    importClose: async (id: number) => {
      const one = open(id);
      const outcome = await one.large?.outcome;
      delete one.large;
      return outcome;
    },
    importEnd: (id: number) => forget(id),
  };
  return answers;
}

function wholeContent(octets: Uint8Array): Content {
  const whole = bufferOf(octets);
  return {
    size: whole.length,
    read: (offset, length) => whole.subarray(offset, offset + length),
  };
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The octets of a message as the front brings them: one piece at a time, read once and in order. */
class PieceContent implements Content {
  readonly size: number;
  #piece: Buffer | undefined;
  /** Nobody reads it any more. */
  isDropped = false;
  #isCut = false;
  /** Called when the piece was read. */
  #read: (() => void) | undefined;
  /** Called when a piece is there, or none will be. */
  #given: (() => void) | undefined;

  constructor(size: number) {
    this.size = size;
  }

  /** Resolves when it was read, or nobody will read it. */
  async give(octets: Uint8Array): Promise<void> {
    if (this.isDropped || this.#isCut) return;
    this.#piece = bufferOf(octets);
    this.#given?.();
    await new Promise<void>((resolve) => {
      this.#read = resolve;
    });
  }

  async read(): Promise<Buffer> {
    if (!this.#piece && !this.#isCut) {
      await new Promise<void>((resolve) => {
        this.#given = resolve;
      });
    }
    const piece = this.#piece;
    if (!piece) throw new StoreError('STORE_UNAVAILABLE', 'the import was cut off');
    this.#piece = undefined;
    this.#read?.();
    return piece;
  }

  /** What comes is not read any more. */
  drop(): void {
    this.isDropped = true;
    this.#read?.();
  }

  /** Nothing comes any more. */
  cut(): void {
    this.#isCut = true;
    this.#given?.();
    this.#read?.();
  }
}
