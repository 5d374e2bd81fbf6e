/** `/v1/accounts/{aor}/mailbox`: a mailbox as one stream, out of this store and into it. */

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import type { AccountId } from '../ports.js';
import { mailboxStreamType } from '../wire/mailbox-stream/frame.js';
import type { AccountRecord } from '../wire/mailbox-stream/record.js';
import { accountAt, canonicalIdentity } from './identity.js';
import { framesOf, importMailboxes, writeMailboxes } from './mailbox-transfer.js';
import type { Imported } from './mailbox-transfer.js';
import type { AdminParts } from './parts.js';
import { AdminError } from './problem.js';
import type { Route } from './route.js';
import * as schema from './schema.js';

export interface ImportLimits {
  /** Where a stream stands while it is looked through; the directory of the system when absent. */
  readonly spool?: string;
  /** Octets of one stream. */
  readonly importOctets: number;
  /** Streams that are brought in at a time. */
  readonly imports: number;
  /** ms without an octet. */
  readonly requestMs: number;
}

const url = '/v1/accounts/:aor/mailbox';
const params = schema.accountParams;
const noAccount = { description: 'Nobody is served so', schema: schema.problem };

export function mailboxRoutes(parts: AdminParts, limits: ImportLimits): Route[] {
  const under = new Set<AccountId>();
  return [
    {
      ...{ method: 'GET', url, params, query: schema.exportQuery },
      summary: 'The mailbox as one stream; its last frame proves it whole',
      answers: { 200: { description: 'The stream', type: mailboxStreamType }, 404: noAccount },
      handle: async (request, reply) => {
        const account = await accountAt(parts, aorOf(request));
        const { after } = request.query as { readonly after?: string };
        const octets = Readable.from(writeMailboxes(parts, [account], Number(after ?? 0)), {
          objectMode: false,
        });
        octets.on('error', (error) => parts.log.error({ err: error }, 'export failed'));
        return reply.type(mailboxStreamType).send(octets);
      },
    },
    {
      ...{ method: 'POST', url, params, bodyType: mailboxStreamType },
      summary: 'Brings in a mailbox stream; a second time it changes nothing',
      answers: {
        200: { description: 'What became of it', schema: schema.imported },
        404: noAccount,
        409: { description: 'An import is under way already', schema: schema.problem },
        413: { description: 'The stream is longer than allowed', schema: schema.problem },
        422: { description: 'The stream is damaged or cut off', schema: schema.problem },
        507: { description: 'The account has no room for it', schema: schema.problem },
      },
      handle: async (request) => {
        const account = canonicalIdentity(aorOf(request));
        if (under.has(account) || under.size >= limits.imports) {
          throw new AdminError('ADMIN_IMPORT_BUSY', 'an import is under way already');
        }
        under.add(account);
        try {
          return await bringIn(parts, limits, account, request);
        } finally {
          under.delete(account);
        }
      },
    },
  ];
}

function aorOf(request: FastifyRequest): string {
  return (request.params as { readonly aor: string }).aor;
}

/** Kept in a file until its end has proven it whole. */
async function bringIn(
  parts: AdminParts,
  limits: ImportLimits,
  account: AccountId,
  request: FastifyRequest,
): Promise<Imported> {
  if (!(request.body instanceof Readable)) {
    throw new AdminError('ADMIN_MEDIA_TYPE', `a mailbox stream is ${mailboxStreamType}`);
  }
  const directory = await mkdtemp(join(limits.spool ?? tmpdir(), 'poste-restante-import-'));
  try {
    const file = join(directory, 'stream');
    const spooled = createWriteStream(file, { mode: 0o600 });
    await pipeline(request.body, bounded(limits), spooled);
    const spool = () => createReadStream(file) as AsyncIterable<Buffer>;
    const record = await onlyAccount(spool());
    const known = record.provisioned && parts.provisioning;
    const name = known ? account : await accountAt(parts, aorOf(request));
    return await importMailboxes(parts, spool, () => name);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Throws for a stream of no account, and of several: whose messages would they be? */
async function onlyAccount(octets: AsyncIterable<Buffer>): Promise<AccountRecord> {
  const records: AccountRecord[] = [];
  for await (const frame of framesOf(octets)) {
    if (frame.kind === 'account' && records.length < 2) records.push(frame.record);
  }
  const [record] = records;
  if (record && records.length === 1) return record;
  throw new AdminError('ADMIN_INVALID', 'the stream is not that of one account');
}

function bounded({ importOctets: most, requestMs }: ImportLimits): Transform {
  let octets = 0;
  const late = (): void => {
    bound.destroy(new AdminError('ADMIN_INVALID', 'the stream does not go on'));
  };
  let timer = setTimeout(late, requestMs);
  const bound = new Transform({
    transform(piece: Buffer, _encoding, done) {
      clearTimeout(timer);
      timer = setTimeout(late, requestMs);
      octets += piece.length;
      if (octets <= most) done(null, piece);
      else done(new AdminError('ADMIN_TOO_LARGE', `a stream has at most ${most} octets`));
    },
  });
  return bound.on('close', () => clearTimeout(timer));
}
