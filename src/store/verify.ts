/** Reads everything a store holds and says what of it cannot be right. */

import type { AccountId } from '../ports.js';
import { wakeShard } from './change.js';
import { decodeLarge } from './contents.js';
import { decodeKey, encodeKey, everything } from './keys.js';
import type { StoreKey } from './keys.js';
import { isLoss } from './loss.js';
import { chunkBytes, decodeOctets, decodeRow, isSealed, lengthOf } from './rows.js';
import { numberBefore, segmentNumbers, segmentRecords } from './segment-records.js';
import { StoreError } from './store-error.js';
import type { Entry, Table } from './table.js';

/** Something that is wrong; `key` is the record it was found at. */
export interface Finding {
  /**
   * `STORE_DAMAGED` a record fails its checksum or cannot be read; `STORE_NEWER` a later version
   * wrote it; `STORE_INCOMPLETE` what belongs together is not all there; `STORE_ORPHAN` nobody
   * knows the record any more.
   */
  readonly code: 'STORE_DAMAGED' | 'STORE_NEWER' | 'STORE_INCOMPLETE' | 'STORE_ORPHAN';
  readonly key: Buffer;
  /** Of what kind, and whose; never stored content. */
  readonly where: string;
  readonly hint: string;
}

/** What was read. */
export interface Totals {
  readonly records: number;
  /** Of keys and values. */
  readonly octets: number;
  readonly accounts: number;
  readonly messages: number;
  /** Of contents of messages. */
  readonly contentOctets: number;
  readonly findings: number;
}

export function sumOf(totals: readonly Totals[]): Totals {
  const sum = { records: 0, octets: 0, accounts: 0, messages: 0, contentOctets: 0, findings: 0 };
  for (const one of totals) for (const name of names) sum[name] += one[name];
  return sum;
}

const names = [
  ...(['records', 'octets', 'accounts'] as const),
  ...(['messages', 'contentOctets', 'findings'] as const),
];

/** Records read at a time: a page of chunks is 16 MB. */
const pageRecords = 256;

/**
 * Reads page by page; what is written meanwhile may be seen or not. `directory` is where the files
 * of large contents are, if there are any.
 */
export async function verifyTable(
  table: Pick<Table, 'range' | 'get'>,
  found: (finding: Finding) => void,
  directory?: string,
): Promise<Totals> {
  const walk = new Walk(table, found);
  let { from } = everything;
  for (;;) {
    const page = await table.range({ from, to: everything.to, limit: pageRecords });
    for (const entry of page) {
      walk.visit(entry);
      const number = directory === undefined ? undefined : numberBefore(entry.key);
      if (number === undefined || walk.isUpload(number)) continue;
      for await (const record of segmentRecords(directory!, number)) walk.visit(record);
    }
    const last = page.at(-1);
    if (page.length < pageRecords || !last) break;
    from = Buffer.concat([last.key, Buffer.from([0])]);
  }
  if (directory !== undefined) walk.files(await segmentNumbers(directory));
  return walk.end();
}

/** Chunks that were seen of one number: they stand in front of everything that names them. */
interface Chunks {
  count: number;
  octets: number;
  /** All but the last one are whole, and none is missing in front of it. */
  regular: boolean;
}

/** Messages of the account that is being read. */
interface Open {
  readonly account: AccountId;
  readonly unmatched: Map<number, Buffer>;
}

class Walk {
  readonly #table: Pick<Table, 'get'>;
  readonly #found: (finding: Finding) => void;
  readonly #chunks = new Map<number, Chunks>();
  readonly #condemned = new Set<number>();
  /** Those a content has named. */
  readonly #named = new Set<number>();
  #open: Open | undefined;
  #records = 0;
  #octets = 0;
  #accounts = 0;
  #messages = 0;
  #contentOctets = 0;
  #findings = 0;

  constructor(table: Pick<Table, 'get'>, found: (finding: Finding) => void) {
    this.#table = table;
    this.#found = found;
  }

  visit({ key, value }: Entry): void {
    this.#records++;
    this.#octets += key.length + value.length;
    let decoded: StoreKey | undefined;
    try {
      decoded = decodeKey(key);
      this.#record(decoded, key, value);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const code = error.code === 'STORE_NEWER' ? error.code : 'STORE_DAMAGED';
      const where = decoded ? nameOf(decoded) : 'a key that is none of ours';
      this.#tell({ code, key, where, hint: error.message });
      // The message is known all the same: its content is no orphan.
      if (decoded?.[0] === 'content' || decoded?.[0] === 'large') this.#content(decoded, key);
    }
  }

  /** Its file may be half written, which no message minds: no commit has kept it, or none does. */
  isUpload(number: number): boolean {
    return this.#condemned.has(number);
  }

