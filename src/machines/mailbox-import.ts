/**
 * What a mailbox says when a message comes from another store (U26): it is counted as it stood
 * there, and its sender, who was answered there, hears nothing.
 */

import { recount } from './counts.js';
import { tell } from './declaration.js';
import { ask, change, effect, type On } from './mailbox-context.js';
import { isFull, tellSubscriptions } from './mailbox-storage.js';
import { addSerial } from './serial-set.js';

type Imported = On<'message.imported'>;

export const importGuards = {
  isKnownImport: ask((_context, { duplicate }: Imported) => duplicate),
  hasNoRoomForImport: ask((context, { message, limits }: Imported) =>
    isFull(context, message.size, limits),
  ),
};

export const importChanges = {
  countImported: change(
    ({ block, stored, old, counts, octets }, { imported, message, block: offered }: Imported) => {
      const serial = block.next > block.end ? offered.from : block.next;
      return {
        block: { next: serial + 1, end: block.next > block.end ? offered.to : block.end },
        stored: addSerial(stored, serial),
        old: imported.read ? addSerial(old, serial) : old,
        counts: recount(counts, message, imported.read ? 'old' : 'new', 1),
        octets: octets + message.size,
      };
    },
  ),
};

const takeSerials = effect('serials.take', ({ block }, { block: offered }: Imported) =>
  block.next > block.end ? [{ type: 'serials.take', from: offered.from, to: offered.to }] : [],
);

/** It came when it came, and goes when it was to go there. */
const tellStore = effect('tell', ({ block }, { imported, message, limits }: Imported) => {
  const { receivedAt, expiresAt, read, bye } = imported;
  const serial = block.next - 1;
  return tell(`ua/${serial}`, {
    type: 'store',
    at: receivedAt,
    serial,
    message,
    ...(expiresAt !== undefined && { expiresAt }),
    imported: { read, ...(bye && { bye }) },
    limits,
  });
});

const tellAdded = effect('tell', (context, { at, imported, message, limits }: Imported) => {
  const { from, to, subject, urgent, date = imported.receivedAt } = message;
  const serial = context.block.next - 1;
  const added = { serial, from, to, ...(subject !== undefined && { subject }), date, urgent };
  return tellSubscriptions(context, {
    type: 'counts.changed',
    at,
    counts: context.counts,
    ...(!imported.read && { added }),
    limits,
  });
});

/** The push under way takes the message along. */
export const tellImportAdded = effect('tell', (context, { at, imported, limits }: Imported) =>
  context.push === undefined || imported.read
    ? []
    : tell(`push/${context.push}`, {
        type: 'message.added',
        at,
        serial: context.block.next - 1,
        limits,
      }),
);

function answer(status: number) {
  return effect('sip.respond', (_context, { transaction }: Imported) => ({
    type: 'sip.respond',
    transaction,
    status,
  }));
}

export const importRefusals = [
  { guard: 'isKnownImport', actions: answer(204) },
  { guard: 'hasNoRoomForImport', actions: answer(413) },
] as const;

export const keepImported = [
  takeSerials,
  'countImported',
  tellStore,
  answer(202),
  tellAdded,
] as const;
