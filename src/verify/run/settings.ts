/** What the tester has to know of the server that it tests. */

import { parseUri } from '../../wire/sip/uri.js';
import { VerifyError } from '../verify-error.js';

export interface Target {
  /** Name or numeric address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
}

export interface RunSettings {
  readonly target: Target;
  /** Of the users, and of the registrar. */
  readonly domain: string;
  /** Where messages are retrieved: `sip:Deferred@hostname`. */
  readonly deferred: string;
  /** User parts to test with, one for each path; absent: as many as wanted are made up. */
  readonly users?: readonly string[];
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
  /** ms after which nothing further is begun. */
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
    deadlineMs: 120_000,
    parallel: 16,
  },
} as const satisfies Record<string, Omit<RunSettings, 'target' | 'deferred'>>;

export type ProfileName = keyof typeof profiles;

/** Fills in what the profile says, and `Deferred@` of the domain. */
export function runSettings(
  target: Target,
  given: Partial<RunSettings> = {},
  profile: ProfileName = 'oma-im',
): RunSettings {
  const settings = { ...profiles[profile], ...given, target };
  return { deferred: `sip:Deferred@${settings.domain}`, ...settings };
}

/** `sip:host:port;transport=tcp`. Throws VERIFY_TARGET for anything else. */
export function parseTarget(text: string): Target {
  const parsed = read(text);
  if (parsed?.scheme !== 'sip' || parsed.host === '') {
    throw new VerifyError('VERIFY_TARGET', `not sip:host:port: ${text}`);
  }
  const transport = (parsed.params.get('transport') ?? 'udp').toLowerCase();
  if (transport !== 'udp' && transport !== 'tcp') {
    throw new VerifyError('VERIFY_TARGET', `transport is udp or tcp, not ${transport}`);
  }
  const host = parsed.host.replace(/^\[(.*)\]$/, '$1');
  return { host, port: parsed.port ?? 5060, transport };
}

function read(text: string) {
  try {
    return parseUri(text);
  } catch {
    // Whatever is wrong with it, it is no target.
    return undefined;
  }
}
