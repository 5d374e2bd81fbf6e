/** Header fields that were kept as a list, read like those of a message. */

import { longName } from './header-name.js';
import { splitList } from './list.js';
import type { HeaderField, SipHeaders } from './message.js';

export class FieldList implements SipHeaders {
  readonly #fields: readonly HeaderField[];

  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
  }

  header(name: string): string | undefined {
    return this.fields(name)[0];
  }

  fields(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    return this.#fields.filter(([given]) => longName(given) === wanted).map(([, value]) => value);
  }

  list(name: string): readonly string[] {
    return this.fields(name).flatMap(splitList);
  }

  all(): readonly HeaderField[] {
    return this.#fields;
  }
}
