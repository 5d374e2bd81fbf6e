/** What a request over HTTP gets when it is refused: problem details (RFC 9457) with a code. */

import { STATUS_CODES } from 'node:http';

export type AdminErrorCode =
  | 'ADMIN_UNAUTHORISED'
  | 'ADMIN_INVALID'
  | 'ADMIN_IDENTITY'
  | 'ADMIN_NOT_FOUND'
  | 'ADMIN_NO_ACCOUNT'
  | 'ADMIN_NO_MESSAGE'
  | 'ADMIN_NO_LADDER'
  | 'ADMIN_NO_TRACE'
  | 'ADMIN_EXISTS'
  | 'ADMIN_NO_DIRECTORY'
  | 'ADMIN_NO_BACKUP'
  | 'ADMIN_BACKUP_BUSY'
  | 'ADMIN_IMPORT_BUSY'
  | 'ADMIN_PAUSED'
  | 'ADMIN_DRAINING'
  | 'ADMIN_UNREACHABLE_USER'
  | 'ADMIN_TOO_LARGE'
  | 'ADMIN_MEDIA_TYPE'
  | 'ADMIN_TOO_MANY'
  | 'ADMIN_STOPPING'
  | 'ADMIN_FAILED';

const statuses: Readonly<Record<AdminErrorCode, number>> = {
  ADMIN_UNAUTHORISED: 401,
  ADMIN_INVALID: 400,
  ADMIN_IDENTITY: 400,
  ADMIN_NOT_FOUND: 404,
  ADMIN_NO_ACCOUNT: 404,
  ADMIN_NO_MESSAGE: 404,
  ADMIN_NO_LADDER: 404,
  ADMIN_NO_TRACE: 501,
  ADMIN_EXISTS: 412,
  ADMIN_NO_DIRECTORY: 501,
  ADMIN_NO_BACKUP: 501,
  ADMIN_BACKUP_BUSY: 409,
  ADMIN_IMPORT_BUSY: 409,
  ADMIN_PAUSED: 409,
  ADMIN_DRAINING: 503,
  ADMIN_UNREACHABLE_USER: 409,
  ADMIN_TOO_LARGE: 413,
  ADMIN_MEDIA_TYPE: 415,
  ADMIN_TOO_MANY: 429,
  ADMIN_STOPPING: 503,
  ADMIN_FAILED: 500,
};

export class AdminError extends Error {
  readonly code: AdminErrorCode;
  readonly statusCode: number;

  constructor(code: AdminErrorCode, message: string) {
    super(message);
    this.name = 'AdminError';
    this.code = code;
    this.statusCode = statuses[code];
  }
}

export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** What others throw, by their codes; anything else is a mistake of ours. */
export function problemOf(error: unknown): Problem {
  if (error instanceof AdminError) return problem(error.statusCode, error.code, error.message);
  const { code, statusCode, message } = error as Partial<AdminError> & { readonly code?: string };
  const text = message ?? '';
  if (code?.startsWith('STORE_') === true) return storeProblem(code);
  if (code?.startsWith('MAILBOX_') === true) return problem(422, code, text);
  if (code?.startsWith('ACCOUNT_') === true) return problem(accountStatus(code), code, text);
  if (typeof statusCode !== 'number' || statusCode >= 500) {
    return problem(500, 'ADMIN_FAILED', 'something has gone wrong here; the log says what');
  }
  if (statusCode === 413) return problem(413, 'ADMIN_TOO_LARGE', text);
  if (statusCode === 415) return problem(415, 'ADMIN_MEDIA_TYPE', text);
  return problem(400, 'ADMIN_INVALID', text);
}

function storeProblem(code: string): Problem {
  if (code === 'STORE_CONFLICT') {
    return problem(409, code, 'an identity belongs to another account, or the account has changed');
  }
  if (code === 'STORE_INVALID') return problem(400, code, 'a name or value cannot be stored');
  if (code === 'STORE_DAMAGED') return problem(500, code, 'what is stored is damaged');
  return problem(503, code, 'the store does not work at the moment');
}

function accountStatus(code: string): number {
  if (code === 'ACCOUNT_BUSY') return 503;
  if (code === 'ACCOUNT_FULL') return 507;
  return code === 'ACCOUNT_TIMEOUT' ? 504 : 500;
}

function problem(status: number, code: string, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail };
}
