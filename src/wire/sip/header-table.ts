/** Header fields as offsets into the octets of a message, decoded when asked for. */

import { lowerOctet, soughtName } from './header-name.js';
import type { HeaderId } from './header-name.js';
import { splitList } from './list.js';
import type { HeaderField, SipHeaders } from './message.js';

/** Columns of a row: id, start and end of the name, start and end of the value, folded or not. */
export const ROW = 6;

const none: readonly string[] = [];

export class HeaderTable implements SipHeaders {
  readonly #bytes: Buffer;
  readonly #rows: readonly number[];
  /** What has been asked for, by row: transport and ingress want the same few fields. */
  readonly #values: (string | undefined)[];

  /** `rows` holds ROW numbers for each field. */
  constructor(bytes: Buffer, rows: readonly number[]) {
    this.#bytes = bytes;
    this.#rows = rows;
    this.#values = new Array<string | undefined>(rows.length / ROW);
  }

  header(name: string): string | undefined {
    const { id, lower } = soughtName(name);
    for (let row = 0; row < this.#rows.length; row += ROW) {
      if (this.#matches(row, id, lower)) return this.#value(row);
    }
    return undefined;
  }

  fields(name: string): readonly string[] {
    const { id, lower } = soughtName(name);
    let values: string[] | undefined;
    for (let row = 0; row < this.#rows.length; row += ROW) {
      if (!this.#matches(row, id, lower)) continue;
      if (values) values.push(this.#value(row));
      else values = [this.#value(row)];
    }
    return values ?? none;
  }

  list(name: string): readonly string[] {
    const fields = this.fields(name);
    if (fields.length > 1) return fields.flatMap(splitList);
    return fields[0] === undefined ? none : splitList(fields[0]);
  }

  all(): readonly HeaderField[] {
    const fields: HeaderField[] = [];
    for (let row = 0; row < this.#rows.length; row += ROW) {
      const name = this.#bytes.toString('latin1', this.#rows[row + 1], this.#rows[row + 2]);
      fields.push([name, this.#value(row)]);
    }
    return fields;
  }

  #matches(row: number, id: HeaderId, lowerName: string): boolean {
    const rows = this.#rows;
    if (id >= 0) return rows[row] === id;
    const start = rows[row + 1]!;
    if (rows[row] !== -1 || rows[row + 2]! - start !== lowerName.length) return false;
    for (let at = 0; at < lowerName.length; at++) {
      if (lowerOctet(this.#bytes[start + at]!) !== lowerName.charCodeAt(at)) return false;
    }
    return true;
  }

  #value(row: number): string {
    const nth = row / ROW;
    const before = this.#values[nth];
    if (before !== undefined) return before;
    const rows = this.#rows;
    const text = this.#bytes.toString('utf8', rows[row + 3], rows[row + 4]);
    // A fold is one space (RFC 3261 7.3.1).
    const value = rows[row + 5] === 0 ? text : text.replace(/\r?\n[ \t]+/g, ' ');
    this.#values[nth] = value;
    return value;
  }
}
