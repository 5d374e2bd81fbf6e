/**
 * What a mailbox says when its user's settings come in: provisioned ones, which stay, and published
 * ones, which are soft state and win while they last (RFC 3903, D-41).
 */

import { ask, change, effect, type MailboxContext, type On } from './mailbox-context.js';
import type { Publication } from './mailbox-context.js';

type Provisioned = On<'settings.received'>;
type Published = On<'settings.published'>;

export const settingsGuards = {
  isUnmatched: ask((context, event: Published) => {
    const { ifMatch } = event.publish;
    return ifMatch !== undefined && matched(context, event) === undefined;
  }),
  isBriefPublication: ask((_context, { publish: { expires }, limits }: Published) => {
    if (expires === undefined || expires === 0) return false;
    return expires < 3600 && expires < limits.publish.min;
  }),
  isEmptyPublication: ask(
    (_context, { publish: { ifMatch, settings } }: Published) =>
      ifMatch === undefined && settings === undefined,
  ),
  hasTooManyPublications: ask(
    ({ publications }, { publish, at, limits }: Published) =>
      publish.ifMatch === undefined &&
      publish.expires !== 0 &&
      publications.filter(({ expiresAt }) => expiresAt > at).length >= limits.publish.count,
  ),
  isPublicationTimer: ask((_context, event: On<'timer.expired'>) => event.name === 'publication'),
};

export const settingsChanges = {
  provision: change((_context, { settings }: Provisioned) => ({ settings })),
  publish: change((context, event: Published) => {
    const publications = republished(context, event);
    return { publications, publicationAt: earliest(publications) };
  }),
  dropPublications: change(({ publications }, { at }) => {
    const left = publications.filter(({ expiresAt }) => expiresAt > at);
    return { publications: left, publicationAt: earliest(left) };
  }),
};

/** The publication that SIP-If-Match names, while it lasts. */
function matched({ publications }: MailboxContext, { publish, at }: Published) {
  return publications.find(({ etag, expiresAt }) => etag === publish.ifMatch && expiresAt > at);
}

/** RFC 3903 6: initial, refresh, modification or removal. The latest content stands last. */
function republished(context: MailboxContext, event: Published): readonly Publication[] {
  const { publish, at } = event;
  const { etag, settings } = publish;
  const former = matched(context, event);
  const expiresAt = at + granted(event) * 1000;
  const publications: Publication[] = [];
  for (const publication of context.publications) {
    if (publication.expiresAt <= at) continue;
    if (publication !== former) publications.push(publication);
    else if (settings === undefined && expiresAt > at) {
      publications.push({ ...former, etag, expiresAt });
    }
  }
  if (settings !== undefined && expiresAt > at) {
    const { offlineDelivery: active } = settings;
    publications.push({ etag, expiresAt, ...(active !== undefined && { active }) });
  }
  return publications;
}

/** Seconds. */
function granted({ publish: { expires }, limits: { publish } }: Published): number {
  return Math.min(expires ?? publish.default, publish.max);
}

function earliest(publications: readonly Publication[]): number | undefined {
  let first: number | undefined;
  for (const { expiresAt } of publications) {
    if (first === undefined || expiresAt < first) first = expiresAt;
  }
  return first;
}

export const cancelPublication = effect('timer.cancel', ({ publicationAt: at }) =>
  at === undefined ? [] : { type: 'timer.cancel', name: 'publication', at, durable: true },
);

const setPublication = effect('timer.set', ({ publicationAt: at }) =>
  at === undefined ? [] : { type: 'timer.set', name: 'publication', at, durable: true },
);

const published = effect('sip.respond', (_context, event: Published) => ({
  type: 'sip.respond',
  transaction: event.transaction,
  status: 200,
  etag: event.publish.etag,
  expires: granted(event),
}));

const tooBrief = effect('sip.respond', (_context, { transaction, limits }: Published) => ({
  type: 'sip.respond',
  transaction,
  status: 423,
  minExpires: limits.publish.min,
}));

function refuse(status: number, warning?: string) {
  return effect('sip.respond', (_context, { transaction }: Published) => ({
    type: 'sip.respond',
    transaction,
    status,
    ...(warning !== undefined && { warning }),
  }));
}

export const settingsEvents = {
  'settings.received': {
    actions: [
      'provision',
      effect('sip.respond', (_context, { transaction }: Provisioned) => ({
        type: 'sip.respond',
        transaction,
        status: 200,
      })),
    ],
  },
  /** RFC 3903 6, steps 4 to 7; what comes before needs no mailbox. */
  'settings.published': [
    { guard: 'isUnmatched', actions: refuse(412) },
    { guard: 'isBriefPublication', actions: tooBrief },
    { guard: 'isEmptyPublication', actions: refuse(400, 'Nothing is published') },
    { guard: 'hasTooManyPublications', actions: refuse(503, 'Too many publications') },
    { actions: [cancelPublication, 'publish', setPublication, published] },
  ],
} as const;

/** Soft state has run out: what was provisioned holds again. */
export const expirePublications = {
  guard: 'isPublicationTimer',
  actions: [cancelPublication, 'dropPublications', setPublication],
} as const;
