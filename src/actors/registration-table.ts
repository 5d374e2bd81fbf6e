/** What NOTIFYs of the reg package have told of a user, put together (RFC 3680 5.1, REG-01). */

import { imCapability } from '../wire/sip/accept-contact.js';
import type { Reginfo, ReginfoContact, ReginfoRegistration } from '../wire/xml/reginfo.js';

/** The clients of a user as they are registered. */
export interface Registered {
  /** URIs of the contacts that are IM clients, or may be (CAP-04). */
  readonly clients: ReadonlySet<string>;
  /** Whether one of the contacts is an IM client; undefined: nobody is there. */
  readonly im: boolean | 'unknown' | undefined;
  /** The most seconds that a contact has left; undefined where none tells. */
  readonly expires: number | undefined;
}

interface Row {
  readonly aor: string;
  /** By id; those that are active. */
  readonly contacts: ReadonlyMap<string, ReginfoContact>;
}

/** Contacts that are kept; more of them are only told in full. */
const contactsMax = 256;

export class RegistrationTable {
  #rows: ReadonlyMap<string, Row> = new Map();
  /** Undefined: the next document has to tell everything. */
  #version: number | undefined;

  get isWhole(): boolean {
    return this.#version !== undefined;
  }

  /** Nothing is known: another subscription counts its versions anew. */
  clear(): void {
    this.#rows = new Map();
    this.#version = undefined;
  }

  /** `stale`: it was told before; `gap`: something in between was not, so that all is asked for. */
  take({ version, state, registrations }: Reginfo): 'taken' | 'stale' | 'gap' {
    if (this.#version !== undefined && version <= this.#version) return 'stale';
    if (state === 'partial' && version !== (this.#version ?? version) + 1) {
      this.clear();
      return 'gap';
    }
    const rows = new Map(state === 'full' ? [] : this.#rows);
    for (const one of registrations) {
      const row = rowOf(one, rows.get(one.id));
      if (row.contacts.size > 0) rows.set(one.id, row);
      else rows.delete(one.id);
    }
    if (sizeOf(rows) > contactsMax) {
      this.clear();
      return 'gap';
    }
    this.#rows = rows;
    this.#version = version;
    return 'taken';
  }

  /** Of the registrations whose address of record is the user's. */
  registered(isOwn: (aor: string) => boolean): Registered {
    const clients = new Set<string>();
    let im: Registered['im'];
    let expires: number | undefined;
    for (const { aor, contacts } of this.#rows.values()) {
      if (!isOwn(aor)) continue;
      for (const contact of contacts.values()) {
        const one = imCapability(contact.params);
        if (one !== false) clients.add(contact.uri);
        if (im !== true) im = one === false ? (im ?? false) : one;
        if (contact.expires !== undefined) expires = Math.max(expires ?? 0, contact.expires);
      }
    }
    return { clients, im, expires };
  }
}

/** A partial document tells the contacts that have changed, and those that have gone once more. */
function rowOf({ aor, state, contacts }: ReginfoRegistration, former: Row | undefined): Row {
  const left = new Map(former?.contacts);
  for (const contact of contacts) {
    if (contact.state === 'active') left.set(contact.id, contact);
    else left.delete(contact.id);
  }
  return { aor, contacts: state === 'active' ? left : new Map() };
}

function sizeOf(rows: ReadonlyMap<string, Row>): number {
  let size = 0;
  for (const { contacts } of rows.values()) size += contacts.size;
  return size;
}
