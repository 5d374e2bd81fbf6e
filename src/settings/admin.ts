/** Settings of the administration over HTTP: its listener, and who may use it. */

import { hash } from 'node:crypto';
import { z } from 'zod';
import { count, file, host } from './forms.js';
import type { AdminOptions, AdminTls } from '../admin/endpoint.js';

const token = z
  .strictObject({
    /** For the log. */
    name: z.string().min(1).max(64),
    /** The token itself, or the hexadecimal SHA-256 of it. */
    token: z
      .string()
      .regex(/^[\x21-\x7e]{16,1024}$/, 'is not 16 to 1024 visible ASCII characters')
      .optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'is not 64 hexadecimal digits')
      .optional(),
  })
  .refine((one) => (one.token === undefined) !== (one.sha256 === undefined), {
    error: 'needs token or sha256, and not both',
  });

export const adminSettings = z
  .strictObject({
    host: host.default('127.0.0.1'),
    port: z.int().min(0).max(65_535).default(8060),
    tokens: z.array(token).max(1_000).default([]),
    /** HTTPS; clients with a certificate of one of `authorities` need no token. */
    tls: z
      .strictObject({ certificate: file, key: file, authorities: z.array(file).max(64).optional() })
      .optional(),
    /** Common or DNS names of the client certificates that count; absent: all of `authorities`. */
    clientNames: z.array(z.string().min(1).max(255)).min(1).max(1_000).optional(),
    /** Whether /metrics needs no authorisation. */
    openMetrics: z.boolean().default(false),
    /** Octets of the latest messages and turns, without bodies, held for `why` and `ladder`. */
    traceOctets: z.int().min(0).max(1_073_741_824).default(0),
    /** Requests of one address. */
    requestsPerMinute: count.default(600),
    connections: count.default(1_000),
    bodyOctets: count.default(1_048_576),
    /** Mailbox streams that come in: octets of one, how many at a time, and where they wait. */
    importOctets: z.int().min(1).default(17_179_869_184),
    imports: count.default(2),
    spool: file.optional(),
    /** ms for a request to come in; of a stream, ms without an octet. */
    requestMs: z.int().min(1).max(2_147_483_647).default(30_000),
  })
  .superRefine(({ host, tokens, tls }, context) => {
    if (tokens.length === 0 && tls?.authorities === undefined) {
      const message = 'needs tokens or tls.authorities: nobody could be authorised';
      context.addIssue({ code: 'custom', path: ['tokens'], message });
    }
    if (tls === undefined && !/^(?:127\.[\d.]+|::1|localhost)$/.test(host)) {
      const message = 'needs tls on an address that is not loopback: tokens must not be overheard';
      context.addIssue({ code: 'custom', path: ['tls'], message });
    }
  });

export type AdminSettings = z.output<typeof adminSettings>;

type ReadFile = (path: string) => Buffer;

export function adminOptions(admin: AdminSettings, read: ReadFile): AdminOptions {
  const { host, port, openMetrics, requestsPerMinute, connections, bodyOctets, requestMs } = admin;
  const { importOctets, imports, spool } = admin;
  const tls = adminTls(admin, read);
  return {
    ...{ host, port, openMetrics },
    tokens: admin.tokens.map(({ name, token: secret, sha256 }) => ({
      name,
      sha256: sha256 ?? hash('sha256', secret ?? ''),
    })),
    ...(tls && { tls }),
    ...(admin.clientNames && { clientNames: admin.clientNames }),
    limits: {
      ...{ requestsPerMinute, connections, bodyOctets, requestMs, importOctets, imports },
      ...(spool !== undefined && { spool }),
    },
  };
}

export function adminTls({ tls }: AdminSettings, read: ReadFile): AdminTls | undefined {
  return (
    tls && {
      certificate: read(tls.certificate),
      key: read(tls.key),
      ...(tls.authorities && { authorities: tls.authorities.map(read) }),
    }
  );
}
