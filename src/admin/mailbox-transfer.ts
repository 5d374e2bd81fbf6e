/** Mailboxes written out as one stream, and brought in from one (U26). Nothing is ever whole in memory. */

import { crc32 } from 'node:zlib';
import type {
  AccountId,
  Clock,
  Content,
  MailboxImport,
  OperatorPort,
  ProvisioningPort,
} from '../ports.js';
import {
  mailboxDataMax,
  MailboxStreamReader,
  MailboxStreamWriter,
} from '../wire/mailbox-stream/frame.js';
import type { MailboxFrame } from '../wire/mailbox-stream/frame.js';
import type { AccountRecord, MessageRecord } from '../wire/mailbox-stream/record.js';

export interface TransferParts {
  readonly accounts: OperatorPort;
  readonly provisioning: ProvisioningPort | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/** Records read at a time. */
const page = 64;
/** Octets of a message that is handed over whole, and how many of these are on their way at a time. */
const wholeMax = 65_536;
const windowMax = 32;

/** The stream of these accounts; `after`: without the messages up to that serial. */
export async function* writeMailboxes(
  parts: TransferParts,
  accounts: AsyncIterable<AccountId> | Iterable<AccountId>,
  after = 0,
): AsyncGenerator<Buffer> {
  const writer = new MailboxStreamWriter(crc32);
  yield writer.begin();
  for await (const account of accounts) yield* mailboxFrames(parts, writer, account, after);
  yield writer.end();
}

async function* mailboxFrames(
  parts: TransferParts,
  writer: MailboxStreamWriter,
  account: AccountId,
  from: number,
): AsyncGenerator<Buffer> {
  yield writer.account(await accountRecord(parts, account));
  let after = from;
  for (;;) {
    const records = await parts.accounts.records(account, { after, limit: page });
    for (const record of records) {
      after = record.serial;
      const content = await parts.accounts.content(account, record.serial);
      // It went in the meantime; what goes later ends the stream, which is then no whole one.
      if (!content) continue;
      yield writer.message(record);
      for (let at = 0; at < content.size; at += mailboxDataMax) {
        yield writer.data(await content.read(at, mailboxDataMax));
      }
    }
    if (records.length < page) return;
  }
}

async function accountRecord(
  { accounts, provisioning, clock }: TransferParts,
  account: AccountId,
): Promise<AccountRecord> {
  const { settings, paused = false } = await accounts.summary(account);
  const given = provisioning?.find(account);
  return {
    ...{ account, exportedAt: clock.now(), settings, paused },
    ...(given && {
      provisioned: {
        identities: given.identities,
        disabled: given.disabled,
        limits: { ...given.limits },
      },
    }),
  };
}

export interface Imported {
  readonly accounts: number;
  /** Messages that were kept, and those that stood there already. */
  readonly kept: number;
  readonly known: number;
}

/** Octets that can be read from their beginning more than once. */
export type Spool = () => AsyncIterable<Buffer>;

/**
 * Brings in the accounts of a stream. Looked through twice before anything is changed: a stream
 * that is not whole, or has more than there is room for, leaves everything as it was. What stands
 * there already is passed over, so that an import that was cut off is simply done again.
 */
export async function importMailboxes(
  parts: TransferParts,
  spool: Spool,
  nameOf: (record: AccountRecord) => AccountId,
): Promise<Imported> {
  await admit(parts, spool, nameOf);
  const totals = { accounts: 0, kept: 0, known: 0 };
  const frames = framesOf(spool());
  let take: Taking | undefined;
  for (;;) {
    const next = await frames.next();
    if (next.done === true) break;
    const frame = next.value;
    if (frame.kind === 'account') {
      await take?.end();
      take = new Taking(await openAccount(parts, nameOf(frame.record), frame.record), totals);
      totals.accounts++;
    } else if (frame.kind === 'message') {
      await take!.message(frame.record, new FrameContent(frame.record.content, frames));
    }
  }
  await take?.end();
  return totals;
}

/** The frames of a stream; throws the `WireError` of one that is not whole. */
export async function* framesOf(octets: AsyncIterable<Buffer>): AsyncGenerator<MailboxFrame> {
  const reader = new MailboxStreamReader(crc32);
  for await (const piece of octets) yield* reader.feed(piece);
  reader.finish();
}

/** Throws when anything of it would not be taken. */
async function admit(
  parts: TransferParts,
  spool: Spool,
  nameOf: (record: AccountRecord) => AccountId,
): Promise<void> {
  let open: MailboxImport | undefined;
  let messages = 0;
  let octets = 0;
  for await (const frame of framesOf(spool())) {
    if (frame.kind === 'message' && open && !open.isKnown(frame.record)) {
      messages++;
      octets += frame.record.message.size;
    }
    if (frame.kind === 'account' || frame.kind === 'end') await open?.admit(messages, octets);
    if (frame.kind === 'end') open?.end();
    if (frame.kind !== 'account') continue;
    open?.end();
    open = await parts.accounts.beginImport(nameOf(frame.record));
    messages = 0;
    octets = 0;
  }
}

/** Provisioned and paused as it was, before the first of its messages could be delivered. */
async function openAccount(
  { accounts, provisioning }: TransferParts,
  account: AccountId,
  { provisioned, paused, settings }: AccountRecord,
): Promise<MailboxImport> {
  if (provisioned && provisioning && !provisioning.find(account)) {
    const { identities, disabled, limits } = provisioned;
    await provisioning.put({ account, identities, disabled, limits }, 'absent');
  }
  if (paused) await accounts.pause(account, true);
  const present = await accounts.summary(account);
  if (settings.offlineDelivery !== undefined && present.settings.offlineDelivery === undefined) {
    await accounts.configure(account, settings);
  }
  return accounts.beginImport(account);
}

/** Messages on their way into one account, in order, some of them at a time. */
class Taking {
  readonly #open: MailboxImport;
  readonly #totals: { kept: number; known: number };
  #pending: Promise<void>[] = [];

