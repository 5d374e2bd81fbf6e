/** What a mailbox stream says of an account and of a message: plain data, checked field by field. */

import { WireError } from '../error.js';

/** An account as it was written out. */
export interface AccountRecord {
  /** The AoR without scheme. */
  readonly account: string;
  /** ms since the epoch. */
  readonly exportedAt: number;
  readonly settings: { readonly offlineDelivery?: boolean };
  /** Its operator had stopped delivery. */
  readonly paused: boolean;
  /** As it was provisioned; absent: it was not. */
  readonly provisioned?: {
    readonly identities: readonly string[];
    readonly disabled: boolean;
    readonly limits: Readonly<Record<string, number | boolean>>;
  };
}

/** Everything that is known of a stored message, but for its octets. */
export interface MessageRecord {
  /** The serial it had, for the reader of a log; it is given another one. */
  readonly serial: number;
  /** ms since the epoch. */
  readonly receivedAt: number;
  readonly expiresAt?: number;
  /** Delivered and kept. */
  readonly read: boolean;
  readonly message: MessageFields;
  /** Header fields of the BYE that ended the session of a large message. */
  readonly bye?: readonly (readonly [name: string, value: string])[];
  /** Octets that follow. */
  readonly content: number;
}

/** As version 1 writes it; what machines come to know besides is not in a stream by itself. */
export interface MessageFields {
  readonly class: 'Pager-Message' | 'Multimedia-Message';
  readonly size: number;
  readonly urgent: boolean;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly digest: string;
  readonly contentType?: string;
  readonly subject?: string;
  readonly expires?: number;
  readonly date?: number;
  readonly authId?: string;
  readonly untrusted?: true;
  readonly notification?: true;
  readonly transient: boolean;
  readonly imdn?: ImdnFields;
}

export interface ImdnFields {
  readonly id: string;
  readonly dateTime: string;
  readonly from: string;
  readonly to: string;
  readonly originalTo?: string;
  readonly recordRoute?: readonly string[];
  readonly negativeDelivery: boolean;
  readonly processing: boolean;
}

/** The end of a stream: what it has to have brought. */
export interface EndRecord {
  readonly messages: number;
  readonly octets: number;
}

/** Whether a value is of its kind. */
type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string' && value.length <= 65_536;
const flag: Check = (value) => typeof value === 'boolean';
const yes: Check = (value) => value === true;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= 10_000 && value.every(check);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const field: Check = (value) => listOf(text)(value) && (value as readonly unknown[]).length === 2;

const imdn: Fields = {
  ...{ id: text, dateTime: text, from: text, to: text, originalTo: optional(text) },
  ...{ recordRoute: optional(listOf(text)), negativeDelivery: flag, processing: flag },
};

const message: Fields = {
  class: (value) => value === 'Pager-Message' || value === 'Multimedia-Message',
  ...{ size: count, urgent: flag, from: text, to: text, callId: text, digest: text },
  ...{ contentType: optional(text), subject: optional(text), expires: optional(count) },
  ...{ date: optional(Number.isSafeInteger), authId: optional(text), untrusted: optional(yes) },
  ...{ notification: optional(yes), transient: flag, imdn: optional(hasOnly(imdn)) },
};

const messageRecord: Fields = {
  ...{ serial: count, receivedAt: count, expiresAt: optional(count), read: flag, content: count },
  ...{ message: hasOnly(message), bye: optional(listOf(field)) },
};

const provisioned: Fields = {
  identities: listOf(text),
  disabled: flag,
  limits: (value) =>
    isObject(value) && Object.values(value).every((one) => count(one) || flag(one)),
};

const accountRecord: Fields = {
  ...{ account: text, exportedAt: count, paused: flag },
  settings: hasOnly({ offlineDelivery: optional(flag) }),
  provisioned: optional(hasOnly(provisioned)),
};

const endRecord: Fields = { messages: count, octets: count };

/** Throws `MAILBOX_RECORD`, as the two below do. */
export function accountRecordOf(value: unknown): AccountRecord {
  return checked(value, accountRecord, 'account') as AccountRecord;
}

export function messageRecordOf(value: unknown): MessageRecord {
  return checked(value, messageRecord, 'message') as MessageRecord;
}

export function endRecordOf(value: unknown): EndRecord {
  return checked(value, endRecord, 'end') as EndRecord;
}

function checked(value: unknown, fields: Fields, kind: string): object {
  if (hasOnly(fields)(value)) return value as object;
  throw new WireError('MAILBOX_RECORD', `a record of kind ${kind} is not as it has to be`);
}

/** What is not known is refused: it was written by another version, and would be lost. */
function hasOnly(fields: Fields): Check {
  return (value) => {
    if (!isObject(value)) return false;
    for (const name of Object.keys(value)) if (!Object.hasOwn(fields, name)) return false;
    return Object.entries(fields).every(([name, check]) =>
      check(Object.hasOwn(value, name) ? value[name] : undefined),
    );
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