  /** Numbers of all files: those behind the rows of a content are known. */
  files(numbers: readonly number[]): void {
    for (const number of numbers) {
      if (this.#named.has(number) || this.#chunks.has(number)) continue;
      this.#chunks.set(number, { count: 0, octets: 0, regular: false });
    }
  }

  end(): Totals {
    this.#close();
    for (const number of this.#chunks.keys()) {
      if (this.#condemned.has(number)) continue;
      const key = encodeKey(['chunk', number, 0]);
      const hint = 'no content names these chunks';
      this.#tell({ code: 'STORE_ORPHAN', key, where: `chunks ${number}`, hint });
    }
    return {
      records: this.#records,
      octets: this.#octets,
      accounts: this.#accounts,
      messages: this.#messages,
      contentOctets: this.#contentOctets,
      findings: this.#findings,
    };
  }

  #record(key: StoreKey, octets: Buffer, value: Buffer): void {
    switch (key[0]) {
      case 'chunk':
        this.#chunk(key[1], key[2], lengthOf(octets, value));
        return;
      case 'upload':
        decodeOctets(octets, value);
        // Under way, or about to be reclaimed: in both cases somebody knows them.
        this.#condemned.add(key[2]);
        return;
      case 'wake':
        decodeOctets(octets, value);
        this.#wake(key[2], key[3], octets);
        return;
      case 'wakeAt':
        this.#enter(key[1]);
        this.#wakeAt(key[1], decodeRow(octets, value), octets);
        return;
      case 'row':
        this.#enter(key[1]);
        this.#readable(octets, value);
        if (key[2][0] !== 'ua') return;
        this.#messages++;
        this.#open!.unmatched.set(key[2][1], octets);
        return;
      case 'content':
        this.#contentOctets += lengthOf(octets, value);
        this.#content(key, octets);
        return;
      case 'large':
        this.#large(octets, value);
        this.#content(key, octets);
        return;
      default:
        decodeRow(octets, value);
        if (!isLoss(octets)) return;
        throw new StoreError(
          'STORE_DAMAGED',
          `${String(decodeRow(octets, value))} octets of logs are lost`,
        );
    }
  }

  /** What is sealed is checked by its checksum alone: the keys are elsewhere. */
  #readable(key: Buffer, record: Buffer): void {
    if (isSealed(record)) lengthOf(key, record);
    else decodeRow(key, record);
  }

  #chunk(number: number, index: number, size: number): void {
    const chunks = this.#chunks.get(number) ?? { count: 0, octets: 0, regular: true };
    chunks.regular &&= index === chunks.count && chunks.octets === index * chunkBytes;
    chunks.count++;
    chunks.octets += size;
    this.#chunks.set(number, chunks);
  }

  #large(key: Buffer, value: Buffer): void {
    const { number, size } = decodeLarge(key, value);
    this.#contentOctets += size;
    const chunks = this.#chunks.get(number);
    this.#chunks.delete(number);
    this.#named.add(number);
    if (chunks?.regular && chunks.octets === size) return;
    if (!chunks && size === 0) return;
    const hint = `of ${size} octets ${chunks?.octets ?? 0} are there`;
    this.#tell({ code: 'STORE_INCOMPLETE', key, where: nameOf(decodeKey(key)), hint });
  }

  #content(
    key: StoreKey & readonly ['content' | 'large', AccountId, number],
    octets: Buffer,
  ): void {
    this.#enter(key[1]);
    if (this.#open!.unmatched.delete(key[2])) return;
    const hint = 'there is no message with this content';
    this.#tell({ code: 'STORE_ORPHAN', key: octets, where: nameOf(key), hint });
  }

  #wake(time: number, account: AccountId, key: Buffer): void {
    const wakeKey = encodeKey(['wakeAt', account]);
    const record = this.#table.get(wakeKey);
    if (record !== undefined && decodeRow(wakeKey, record) === time) return;
    const hint = 'the account does not wait for this time';
    this.#tell({ code: 'STORE_ORPHAN', key, where: nameOf(['wake', 0, time, account]), hint });
  }

  #wakeAt(account: AccountId, time: unknown, key: Buffer): void {
    if (typeof time !== 'number') throw new StoreError('STORE_DAMAGED', 'a time is no number');
    if (this.#table.get(encodeKey(['wake', wakeShard, time, account])) !== undefined) return;
    const hint = 'nothing wakes the account';
    this.#tell({ code: 'STORE_INCOMPLETE', key, where: nameOf(['wakeAt', account]), hint });
  }

  #enter(account: AccountId): void {
    if (this.#open?.account === account) return;
    this.#close();
    this.#accounts++;
    this.#open = { account, unmatched: new Map() };
  }

  /** The contents of an account stand behind its messages. */
  #close(): void {
    for (const [serial, key] of this.#open?.unmatched ?? []) {
      const hint = 'the message has no content';
      const where = `message ${serial} of ${this.#open!.account}`;
      this.#tell({ code: 'STORE_INCOMPLETE', key, where, hint });
    }
    this.#open = undefined;
  }

  #tell(finding: Finding): void {
    this.#findings++;
    this.#found(finding);
  }
}

function nameOf(key: StoreKey): string {
  switch (key[0]) {
    case 'row':
      return `${key[2].join(' ')} of ${key[1]}`;
    case 'content':
    case 'large':
      return `content ${key[2]} of ${key[1]}`;
    case 'wakeAt':
      return `wake time of ${key[1]}`;
    case 'wake':
      return `wake entry of ${key[3]}`;
    default:
      return key.join(' ');
  }
}
