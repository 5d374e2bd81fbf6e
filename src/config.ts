/** Settings of a server: defaults, bounds, and one validation when it starts. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { z } from 'zod';
import { count, ms } from './settings/forms.js';
import { adminSettings } from './settings/admin.js';
import { clusterSettings } from './settings/cluster.js';
import { identitySettings } from './settings/identity.js';
import { limitSettings } from './settings/limits.js';
import { msrpSettings } from './settings/msrp.js';
import { sipSettings } from './settings/sip.js';
import { policyRules, policySettings } from './settings/policy.js';
import { xcapSettings, xdmsSettings } from './settings/metadata.js';

const contextClass = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'is no context class');

const store = z.strictObject({
  directory: z.string().min(1).default('poste-restante-data'),
  /** `os` answers 202 before the disk has the message: for tests and figures only. */
  durability: z.enum(['fsync', 'os']).default('fsync'),
  /** Seals messages and what is known of them; absent: they stand as they came. */
  encryption: z
    .strictObject({
      /** Files with 32 octets in base64, by names of your own; those of yesterday among them. */
      keys: z.record(z.string().min(1).max(64), z.string().min(1)),
      /** The one that wraps from now on. */
      current: z.string().min(1).max(64),
    })
    .optional(),
});

/** How users publish their settings; the documents leave both names open. */
const publish = z.strictObject({
  events: z.array(z.string().min(1).max(64).toLowerCase()).min(1).max(16).default(['im-settings']),
  types: z
    .array(z.string().min(3).max(128).toLowerCase())
    .min(1)
    .max(16)
    .default(['application/im-settings+xml']),
});

/** How message waiting is told (RFC 3842). */
const messageWaiting = z.strictObject({
  /** Context classes (RFC 3458); many phones show `Voice-Message` and nothing else (D-43). */
  classes: z
    .strictObject({
      pager: contextClass.default('Pager-Message'),
      large: contextClass.default('Multimedia-Message'),
    })
    .prefault({}),
  /** Header fields that are told of a new message (MWI-03). */
  headers: z
    .array(z.enum(['To', 'From', 'Subject', 'Date', 'Priority', 'Message-ID']))
    .default(['To', 'From', 'Subject', 'Date', 'Priority', 'Message-ID']),
  /** EVT-04: what subscribers hear when the server stops for good, not for a restart. */
  onStop: z.enum(['keep', 'deactivated', 'probation']).default('keep'),
  /** Seconds, with `probation`. */
  retryAfter: z.int().min(1).max(86_400).default(60),
});

const bounds = z.strictObject({
  /** Accounts held in memory. */
  accounts: count.default(100_000),
  /** Inputs waiting for one account. */
  queue: count.default(10_000),
  /** Submissions remembered per account to recognise a repetition (D-18). */
  digests: count.default(100_000),
  /**
   * Octets of a delivery report on the wire (RFC 3428 8); larger only where every link on the way
   * is known to be congestion-safe.
   */
  reportOctets: z.int().min(600).max(65_535).default(1_300),
  /** Serials that one account takes at a time; 1 numbers strictly by hostname. */
  accountBlock: count.default(64),
  /** Large messages that are coming in at a time, in all sessions and in one. */
  uploads: z.int().min(1).max(2_000).default(1_024),
  uploadsPerSession: z.int().min(1).max(64).default(4),
  /** Identities of users that S-CSCFs have told, and how long they count behind a registration. */
  identities: count.default(100_000),
  identitiesMs: z.int().min(0).default(7_776_000_000),
  /** ms between two counts of everything that is stored, for /metrics; 0: it is not counted. */
  surveyMs: z.int().min(0).max(2_147_483_647).default(60_000),
  surveyPauseMs: z.int().min(0).max(60_000).default(200),
  /** Octets of messages that are held while they are passed on, in total. */
  forwardOctets: count.default(67_108_864),
  /** Octets of unanswered messages of one MSRP session in memory; others wait in the store. */
  payloadOctets: z.int().min(65_536).default(524_288),
  /** INVITEs that are passed on, and their sessions, in total. */
  bridges: z.int().min(0).max(100_000).default(1_024),
});

