/** Certificates and keys in files: read when asked to, and when the files have changed. */

import { hash } from 'node:crypto';
import { readFileSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import type { AdminEndpoint } from '../admin/endpoint.js';
import type { Settings } from '../config.js';
import type { Clock, Log } from '../ports.js';
import { adminTls } from '../settings/admin.js';
import type { MsrpEndpoint } from '../transport/msrp/endpoint.js';
import type { SipEndpoint } from '../transport/sip/endpoint.js';
import { readTlsFiles } from '../transport/sip/tls-files.js';
import type { XcapServer } from '../transport/xcap/server.js';
import { readPem, readPemPair } from './pem-file.js';
import { msrpTlsOptions } from './transports.js';

/** The certificates of a server. */
export interface Certificates {
  /** Reads all of them; throws an error with a code when one cannot be used. */
  reload(): void;
  /** Ends the watch on their files. */
  end(): void;
}

/** What shows a certificate, and where it has it from. */
interface CertificateUser {
  readonly name: 'sip' | 'msrp' | 'xcap' | 'admin';
  readonly files: readonly string[];
  /** For connections to come. Throws an error with a code, and what was in force remains. */
  reload(): void;
}

/** A certificate and its key cannot be used by an HTTP listener. */
class CertificateError extends Error {
  readonly code = 'TLS_CERTIFICATE';

  constructor(cause: unknown) {
    super(`TLS_CERTIFICATE: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'CertificateError';
  }
}

interface CertificateOwners {
  readonly settings: Settings;
  readonly sip: SipEndpoint;
  /** Absent where other processes have its sockets. */
  readonly msrp?: Pick<MsrpEndpoint, 'reloadCertificate'> | undefined;
  readonly faces: { readonly xcap?: XcapServer; readonly admin?: AdminEndpoint };
}

interface Watching {
  readonly clock: Clock;
  readonly log: Log;
  readonly watch: boolean;
  /** ms for further files to change. */
  readonly settleMs: number;
}

/** Reads them again when asked to, and when their files change unless that is switched off. */
export function keepCertificates(
  owners: CertificateOwners,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Certificates {
  const users = certificateUsers(owners);
  const end = watchCertificates(users, { ...owners.settings.certificates, clock, log });
  return { reload: () => reloadAll(users), end };
}

/** Those that the settings give one. */
function certificateUsers({ settings, sip, msrp, faces }: CertificateOwners) {
  const users: CertificateUser[] = [];
  const {
    sip: sipTls,
    msrp: msrpTls,
    xcap,
    admin,
  } = {
    ...{ sip: settings.sip.tls, msrp: settings.msrp.tls },
    ...{ xcap: settings.xcap?.tls, admin: settings.admin?.tls },
  };
  if (sipTls) {
    const pairs = (sipTls.servers ?? []).flatMap(({ certificate, key }) => [certificate, key]);
    const files = [sipTls.certificate, sipTls.key, ...(sipTls.ca ?? []), ...pairs];
    const named = files.filter((file) => file !== undefined);
    users.push({ name: 'sip', files: named, reload: () => sip.reloadTls(readTlsFiles(sipTls)) });
  }
  if (msrpTls && msrp) {
    const files = [msrpTls.certificate, msrpTls.key, ...(msrpTls.authorities ?? [])];
    const reload = (): void => msrp.reloadCertificate(msrpTlsOptions(msrpTls));
    users.push({ name: 'msrp', files, reload });
  }
  if (xcap) {
    const reload = (): void => faces.xcap?.reloadCertificate(readPemPair(xcap));
    users.push({ name: 'xcap', files: [xcap.certificate, xcap.key], reload: coded(reload) });
  }
  if (admin) {
    const files = [admin.certificate, admin.key, ...(admin.authorities ?? [])];
    const reload = (): void => faces.admin?.reload(adminTls(settings.admin!, readPem)!);
    users.push({ name: 'admin', files, reload: coded(reload) });
  }
  return users;
}

/** Each on its own: one that cannot be used does not keep the others from theirs. */
function reloadAll(users: readonly CertificateUser[]): void {
  let first: unknown;
  for (const { reload } of users) {
    try {
      reload();
    } catch (error) {
      first ??= error;
    }
  }
  if (first !== undefined) throw first as Error;
}

/**
 * Reads certificates again when their files have changed; returns what ends that. The directories
 * are watched, since files are replaced rather than written. A pair that does not fit, such as one
 * of which the key is not there yet, is logged with its code and the former one remains.
 */
function watchCertificates(
  users: readonly CertificateUser[],
  { clock, log, watch: isWatched, settleMs }: Watching,
): () => void {
  if (!isWatched) return () => undefined;
  const seen = new Map(users.map((user) => [user, contentOf(user)]));
  let withdraw: (() => void) | undefined;
  const look = (): void => {
    withdraw = undefined;
    for (const user of users) {
      const content = contentOf(user);
      if (content === seen.get(user)) continue;
      seen.set(user, content);
      attempt(user, log);
    }
  };
  const changed = (): void => {
    // Whoever writes on and on does not put it off.
    withdraw ??= clock.after(settleMs, look);
  };
  const directories = new Set(users.flatMap(({ files }) => files.map((file) => dirname(file))));
  const watchers = [...directories].flatMap((directory) => watcherOf(directory, changed, log));
  return () => {
    withdraw?.();
    for (const watcher of watchers) watcher.close();
  };
}

function attempt({ name, reload }: CertificateUser, log: Log): void {
  try {
    reload();
    log.info({ of: name }, 'certificates read again');
  } catch (error) {
    const { code = 'TLS_CERTIFICATE' } = error as { readonly code?: string };
    const reason = error instanceof Error ? error.message : String(error);
    log.error({ code, of: name, reason }, 'certificates not usable; the former ones remain');
  }
}

/** Undefined files are a content too: when they come, that is a change. */
function contentOf({ files }: CertificateUser): string {
  const parts = files.map((file) => {
    try {
      return hash('sha256', readFileSync(file));
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? '';
    }
  });
  return parts.join(' ');
}

/** What cannot be watched is read when asked to. */
function watcherOf(directory: string, changed: () => void, log: Log): FSWatcher[] {
  const failed = (error: unknown): void => {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    log.warn({ code: 'TLS_WATCH', directory, reason }, 'certificates are not watched');
  };
  try {
    return [watch(directory, { persistent: false }, changed).on('error', failed)];
  } catch (error) {
    failed(error);
    return [];
  }
}

function coded(reload: () => void): () => void {
  return () => {
    try {
      reload();
    } catch (error) {
      // OpenSSL says what is wrong in codes of its own.
      if ((error as { readonly code?: string }).code === 'CONFIG_UNREADABLE') throw error;
      throw new CertificateError(error);
    }
  };
}