  constructor(open: MailboxImport, totals: { kept: number; known: number }) {
    this.#open = open;
    this.#totals = totals;
  }

  async message(record: MessageRecord, content: FrameContent): Promise<void> {
    if (this.#open.isKnown(record)) {
      this.#totals.known++;
      await content.skip();
      return;
    }
    const isLarge = record.content > wholeMax;
    // A large one takes its time to be written: those behind it wait, and it waits for those before.
    if (isLarge || this.#pending.length >= windowMax) await this.settled();
    const given = isLarge ? content : wholeContent(await content.read(0, record.content));
    const taken = this.#open.take(record, given).then((outcome) => {
      this.#totals[outcome]++;
    });
    this.#pending.push(taken);
    // Somebody hears of a failure at `settled`; until then it is nobody's unhandled rejection.
    taken.catch(() => undefined);
    if (isLarge) await this.settled();
  }

  async end(): Promise<void> {
    await this.settled();
    this.#open.end();
  }

  async settled(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    await Promise.all(pending);
  }
}

function wholeContent(octets: Buffer): Content {
  return {
    size: octets.length,
    read: (offset, length) => octets.subarray(offset, offset + length),
  };
}

/** The octets of one message as the frames bring them: read once, from the beginning. */
class FrameContent implements Content {
  readonly size: number;
  readonly #frames: AsyncGenerator<MailboxFrame>;
  #at = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(size: number, frames: AsyncGenerator<MailboxFrame>) {
    this.size = size;
    this.#frames = frames;
  }

  async read(_offset: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, this.size - this.#at);
    const pieces = [this.#rest];
    let size = this.#rest.length;
    while (size < wanted) {
      const next = await this.#frames.next();
      // The stream was found to be whole: every message has its octets.
      if (next.done === true || next.value.kind !== 'data') throw new Error('a frame is missing');
      pieces.push(next.value.octets);
      size += next.value.octets.length;
    }
    const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    this.#rest = whole.subarray(wanted);
    this.#at += wanted;
    return whole.subarray(0, wanted);
  }

  async skip(): Promise<void> {
    while (this.#at < this.size) await this.read(this.#at, mailboxDataMax);
  }
}
