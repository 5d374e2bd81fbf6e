/** `/v1/accounts`: who has an account, what is stored for them, what they have of their own. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccountId, OwnLimits, ProvisionedAccount, ProvisioningPort } from '../ports.js';
import { accountAt, canonicalIdentity } from './identity.js';
import type { AdminParts } from './parts.js';
import { AdminError } from './problem.js';
import type { Route } from './route.js';
import * as schema from './schema.js';

interface AccountParams {
  readonly aor: string;
}

interface AccountBody {
  readonly identities?: readonly string[];
  readonly disabled?: boolean;
  readonly limits?: { readonly [Name in keyof OwnLimits]: OwnLimits[Name] | null };
}

const pageDefault = 100;
const pageMax = 1_000;

/** Entries of a page that a query asks for. */
export function limitOf({ limit }: { readonly limit?: string }): number {
  return limit === undefined ? pageDefault : Math.min(Number(limit), pageMax);
}

const url = '/v1/accounts/:aor';
const params = schema.accountParams;
const one = { description: 'The account', schema: schema.account };
const noAccount = { description: 'Nobody is served so', schema: schema.problem };
const taken = { description: 'An identity belongs to another account', schema: schema.problem };

export function accountRoutes(parts: AdminParts): Route[] {
  const aorOf = (request: FastifyRequest) => (request.params as AccountParams).aor;
  return [
    {
      ...{ method: 'GET', url: '/v1/accounts', query: schema.pageQuery },
      summary: 'Accounts that are provisioned, or for which something is kept, by name',
      answers: { 200: { description: 'A page', schema: schema.accountList } },
      handle: (request) => listed(parts, request.query as { after?: string; limit?: string }),
    },
    {
      ...{ method: 'GET', url, params },
      summary: 'An account, with what is stored for it; the cost does not depend on how much',
      answers: { 200: one, 404: noAccount },
      handle: async (request) => shown(parts, await accountAt(parts, aorOf(request))),
    },
    {
      ...{ method: 'PUT', url, params, body: schema.accountBody },
      summary: 'Provisions an account, in place of what was provisioned. If-None-Match: * creates',
      answers: {
        200: one,
        201: one,
        409: taken,
        412: { description: 'There is one already', schema: schema.problem },
      },
      handle: (request, reply) => replace(parts, request, reply),
    },
    {
      ...{ method: 'PATCH', url, params, body: schema.accountChanges },
      summary: 'Changes what is given of a provisioned account; null takes a limit away',
      answers: { 200: one, 404: noAccount, 409: taken },
      handle: (request) => change(parts, aorOf(request), request.body as AccountBody),
    },
    {
      ...{ method: 'DELETE', url, params, query: schema.removalQuery },
      summary:
        'Takes the account away and deletes its messages for good, with the reports owed; ' +
        'moved=true: without them, for it is served elsewhere',
      answers: {
        200: { description: 'How many messages were deleted', schema: schema.deleted },
        404: noAccount,
      },
      handle: async (request) => {
        const moved = (request.query as { readonly moved?: string }).moved === 'true';
        return remove(parts, await accountAt(parts, aorOf(request)), moved);
      },
    },
  ];
}

async function listed(parts: AdminParts, query: { after?: string; limit?: string }) {
  const limit = limitOf(query);
  const range = { limit, ...(query.after !== undefined && { after: query.after }) };
  const [records, kept] = await Promise.all([
    parts.provisioning?.list(range) ?? [],
    parts.accounts.accounts(range),
  ]);
  const byName = new Map<AccountId, ProvisionedAccount | undefined>();
  for (const account of kept) byName.set(account, undefined);
  for (const record of records) byName.set(record.account, record);
  const names = [...byName.keys()].sort(byOctets).slice(0, limit);
  const accounts = names.map((account) => {
    const record = byName.get(account) ?? parts.provisioning?.find(account);
    return { account, provisioned: record !== undefined, disabled: record?.disabled ?? false };
  });
  const more = records.length === limit || kept.length === limit;
  return { accounts, ...(more && { next: names.at(-1) }) };
}

/** The order of both sources. */
function byOctets(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

async function shown(parts: AdminParts, account: AccountId) {
  const { oldestAt, ...summary } = await parts.accounts.summary(account);
  const record = parts.provisioning?.find(account);
  return {
    account,
    provisioned: record !== undefined,
    disabled: record?.disabled ?? false,
    identities: record?.identities ?? [],
    limits: record?.limits ?? {},
    ...summary,
    ...(oldestAt !== undefined && { oldestAt: new Date(oldestAt).toISOString() }),
  };
}

async function replace(parts: AdminParts, request: FastifyRequest, reply: FastifyReply) {
  const directory = directoryOf(parts);
  const account = canonicalIdentity((request.params as AccountParams).aor);
  const former = directory.find(account);
  const create = request.headers['if-none-match'] === '*';
  if (create && former) throw new AdminError('ADMIN_EXISTS', `${account} is provisioned already`);
  const body = request.body as AccountBody;
  await directory.put(recordOf(account, undefined, body), create ? 'absent' : undefined);
  reply.code(former ? 200 : 201);
  return shown(parts, account);
}

async function change(parts: AdminParts, aor: string, body: AccountBody) {
  const directory = directoryOf(parts);
  const former = directory.find(canonicalIdentity(aor));
  if (!former) throw new AdminError('ADMIN_NO_ACCOUNT', `${aor} is not provisioned`);
  await directory.put(recordOf(former.account, former, body), 'present');
  return shown(parts, former.account);
}

function recordOf(
  account: AccountId,
  former: ProvisionedAccount | undefined,
  { identities, disabled, limits }: AccountBody,
): ProvisionedAccount {
  const own = Object.entries({ ...former?.limits, ...limits }).filter(([, one]) => one !== null);
  return {
    account,
    identities: identities?.map(canonicalIdentity) ?? former?.identities ?? [],
    disabled: disabled ?? former?.disabled ?? false,
    limits: Object.fromEntries(own),
  };
}

/**
 * Nothing may come in between: disabled first, then emptied, then forgotten. Cut off anywhere, it
 * is done again from the beginning; a removal that was accepted goes on by itself.
 */
async function remove(parts: AdminParts, account: AccountId, moved: boolean) {
  const { accounts, provisioning } = parts;
  const record = provisioning?.find(account);
  await provisioning?.put(recordOf(account, record, { disabled: true }));
  const deleted = await accounts.remove(account, { moved });
  await provisioning?.remove(account);
  return { deleted };
}

function directoryOf({ provisioning }: AdminParts): ProvisioningPort {
  if (provisioning) return provisioning;
  throw new AdminError('ADMIN_NO_DIRECTORY', 'accounts are not provisioned here');
}