const schema = z
  .strictObject({
    sip: sipSettings.prefault({}),
    msrp: msrpSettings.prefault({}),
    store: store.prefault({}),
    cluster: clusterSettings.prefault({}),
    identity: identitySettings.prefault({}),
    /** Administration over HTTP; absent: there is none. */
    admin: adminSettings.optional(),
    xcap: xcapSettings.optional(),
    xdms: xdmsSettings.optional(),
    limits: limitSettings.prefault({}),
    /** What the deployment expects beyond the standard (U18). */
    profile: z.enum(['oma-im', 'rcs-standfw']).default('oma-im'),
    publish: publish.prefault({}),
    policy: policySettings.prefault({}),
    messageWaiting: messageWaiting.prefault({}),
    bounds: bounds.prefault({}),
    /** Files of certificates are read again when they change; SIGHUP reads them at once. */
    certificates: z
      .strictObject({ watch: z.boolean().default(true), settleMs: ms.default(500) })
      .prefault({}),
    log: z
      .strictObject({
        level: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
        /** Warnings and errors with the same text that are written; further ones are counted. */
        linesPerSecond: z.int().min(1).default(20),
      })
      .prefault({}),
  })
  .superRefine((settings, context) => {
    if (settings.limits.expiry.default > settings.limits.expiry.max) {
      refuse(context, ['limits', 'expiry', 'default'], 'is above limits.expiry.max (D-21)');
    }
    const { tls, listen } = settings.sip;
    if ((tls?.certificate === undefined) !== (tls?.key === undefined)) {
      refuse(context, ['sip', 'tls'], 'needs certificate and key, or neither');
    }
    for (const [index, { transport }] of listen.entries()) {
      if ((transport !== 'tls' && transport !== 'wss') || tls?.certificate !== undefined) continue;
      refuse(context, ['sip', 'listen', index, 'transport'], 'needs sip.tls.certificate');
    }
    if (settings.identity.domains.includes('*')) {
      for (const [index, { host: name }] of settings.sip.listen.entries()) {
        if (isLoopback(name)) continue;
        const path = ['sip', 'listen', index, 'host'];
        refuse(context, path, 'is not loopback: name the served domains in identity.domains');
      }
    }
  });

const require = createRequire(import.meta.url);

/** Everything a server is told. Keys that are not known are an error. */
export type Settings = z.output<typeof schema>;
/** Settings as an operator writes them: every key may be left out. */
export type SettingsInput = z.input<typeof schema>;

/** A configuration that cannot be used; the message names every key that is wrong. */
export class ConfigError extends Error {
  readonly code: 'CONFIG_UNREADABLE' | 'CONFIG_INVALID';

  constructor(code: ConfigError['code'], message: string) {
    super(message);
    this.name = 'ConfigError';
    this.code = code;
  }
}

/** Checks settings and fills in defaults. Throws ConfigError. */
export function settingsOf(input: unknown): Settings {
  // Read once or twice in a life: compiling a parser takes longer than going without.
  const result = schema.safeParse(input ?? {}, { jitless: true });
  if (!result.success) throw new ConfigError('CONFIG_INVALID', z.prettifyError(result.error));
  return result.data;
}

/** The settings as JSON Schema, as an operator writes them. */
export function settingsSchema(): object {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

/** Reads a YAML file as settings, not checked yet. Throws ConfigError. */
export function readSettings(path: string): unknown {
  try {
    const text = readFileSync(path, 'utf8');
    // Where there is no file, a start does not wait for what reads it.
    const { parse } = require('yaml') as typeof import('yaml');
    return parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError('CONFIG_UNREADABLE', `${path}: ${why}`);
  }
}

/** The rules of the settings, and those of the file they name, read now. Throws ConfigError. */
export function readPolicy({ policy }: Pick<Settings, 'policy'>): Settings['policy']['rules'] {
  if (policy.file === undefined) return policy.rules;
  const result = policyRules.safeParse(readSettings(policy.file) ?? []);
  if (!result.success) {
    throw new ConfigError('CONFIG_INVALID', `${policy.file}: ${z.prettifyError(result.error)}`);
  }
  return [...policy.rules, ...result.data];
}

function isLoopback(name: string): boolean {
  if (isIP(name) === 4) return name.startsWith('127.');
  return name === '::1' || name === 'localhost';
}

function refuse(context: z.RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}
