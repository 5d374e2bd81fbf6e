/** What becomes of a change of an account that cannot be made. */

export type AccountsErrorCode =
  'ACCOUNT_BUSY' | 'ACCOUNT_TIMEOUT' | 'ACCOUNT_FAILED' | 'ACCOUNT_FULL';

/**
 * `ACCOUNT_BUSY`: nothing was done, later it may be; `ACCOUNT_TIMEOUT`: it may be done yet;
 * `ACCOUNT_FAILED`: the store or the account has failed; `ACCOUNT_FULL`: it has no room.
 */
export class AccountsError extends Error {
  readonly code: AccountsErrorCode;

  constructor(code: AccountsErrorCode, message: string) {
    super(message);
    this.name = 'AccountsError';
    this.code = code;
  }
}
