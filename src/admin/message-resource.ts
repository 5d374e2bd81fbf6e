/** `/v1/accounts/{aor}/messages` and what else is done with a mailbox: settings and push. */

import type { FastifyRequest } from 'fastify';
import type { AccountId, StoredHistory } from '../ports.js';
import { limitOf } from './account-resource.js';
import { accountAt } from './identity.js';
import type { AdminParts } from './parts.js';
import { AdminError } from './problem.js';
import type { Route } from './route.js';
import * as schema from './schema.js';

const url = '/v1/accounts/:aor/messages';
const params = schema.accountParams;
const noAccount = { description: 'Nobody is served so', schema: schema.problem };
const noMessage = { description: 'No such account or message', schema: schema.problem };
const deleted = { description: 'How many were deleted', schema: schema.deleted };

export function messageRoutes(parts: AdminParts): Route[] {
  const accountOf = (request: FastifyRequest) =>
    accountAt(parts, (request.params as { readonly aor: string }).aor);
  return [
    {
      ...{ method: 'GET', url, params, query: schema.serialPageQuery },
      summary: 'Metadata of the stored messages, oldest first',
      answers: { 200: { description: 'A page', schema: schema.messageList }, 404: noAccount },
      handle: async (request) => {
        const query = request.query as { readonly after?: string; readonly limit?: string };
        return listed(parts, await accountOf(request), query);
      },
    },
    {
      ...{ method: 'DELETE', url, params, query: schema.deletionQuery },
      summary: 'Deletes every message for good; needs all=true',
      answers: { 200: deleted, 400: noMessage, 404: noAccount },
      handle: async (request) => {
        if ((request.query as { readonly all?: string }).all !== 'true') {
          throw new AdminError('ADMIN_INVALID', 'all=true says that every message is meant');
        }
        return { deleted: await parts.accounts.purge(await accountOf(request)) };
      },
    },
    {
      ...{ method: 'POST', url: `${url}/delete`, params, body: schema.deletionBody },
      summary: 'Deletes the named messages for good; those that are not there are passed over',
      answers: { 200: deleted, 404: noAccount },
      handle: async (request) => {
        const { ids } = request.body as { readonly ids: readonly string[] };
        const account = await accountOf(request);
        const serials = ids.map((id) => serialOf(parts, id)).filter((serial) => serial > 0);
        return { deleted: await parts.accounts.deleteMessages(account, serials) };
      },
    },
    {
      ...{ method: 'GET', url: `${url}/:id`, params: schema.messageParams },
      summary: 'Metadata of one message, by Message-ID or serial',
      answers: { 200: { description: 'It', schema: schema.message }, 404: noMessage },
      handle: async (request) => {
        const serial = serialOf(parts, (request.params as { readonly id: string }).id);
        return shown(await historyOf(parts, await accountOf(request), serial));
      },
    },
    {
      ...{ method: 'DELETE', url: `${url}/:id`, params: schema.messageParams },
      summary: 'Deletes one message for good',
      answers: { 200: deleted, 404: noMessage },
      handle: async (request) => {
        const { id } = request.params as { readonly id: string };
        const account = await accountOf(request);
        const count = await parts.accounts.deleteMessages(account, [serialOf(parts, id)]);
        if (count === 0) throw new AdminError('ADMIN_NO_MESSAGE', `${id} is not stored`);
        return { deleted: count };
      },
    },
    ...mailboxRoutes(parts, accountOf),
  ];
}

function mailboxRoutes(
  parts: AdminParts,
  accountOf: (request: FastifyRequest) => Promise<AccountId>,
): Route[] {
  const settings = { description: 'The settings', schema: schema.settings };
  return [
    {
      ...{ method: 'GET', url: '/v1/accounts/:aor/settings', params },
      summary: 'The settings of the user, as far as they are set',
      answers: { 200: settings, 404: noAccount },
      handle: async (request) => (await parts.accounts.summary(await accountOf(request))).settings,
    },
    {
      ...{ method: 'PUT', url: '/v1/accounts/:aor/settings', params, body: schema.settings },
      summary: 'Provisions the settings; null or nothing leaves it to the operator',
      answers: { 200: settings, 404: noAccount },
      handle: async (request) => {
        const { offlineDelivery } = request.body as { readonly offlineDelivery?: boolean | null };
        const account = await accountOf(request);
        await parts.accounts.configure(
          account,
          typeof offlineDelivery === 'boolean' ? { offlineDelivery } : {},
        );
        return (await parts.accounts.summary(account)).settings;
      },
    },
    {
      ...{ method: 'POST', url: '/v1/accounts/:aor/push', params },
      summary: 'Pushes at once what waits, also what the client has not taken before',
      answers: {
        200: { description: 'What comes of it', schema: schema.push },
        404: noAccount,
        409: { description: 'No client is registered, or it is paused', schema: schema.problem },
      },
      handle: async (request) => {
        const account = await accountOf(request);
        const outcome = await parts.accounts.push(account);
        if (outcome === 'paused') throw new AdminError('ADMIN_PAUSED', `${account} is paused`);
        if (outcome !== 'unavailable') return { outcome };
        throw new AdminError('ADMIN_UNREACHABLE_USER', `no client of ${account} is registered`);
      },
    },
  ];
}

async function listed(
  parts: AdminParts,
  account: AccountId,
  query: { readonly after?: string; readonly limit?: string },
) {
  const limit = limitOf(query);
  const after = query.after === undefined ? {} : { after: Number(query.after) };
  const histories = await parts.accounts.histories(account, { limit, ...after });
  const last = histories.at(-1);
  return {
    messages: histories.map(shown),
    ...(last && histories.length === limit && { next: String(last.serial) }),
  };
}

async function historyOf(
  parts: AdminParts,
  account: AccountId,
  serial: number,
): Promise<StoredHistory> {
  const [found] =
    serial > 0 ? await parts.accounts.histories(account, { after: serial - 1, limit: 1 }) : [];
  if (found?.serial === serial) return found;
  throw new AdminError('ADMIN_NO_MESSAGE', 'no such message is stored');
}

/** A Message-ID with or without its scheme, or the number alone; 0: nothing of this store. */
export function serialOf({ accounts }: AdminParts, id: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(id)) return Number(id);
  return accounts.serialOf(/^sip:/i.test(id) ? id : `sip:${id}`) ?? 0;
}

function shown({ reference, serial, size, from, to, ...history }: StoredHistory) {
  const { receivedAt, expiry, date, subject, authId } = history;
  return {
    ...{ id: reference, serial, size, from, to },
    receivedAt: new Date(receivedAt).toISOString(),
    ...(expiry !== undefined && { expiresAt: new Date(expiry).toISOString() }),
    ...(date !== undefined && { date: new Date(date).toISOString() }),
    ...(subject !== undefined && { subject }),
    ...(authId !== undefined && { authId }),
  };
}
