/** Settings of metadata: the embedded XDMS as an XCAP server, and an external one. */

import { z } from 'zod';
import { count, file, host, ms } from './forms.js';

const token = z.string().min(1).max(128);

/** The XCAP server (RFC 4825); absent: nobody listens. */
export const xcapSettings = z.strictObject({
  host: host.default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8_085),
  /** Path of the XCAP root. */
  root: z
    .string()
    .regex(/^(?:\/[A-Za-z0-9._-]+){1,8}$/, 'is no path such as /xcap')
    .default('/xcap'),
  /** PEM files; without them digest authentication is for clients on loopback. */
  tls: z.strictObject({ certificate: file, key: file }).optional(),
  /** Aggregation proxies whose X-3GPP-Asserted-Identity counts, as CIDR blocks. */
  trustedProxies: z.array(z.string()).max(10_000).default(['127.0.0.0/8', '::1/128']),
  /** The document of service settings; no AUID is registered for it. */
  settings: z
    .strictObject({
      auid: token.default('org.openmobilealliance.im-service-settings'),
      type: token.toLowerCase().default('application/im-settings+xml'),
      name: token.default('im-settings'),
    })
    .prefault({}),
  connections: count.default(1_000),
  connectionsPerPeer: count.default(100),
  bodyOctets: count.default(65_536),
  headerOctets: z.int().min(1_024).max(1_048_576).default(16_384),
  requestMs: ms.default(30_000),
  idleMs: ms.default(60_000),
  /** Requests of one address, or of one user behind a proxy, within `rateMs`. */
  rate: count.default(600),
  rateMs: ms.default(60_000),
  rateKeys: count.default(10_000),
});

/** An external XDMS that metadata is kept in; absent: the embedded one, a view on the store. */
export const xdmsSettings = z.strictObject({
  /** The XCAP root, such as `https://xdms.example.net/xcap`. */
  root: z.url({ protocol: /^https?$/ }).max(1_024),
  /** X-3GPP-Asserted-Identity, for an XDMS that trusts us; absent: `sip:<deferredUser>@<hostname>`. */
  assertedIdentity: z.string().min(1).max(255).optional(),
  /** Digest authentication, for one that does not. */
  username: z.string().min(1).max(255).optional(),
  password: z.string().min(1).max(1_024).optional(),
  /** Whether a challenge with MD5 is answered. */
  md5: z.boolean().default(false),
  tls: z
    .strictObject({
      authorities: z.array(file).max(64).optional(),
      certificate: file.optional(),
      key: file.optional(),
    })
    .optional(),
  connections: count.default(16),
  pending: count.default(1_000),
  /** ms in which something of an exchange has to move. */
  timeoutMs: ms.default(10_000),
  /** Documents whose ETags are remembered. */
  etags: count.default(100_000),
  /** Failures in a row before the XDMS is spared, and ms between two attempts then. */
  failures: count.default(5),
  pauseMs: ms.default(5_000),
  /** Changes that wait in one account before one rebuild stands for them. */
  histories: count.default(1_000),
  /** ms between two rebuilds of all documents; 0: never (D-83). */
  rebuildMs: z.int().min(0).max(2_147_483_647).default(86_400_000),
  rebuildPauseMs: ms.default(20),
});
