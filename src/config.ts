/** Settings of a server: defaults, bounds, and one validation when it starts. */

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { adminSettings } from './admin-settings.js';
import { identitySettings } from './identity-settings.js';
import { policyRules, policySettings } from './policy-settings.js';
import { xcapSettings, xdmsSettings } from './metadata-settings.js';
import { isMsrpUri } from './wire/msrp/uri.js';

const seconds = z.int().min(0).max(4_294_967_295);
const ms = z.int().min(1).max(2_147_483_647);
const count = z.int().min(1).max(1_000_000_000);
/** Octets of what may be large. */
const octets = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const port = z.int().min(0).max(65_535);
const host = z.string().min(1).max(255);

const contextClass = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'is no context class');

const listener = z.strictObject({
  transport: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
  host: host.default('127.0.0.1'),
  /** 0: any free one; UDP and TCP on the same host get the same then. */
  port: port.default(5060),
  /** Host in Via and Contact of this listener, instead of `sip.advertise`. */
  advertise: host.optional(),
});

/** Path of a PEM file. */
const pemFile = z.string().min(1).max(4_096);

const sipTls = z.strictObject({
  /** Shown to peers, unless they name a domain of one of `servers` (SNI). */
  certificate: pemFile.optional(),
  key: pemFile.optional(),
  /** Who vouches for peers; absent: the authorities that Node knows. */
  ca: z.array(pemFile).max(64).optional(),
  /** Mutual TLS: whether peers that connect are asked for a certificate, or need one. */
  requestCertificate: z.enum(['no', 'request', 'require']).default('no'),
  /** Certificates of further domains; the names are those in the certificate (RFC 5922). */
  servers: z
    .array(z.strictObject({ certificate: pemFile, key: pemFile }))
    .max(1_000)
    .optional(),
});

const sip = z.strictObject({
  listen: z
    .array(listener)
    .min(1)
    .max(64)
    .default([
      { transport: 'udp', host: '127.0.0.1', port: 5060 },
      { transport: 'tcp', host: '127.0.0.1', port: 5060 },
    ]),
  /** Host in Via and Contact, when it is not that of the listener. */
  advertise: host.optional(),
  /** Certificates for `tls` and `wss` and for the connections we open. SIGHUP reads them again. */
  tls: sipTls.optional(),
  /** Who we are for those who challenge requests of ours, by realm (RFC 3261 22.2). */
  credentials: z
    .array(
      z.strictObject({
        realm: z.string().min(1).max(255),
        username: z.string().min(1).max(255),
        password: z.string().min(1).max(1_024),
        /** Whether a challenge that offers nothing better than MD5 is answered. */
        md5: z.boolean().default(false),
      }),
    )
    .max(1_000)
    .default([]),
  timers: z
    .strictObject({ t1: ms.default(500), t2: ms.default(4000), t4: ms.default(5000) })
    .prefault({}),
  /** Pending transactions, server and client together. */
  transactions: count.default(200_000),
  /** Connections in total and of one address. */
  connections: count.default(10_000),
  connectionsPerPeer: count.default(1_000),
  /** Connections that have brought no message yet; beyond, the oldest of them goes. */
  silentConnections: count.default(5_000),
  /** ms until a connection on which nothing comes is closed. */
  silentMs: ms.default(60_000),
  /** ms for TLS and WebSocket to be established. */
  handshakeMs: ms.default(10_000),
  idleMs: ms.default(600_000),
  /** ms between the keep-alives of a peer that offers them (RFC 6223). */
  keepAliveMs: ms.default(95_000),
  /** Addresses that are tried for one request (RFC 3263). */
  targets: z.int().min(1).max(64).default(8),
  messageOctets: count.default(1_048_576),
});

const file = z.string().min(1).max(4_096);

const msrpTls = z.strictObject({
  port: port.default(2856),
  /** Port in `a=path`, when it is not `port`. */
  advertisePort: port.optional(),
  /** PEM files. */
  certificate: file,
  key: file,
  authorities: z.array(file).max(64).optional(),
  /** Mutual TLS: whether peers that connect are asked for a certificate, or need one. */
  clientCertificate: z.enum(['request', 'require']).optional(),
  /** Whether sessions are `msrps` where nothing else asks for it. */
  preferred: z.boolean().default(false),
});

const msrpRelay = z.strictObject({
  /** Such as `msrps://relay.example.org:2855;tcp`. */
  uri: z.string().refine(isMsrpUri, 'is not an MSRP URI'),
  username: z.string().min(1).max(255),
  password: z.string().min(1).max(1_024),
  /** Whether a challenge with MD5 is answered; RFC 4976 knows nothing else. */
  md5: z.boolean().default(true),
  /** Seconds asked for; the relay decides when absent. */
  expires: seconds.optional(),
  /** ms that an INVITE or its answer waits for the relay. */
  waitMs: ms.default(10_000),
});

