/** What a store holds, read from a copy of its files beside the server. */

import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { SerialSet } from '../../src/machines/serial-set.js';
import { decodeLarge } from '../../src/store/contents.js';
import { decodeKey, encodeKey, everything } from '../../src/store/keys.js';
import { openDatabase } from '../../src/store/maintenance.js';
import { segmentRecord } from '../../src/store/segment-records.js';
import { chunkBytes, decodeOctets, decodeRow } from '../../src/store/rows.js';
import { verifyTable } from '../../src/store/verify.js';
import type { Finding } from '../../src/store/verify.js';
import { numberIn } from './random.js';

export interface Stored {
  readonly account: string;
  readonly serial: number;
  /** Of the body that was sent; undefined: its octets are not those. */
  readonly number: number | undefined;
}

export interface Look {
  readonly findings: readonly Finding[];
  readonly stored: readonly Stored[];
  /** What mailboxes say is stored, by account. */
  readonly mailboxes: ReadonlyMap<string, SerialSet>;
  /** Serials of virtual UAs, by account. */
  readonly virtualUas: ReadonlyMap<string, readonly number[]>;
}

/** Copies the files as they are; the copy is removed when it has been read. */
export function copyOf(directory: string): string {
  const copy = `${directory}.copy`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Of a single store, or of all shards together. */
export async function inspect(copy: string): Promise<Look> {
  const shards = readdirSync(copy).filter((name) => name.startsWith('shard-'));
  const stores = shards.length === 0 ? [copy] : shards.map((name) => join(copy, name));
  try {
    const looks = [];
    for (const store of stores) looks.push(await inspectStore(store));
    return {
      findings: looks.flatMap(({ findings }) => findings),
      stored: looks.flatMap(({ stored }) => stored),
      mailboxes: new Map(looks.flatMap(({ mailboxes }) => [...mailboxes])),
      virtualUas: new Map(looks.flatMap(({ virtualUas }) => [...virtualUas])),
    };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function inspectStore(store: string): Promise<Look> {
  const database = await openDatabase(store, false);
  try {
    return await read(database, store);
  } finally {
    await database.close();
  }
}

async function read(database: ClassicLevel<Buffer, Buffer>, copy: string): Promise<Look> {
  const findings: Finding[] = [];
  const table = {
    get: (key: Buffer) => database.getSync(key),
    range: async (range: { from: Buffer; to: Buffer; limit: number }) => {
      const { from, to, limit } = range;
      const entries = await database.iterator({ gte: from, lt: to, limit }).all();
      return entries.map(([key, value]) => ({ key, value }));
    },
  };
  await verifyTable(table, (finding) => findings.push(finding), copy);
  const stored: Stored[] = [];
  const mailboxes = new Map<string, SerialSet>();
  const virtualUas = new Map<string, number[]>();
  const accounts = { gte: encodeKey(['wakeAt', '']), lt: everything.to };
  for await (const [octets, value] of database.iterator(accounts)) {
    const key = decodeKey(octets);
    if (key[0] === 'content') {
      const number = numberIn(decodeOctets(octets, value));
      stored.push({ account: key[1], serial: key[2], number });
    } else if (key[0] === 'large') {
      const content = await largeContent(database, copy, octets, value);
      stored.push({ account: key[1], serial: key[2], number: numberIn(content, true) });
    } else if (key[0] === 'row' && key[2][0] === 'ua') {
      const serials = virtualUas.get(key[1]);
      if (serials) serials.push(key[2][1]);
      else virtualUas.set(key[1], [key[2][1]]);
    } else if (key[0] === 'row' && key[2][0] === 'actor' && key[2][1] === 'mailbox') {
      const row = decodeRow(octets, value) as { readonly context: { readonly stored: SerialSet } };
      mailboxes.set(key[1], row.context.stored);
    }
  }
  return { findings, stored, mailboxes, virtualUas };
}

async function largeContent(
  database: Pick<ClassicLevel<Buffer, Buffer>, 'getSync'>,
  copy: string,
  octets: Buffer,
  value: Buffer,
): Promise<Buffer> {
  const { number, size } = decodeLarge(octets, value);
  const chunks: Buffer[] = [];
  for (let index = 0; index * chunkBytes < size; index++) {
    const key = encodeKey(['chunk', number, index]);
    const record = database.getSync(key) ?? (await segmentRecord(copy, key));
    if (record) chunks.push(decodeOctets(key, record));
  }
  return Buffer.concat(chunks);
}
