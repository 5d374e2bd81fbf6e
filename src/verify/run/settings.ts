/** What the tester has to know of the server that it tests. */

import { parseUri } from '../../wire/sip/uri.js';
import { VerifyError } from '../verify-error.js';
import type { Credentials } from './credentials.js';

export interface Target {
  /** Name or numeric address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

export interface RunSettings {
  readonly target: Target;
  /** PEM of who vouches for the target over TLS; by default the authorities of Node. */
  readonly ca?: string;
  /** Of the users, and of the registrar. */
  readonly domain: string;
  /** Where messages are retrieved: `sip:Deferred@hostname`. */
  readonly deferred: string;
  /** Where messages are deleted by a URI list (delete-uri); `Delete` at the host of `deferred`. */
  readonly deleteUri?: string;
  /** XCAP root of the XDMS with the metadata; absent: they are not tried. */
  readonly xcapRoot?: string;
  /** User parts to test with, one for each path; absent: as many as wanted are made up. */
  readonly users?: readonly string[];
  /** Who answers challenges; absent: nobody does. */
  readonly credentials?: Credentials;
  /** Whether requests carry P-Asserted-Identity. */
  readonly identity: 'asserted' | 'from';
  /** Whether the user registers himself, or an S-CSCF tells of his registration (D-40). */
  readonly registration: 'plain' | 'third-party';
  /** Event and media type of settings: OMA's own names were not recovered. */
  readonly settingsEvent: string;
  readonly settingsType: string;
  /** ms that the server has for each thing that it owes. */
  readonly timeoutMs: number;
  /** ms of silence behind a path, in which nothing more may come. */
  readonly quietMs: number;
  /** ms that a subscription is waited for to run out. */
  readonly patienceMs: number;
  /** ms after which the run ends, whatever is under way. */
  readonly deadlineMs: number;
  /** Paths at the same time, each with a user of its own. */
  readonly parallel: number;
}

/** The defaults of a profile. */
export const profiles = {
  'oma-im': {
    domain: 'example.org',
    identity: 'asserted',
    registration: 'plain',
    settingsEvent: 'im-settings',
    settingsType: 'application/im-settings+xml',
    timeoutMs: 5000,
    quietMs: 300,
    patienceMs: 4000,
    deadlineMs: 120_000,
    parallel: 16,
  },
} as const satisfies Record<string, Omit<RunSettings, 'target' | 'deferred'>>;

export type ProfileName = keyof typeof profiles;

/** Where somebody proves who he is nobody asserts it, and all paths share the one sender. */
const proven = { identity: 'from', parallel: 1 } as const;

/** Fills in what the profile says, and `Deferred@` of the domain. */
export function runSettings(
  target: Target,
  given: Partial<RunSettings> = {},
  profile: ProfileName = 'oma-im',
): RunSettings {
  const { credentials } = given;
  const known = credentials && { ...proven, users: credentials.users };
  const settings = { ...profiles[profile], ...known, ...given, target };
  return { deferred: `sip:Deferred@${settings.domain}`, ...settings };
}

/** `delete-uri` as it was provisioned, or as the product has it. */
export function deleteUriOf({ deleteUri, deferred }: RunSettings): string {
  return deleteUri ?? deferred.replace(/^(sips?:)[^@]*@/i, '$1Delete@');
}

/** `sip:host:port;transport=tcp`, `sips:host`. Throws VERIFY_TARGET for anything else. */
export function parseTarget(text: string): Target {
  const parsed = read(text);
  if ((parsed?.scheme !== 'sip' && parsed?.scheme !== 'sips') || parsed.host === '') {
    throw new VerifyError('VERIFY_TARGET', `not sip:host:port: ${text}`);
  }
  const isSecure = parsed.scheme === 'sips';
  const named = parsed.params.get('transport')?.toLowerCase() ?? (isSecure ? 'tls' : 'udp');
  // RFC 3261 26.2.2: with sips, tcp means TLS over TCP.
  const transport = isSecure && named === 'tcp' ? 'tls' : named;
  if (transport !== 'tls' && (isSecure || (transport !== 'udp' && transport !== 'tcp'))) {
    throw new VerifyError('VERIFY_TARGET', `transport is udp, tcp or tls, not ${named}`);
  }
  const host = parsed.host.replace(/^\[(.*)\]$/, '$1');
  return { host, port: parsed.port ?? (transport === 'tls' ? 5061 : 5060), transport };
}

/** The target as it is written. */
export function describeTarget({ host, port, transport }: Target): string {
  return `sip:${bracketed(host)}:${port};transport=${transport}`;
}

/** A host as it stands in a URI. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function read(text: string) {
  try {
    return parseUri(text);
  } catch {
    // Whatever is wrong with it, it is no target.
    return undefined;
  }
}
