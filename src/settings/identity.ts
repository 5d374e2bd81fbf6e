/** Settings of identity: names, served users, whom to trust, how others prove who they are. */

import { z } from 'zod';
import { count, host, ms } from './forms.js';

const name = z.string().min(1).max(255);

const algorithm = z.enum(['SHA-256', 'SHA-512-256', 'MD5']);
const sha = z.string().regex(/^[0-9a-f]{64}$/i, 'is not 64 hexadecimal digits');
const md5 = z.string().regex(/^[0-9a-f]{32}$/i, 'is not 32 hexadecimal digits');

const credentials = z
  .strictObject({
    /** The name to authenticate with; the AoR and its user part serve as well. */
    username: name.optional(),
    password: z.string().min(1).max(1_024).optional(),
    /** H(username:realm:password) by algorithm, in place of the password. */
    ha1: z.strictObject({ 'SHA-256': sha, 'SHA-512-256': sha, MD5: md5 }).partial().optional(),
  })
  .refine(({ password, ha1 }) => password !== undefined || ha1 !== undefined, {
    error: 'needs a password or ha1',
  });

/** Digest authentication of peers that are not trusted (RFC 7616, RFC 8760). */
const digest = z.strictObject({
  /** Absent: the first served domain, or `hostname` where every domain is served. */
  realm: host.optional(),
  /** Offered in this order; MD5 is for clients that know nothing better. */
  algorithms: z.array(algorithm).min(1).max(3).default(['SHA-256', 'SHA-512-256']),
  qop: z
    .array(z.enum(['auth', 'auth-int']))
    .min(1)
    .max(2)
    .default(['auth', 'auth-int']),
  /** Whether clients may send the hash of their name (RFC 7616 3.4.4). */
  userhash: z.boolean().default(false),
  /** Whether a message to a user needs an authenticated sender. */
  messages: z.enum(['optional', 'required']).default('optional'),
  /** The same at every node whose nonces the others are to know; drawn at each start if absent. */
  secret: z.string().min(16).max(1_024).optional(),
  nonceMs: ms.default(300_000),
  /** Nonces whose use is remembered. */
  nonces: count.default(100_000),
  /** Wrong digests of one address within `failureMs` before it is refused. */
  failures: count.default(20),
  failureMs: ms.default(60_000),
});

export const identitySettings = z
  .strictObject({
    /** Host of Message-IDs and of Deferred@; names the cluster, not a machine (D-04). */
    hostname: host.default('poste.localhost'),
    /** User part of the Deferred Messaging Function (D-06). */
    deferredUser: z.string().min(1).max(64).default('Deferred'),
    /** Further user parts of the same; `deferred` serves clients that do not heed case. */
    deferredAliases: z.array(z.string().min(1).max(64)).max(64).default([]),
    /** User part of the URI that takes lists of messages to delete (D-31). */
    deleteUser: z.string().min(1).max(64).default('Delete'),
    /** Further hosts of the store, such as that of the service. */
    serviceHosts: z.array(host).max(1_000).default([]),
    /** Served domains; `*` serves every domain and is for loopback listeners only. */
    domains: z.array(host).min(1).max(10_000).default(['*']),
    /** Served users (AoRs); absent: every user of the served domains has an account. */
    users: z.array(z.string().min(1)).max(1_000_000).optional(),
    /** Without `users`: every user of the served domains, or only whom provisioning names. */
    accounts: z.enum(['domain', 'provisioned']).default('domain'),
    /** Further identities of a user, such as `tel:+12025550147: sip:bob@example.org`. */
    aliases: z.record(z.string(), z.string()).default({}),
    /** Peers whose P-Asserted-Identity and third-party REGISTER count (RFC 3325), as CIDR blocks. */
    trustedPeers: z.array(z.string()).max(10_000).default(['127.0.0.0/8', '::1/128']),
    /** The same by the domains of TLS client certificates; `*.example.net` matches one label. */
    trustedNames: z.array(host).max(10_000).default([]),
    /** By AoR, such as `sip:bob@example.org: { password: … }`; everybody else is refused. */
    credentials: z.record(z.string(), credentials).default({}),
    digest: digest.prefault({}),
    /** Whether Privacy: id of a sender hides his asserted identity from the recipient (PAI-03). */
    privacy: z.enum(['honour', 'ignore']).default('honour'),
    /** Take REGISTER of UEs (standalone use without an IMS core). */
    registrar: z.boolean().default(true),
    /** Ask S-CSCFs that register users here to tell of their registrations (RFC 3680). */
    regEvent: z
      .strictObject({
        enabled: z.boolean().default(false),
        /** Seconds to subscribe for. */
        expires: z.int().min(60).max(604_800).default(3_600),
        /** Subscriptions at a time, in each process. */
        count: count.default(100_000),
      })
      .prefault({}),
  })
  .superRefine((settings, context) => {
    for (const [aor, { password, ha1 }] of Object.entries(settings.credentials)) {
      if (password !== undefined) continue;
      if (settings.digest.algorithms.some((one) => ha1?.[one] !== undefined)) continue;
      const path = ['credentials', aor, 'ha1'];
      const message = 'has nothing for any of digest.algorithms';
      context.addIssue({ code: 'custom', path, message });
    }
  });

/** The realm that is asked for. */
export function realmOf(identity: z.output<typeof identitySettings>): string {
  const domain = identity.domains.find((served) => served !== '*');
  return identity.digest.realm ?? domain ?? identity.hostname;
}

const secrets: ReadonlySet<string> = new Set(['password', 'ha1', 'secret', 'token']);

/** A replacer for JSON.stringify: settings can be shown, what is secret in them cannot. */
export function maskSecrets(key: string, value: unknown): unknown {
  return secrets.has(key) ? 'masked' : value;
}