const msrp = z.strictObject({
  host: host.default('127.0.0.1'),
  port: port.default(2855),
  /** Host in `a=path` and `c=`, when it is not `host`. */
  advertise: host.optional(),
  sessions: count.default(20_000),
  connections: count.default(10_000),
  connectionsPerPeer: count.default(1_000),
  /** ms a passive endpoint waits for the first SEND. */
  bindMs: ms.default(30_000),
  /** ms for the response to a SEND (RFC 4975 7.1.1). */
  responseMs: ms.default(30_000),
  idleMs: ms.default(120_000),
  /** Octets after which a chunk of ours ends; some relays take chunks whole (RFC 4976). */
  chunkMax: z.int().min(2_048).max(16_777_216).default(131_072),
  /** `msrps` on a port of its own; absent: neither accepted nor opened. */
  tls: msrpTls.optional(),
  /** Whether connections may go to c= and m= instead of the path (RFC 6714). */
  cema: z.boolean().default(false),
  /** A relay (RFC 4976) that all sessions go through. */
  relay: msrpRelay.optional(),
  /** MSRP over WebSocket (RFC 7977), with the certificate of `tls` or behind a proxy. */
  webSocket: z
    .strictObject({
      port: port,
      advertisePort: port.optional(),
      /** TLS is ended by a proxy before this listener. */
      terminated: z.boolean().default(false),
    })
    .optional(),
});

const store = z.strictObject({
  directory: z.string().min(1).default('poste-restante-data'),
  /** `os` answers 202 before the disk has the message: for tests and figures only. */
  durability: z.enum(['fsync', 'os']).default('fsync'),
});

const limits = z.strictObject({
  expiry: z
    .strictObject({
      enabled: z.boolean().default(true),
      default: seconds.default(604_800),
      max: seconds.default(2_592_000),
      large: seconds.default(604_800),
      skewMs: ms.default(86_400_000),
    })
    .prefault({}),
  quota: z
    .strictObject({
      messages: count.default(100_000),
      octets: octets.default(1_000_000_000),
      /** Seconds after which a sender may try again. */
      retryAfter: seconds.default(3_600),
    })
    .prefault({}),
  register: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(604_800),
      contacts: count.default(10),
      /** ms within which REGISTERs for several identities of a user are one registration. */
      burstMs: ms.default(2000),
    })
    .prefault({}),
  subscribe: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(86_400),
      count: count.default(20),
      throttleMs: ms.default(1000),
      headers: z.int().min(0).max(100).default(10),
    })
    .prefault({}),
  publish: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(604_800),
      count: count.default(8),
    })
    .prefault({}),
  deletion: z.strictObject({ batch: z.int().min(1).max(256).default(64) }).prefault({}),
  push: z
    .strictObject({
      default: z.boolean().default(true),
      window: count.default(16),
      retryMs: ms.default(5000),
      retryMaxMs: ms.default(600_000),
      after: z.enum(['delete', 'keep']).default('delete'),
    })
    .prefault({}),
  retrieval: z
    .strictObject({
      whenPushActive: z.enum(['serve', 'forbid']).default('serve'),
      /** Where recvonly has to stand: effective on the line, on the line itself, or on both levels. */
      recvonly: z.enum(['effective', 'media', 'both']).default('effective'),
      after: z.enum(['delete', 'keep']).default('keep'),
      count: count.default(8),
      waitMs: ms.default(32_000),
      emptyMs: ms.default(2000),
    })
    .prefault({}),
  recording: z
    .strictObject({
      sendonly: z.boolean().default(false),
      files: z.boolean().default(false),
      count: count.default(4),
      messages: z.int().min(1).max(1_000).default(64),
      octets: octets.default(1_073_741_824),
      idleMs: ms.default(60_000),
    })
    .prefault({}),
  /** Requests for users who are available (D-12). */
  forward: z
    .strictObject({
      /** What is passed on before it is stored: nothing, or every MESSAGE. */
      mode: z.enum(['off', 'messages']).default('messages'),
      /** Requests of one user that are passed on at a time; further ones are stored at once. */
      count: count.default(64),
      /** ms until a message is stored although the user may still answer. */
      waitMs: ms.default(16_000),
    })
    .prefault({}),
  /** Subscriptions to the conference of a retrieval (RFC 4575). */
  conference: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(86_400),
      /** Of one conference. */
      count: z.int().min(0).max(1_000).default(4),
      throttleMs: ms.default(5000),
      /** Users that one NOTIFY names. */
      users: z.int().min(1).max(10_000).default(200),
    })
    .prefault({}),
  reportGraceMs: ms.default(30_000),
  reportOnUserDelete: z.enum(['failed', 'forbidden', 'none']).default('failed'),
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
  uploads: z.int().min(1).max(1_000).default(256),
  uploadsPerSession: z.int().min(1).max(64).default(4),
  /** Octets of messages that are held while they are passed on, in total. */
  forwardOctets: count.default(67_108_864),
});

const schema = z
  .strictObject({
    sip: sip.prefault({}),
    msrp: msrp.prefault({}),
    store: store.prefault({}),
    identity: identitySettings.prefault({}),
    /** Administration over HTTP; absent: there is none. */
    admin: adminSettings.optional(),
    xcap: xcapSettings.optional(),
    xdms: xdmsSettings.optional(),
    limits: limits.prefault({}),
    /** What the deployment expects beyond the standard (U18). */
    profile: z.enum(['oma-im', 'rcs-standfw']).default('oma-im'),
    publish: publish.prefault({}),
    policy: policySettings.prefault({}),
    messageWaiting: messageWaiting.prefault({}),
    bounds: bounds.prefault({}),
    log: z
      .strictObject({
        level: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
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
  const result = schema.safeParse(input ?? {});
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
    return parseYaml(readFileSync(path, 'utf8'));
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
