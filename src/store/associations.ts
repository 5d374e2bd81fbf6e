/** Further identities of users as their S-CSCF has told them: a small table beside the accounts. */

import type { AccountRange, Association, AssociationsPort } from '../ports.js';
import type { CommitQueue } from './commit-queue.js';
import { sizeOf } from './commit-queue.js';
import { associationRange, encodeKey } from './keys.js';
import { decodeRow, encodeRow } from './rows.js';
import type { Table } from './table.js';

export interface AssociationsParts {
  readonly table: Table;
  readonly queue: CommitQueue;
  /** Throws when the store is closed. */
  assertOpen(): void;
  /** Resolves when the table can be read; rejects when it cannot. */
  ready(): Promise<void>;
}

export class Associations implements AssociationsPort {
  readonly #parts: AssociationsParts;

  constructor(parts: AssociationsParts) {
    this.#parts = parts;
  }

  async list({ after, limit }: AccountRange): Promise<readonly Association[]> {
    this.#parts.assertOpen();
    await this.#parts.ready();
    const rows = await this.#parts.table.range({ ...associationRange(after), limit });
    return rows.map(({ key, value }) => decodeRow(key, value) as Association);
  }

  async put(association: Association): Promise<void> {
    const { queue } = this.#parts;
    this.#parts.assertOpen();
    const key = encodeKey(['association', association.account]);
    const isGone = association.identities.length === 0;
    const operations = [{ key, value: isGone ? undefined : encodeRow(key, association) }];
    const bytes = sizeOf(operations);
    queue.admit(bytes);
    // Before anything else that is asked for: commits of this moment come behind it.
    await queue.write(operations, bytes);
  }
}
